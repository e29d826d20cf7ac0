"""``orch status``: the whole store at a glance: its supervisor, its jobs by state, its slots, and what holds it up."""

from typing import Any

import click

from store.home import Home
from store.tree import StoreState, store_state
from tui_orch.cli import as_json, exits
from tui_orch.cli.place import Place
from tui_orch.client.measures import clock, duration, moment, now_ms
from tui_orch.client.text import one_line
from tui_orch.supervisor.ownership import Holder, holder


@click.command("status")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(place: Place, as_json_: bool) -> int:
    """Show the store at a glance.

    Whether a supervisor runs, how many jobs are in each state, the slots, and what holds things up.
    """
    with place.open() as session:
        home = session.store.home
        with session.store.read() as reader:
            state = store_state(reader)
    found = holder(home)
    if as_json_:
        print(as_json.text(_json(home, state, found)))
    else:
        for line in _lines(home, state, found):
            print(line)
    return exits.COMPLETED


def _json(home: Home, state: StoreState, found: Holder | None) -> dict[str, Any]:
    return {
        "store": str(home.root),
        "supervisor": None if found is None else {"pid": found.pid, "since_ms": found.since_ms, "held": found.held},
        "jobs": {status.value: count for status, count in state.counts.items()},
        "slots": state.slots,
        "using_slots": state.using_slots,
        "open_asks": state.open_asks,
        "paused_ms": state.paused_ms,
        "brake_reason": state.brake_reason,
        "brake_until_ms": state.brake_until_ms,
    }


def _lines(home: Home, state: StoreState, found: Holder | None) -> list[str]:
    now = now_ms()
    jobs = [f"{count} {status}" for status, count in state.counts.items() if count]
    lines = [
        f"store       {home.root}",
        f"supervisor  {_supervisor(found, now)}",
        f"jobs        {', '.join(jobs) or 'none'}",
        f"slots       {state.using_slots} of {state.slots} in use",
    ]
    if found is not None and found.held and state.paused_ms is None:
        lines.append(f"held        nothing new starts: {one_line(found.held)}")
    if state.open_asks:
        lines.append(f"asks        {state.open_asks} open; see: orch asks")
    if state.paused_ms is not None:
        why = f" ({one_line(state.brake_reason)})" if state.brake_reason else ""
        lines.append(f"paused      since {moment(state.paused_ms)}{why}; go on with: orch resume")
    if state.brake_until_ms is not None and state.brake_until_ms > now:
        why = one_line(state.brake_reason or "")
        lines.append(f"brake       until {clock(state.brake_until_ms)} ({why}); take it back with: orch resume")
    return lines


def _supervisor(found: Holder | None, now: int) -> str:
    if found is None:
        return "none; start one with: orch up"
    return f"process {found.pid}, for {duration(now - found.since_ms)}" if found.pid else "just starting"
