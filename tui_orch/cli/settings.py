"""``orch settings``: what holds for the whole store: slots, ceilings, and the limits that new trees get."""

from dataclasses import asdict
from math import isfinite
from typing import Any

import click

from store.errors import BadInput
from store.permission_rule import split
from store.settings import NAMES, Settings, get_settings, set_setting
from tui_orch.cli import as_json, exits
from tui_orch.cli.place import Place

_RULES = ("allowed_tools",)
_MAX_INT = 2**63 - 1


@click.command("settings")
@click.argument("name", required=False)
@click.argument("value", required=False)
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(place: Place, name: str | None, value: str | None, as_json_: bool) -> int:
    """Show or set what holds for the store.

    Its slots and ceilings, and the limits that a new tree gets where it does not ask for others.
    """
    if name is not None and name not in NAMES:
        raise BadInput(f"there is no setting {name!r}; there are: {', '.join(NAMES)}")
    with place.open() as session:
        if name is not None and value is not None:
            session.caller.require_person("a change of settings")
            with session.store.write() as tx:
                set_setting(tx, name, _read(name, value, get_settings(tx)))
        with session.store.read() as reader:
            found = asdict(get_settings(reader))
    shown = found if name is None else {name: found[name]}
    if as_json_:
        print(as_json.text(shown))
    elif name is not None:
        print(_text(found[name]))
    else:
        for key, setting in shown.items():
            print(f"{key:<21}{_text(setting)}")
    return exits.COMPLETED


def _read(name: str, text: str, now: Settings) -> Any:
    """Return ``text`` as the type that the setting has now. Raises BadInput; the store judges the range."""
    present = getattr(now, name)
    try:
        if name in _RULES:
            return split(text)
        if isinstance(present, tuple):
            return [_number(part) for part in text.split(",")]
        if isinstance(present, float):
            return _number(text)
        if isinstance(present, int):
            number = int(text)
            if abs(number) > _MAX_INT:
                raise ValueError(text)
            return number
    except ValueError as error:
        kinds = {tuple: "numbers of seconds with commas between", float: "a number", int: "a whole number"}
        raise BadInput(f"{name} must be {kinds[type(present)]}, not {text!r}") from error
    if not text.isprintable():
        raise BadInput(f"{name} must be plain text, not {text!r}")
    return text


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(text)
    return number


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(part if isinstance(part, str) else f"{part:g}" for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
