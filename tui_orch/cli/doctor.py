"""``orch doctor``: whether all that tui-orch needs is there and in order."""

from dataclasses import asdict

import click

from tui_orch.cli import as_json, exits
from tui_orch.cli.checks import Check, claude_checks, git_check, machine_checks, store_checks
from tui_orch.cli.place import Place
from tui_orch.client.text import one_line

_MARKS = {"ok": "✔", "note": "·", "bad": "✘"}


@click.command("doctor")
@click.option("--json", "as_json_", is_flag=True, help="Print the checks as a JSON list.")
@click.pass_obj
def command(place: Place, as_json_: bool) -> int:
    """Check that all is there and in order.

    Claude Code and its login, SQLite, git, the store and its folder, disk and memory. Exit code 1: something is wrong.
    """
    home = place.future_home()
    checks: list[Check] = [*claude_checks(), *machine_checks(home), git_check(), *store_checks(home)]
    if as_json_:
        print(as_json.text([asdict(check) for check in checks]))
    else:
        for check in checks:
            print(f"{_MARKS[check.level]} {check.name:<12}{one_line(check.text)}")
    return exits.FAILED if any(check.level == "bad" for check in checks) else exits.COMPLETED
