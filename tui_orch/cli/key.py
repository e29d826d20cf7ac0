"""``orch key``: the keys to the REST API: make one, list them, revoke one."""

import sys
from dataclasses import asdict

import click

from store.keys import Key, list_keys, new_key, revoke_key
from tui_orch.cli import as_json, columns, exits, terminal
from tui_orch.cli.params import key_id as id_of_key
from tui_orch.cli.params import seconds
from tui_orch.cli.place import Place
from tui_orch.client.measures import moment, now_ms
from tui_orch.client.text import one_line


@click.group("key")
def command() -> None:
    """Make, list and revoke keys to the REST API."""


@command.command("new")
@click.argument("name")
@click.option("--expires", type=seconds, metavar="T", help="Let it open nothing after so long: 90m, 7d.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def new(place: Place, name: str, expires: float | None, as_json_: bool) -> int:
    """Make a key; NAME says who uses it.

    Prints the key on stdout, this once: the store keeps only a hash of it.
    """
    with place.make() as session:
        session.caller.require_person("a key")
        now = now_ms()
        expires_ms = None if expires is None else now + round(1000 * expires)
        with session.store.write() as tx:
            key, secret = new_key(tx, name, now, expires_ms=expires_ms)
    if as_json_:
        print(as_json.text(asdict(key) | {"key": secret}))
    else:
        print(secret)
    return exits.COMPLETED


@command.command("list")
@click.option("--json", "as_json_", is_flag=True, help="Print a JSON list.")
@click.pass_obj
def list_(place: Place, as_json_: bool) -> int:
    """List the keys; what they are is kept nowhere."""
    with place.open() as session:
        session.caller.require_person("the list of keys")
        with session.store.read() as reader:
            found = list_keys(reader)
    if as_json_:
        print(as_json.text([asdict(key) for key in found]))
        return exits.COMPLETED
    now = now_ms()
    for line in columns.table([_row(key, now) for key in found], terminal.width(sys.stdout)):
        print(line)
    if not found:
        print("no keys yet; make one with: orch key new NAME")
    return exits.COMPLETED


@command.command("revoke")
@click.argument("key_id", type=id_of_key, metavar="N")
@click.pass_obj
def revoke(place: Place, key_id: int) -> int:
    """Let a key open nothing any more, from now on."""
    with place.open() as session:
        session.caller.require_person("revoking a key")
        with session.store.write() as tx:
            key = revoke_key(tx, key_id, now_ms())
    print(f"key {key.id} ({one_line(key.name)}) is revoked")
    return exits.COMPLETED


def _row(key: Key, now: int) -> tuple[str, ...]:
    return str(key.id), _state(key, now), moment(key.created_ms), one_line(key.name)


def _state(key: Key, now: int) -> str:
    if key.revoked_ms is not None:
        return "revoked"
    if key.expires_ms is None:
        return "good"
    return f"good until {moment(key.expires_ms)}" if key.expires_ms > now else "expired"
