"""Follows a tree from its start to its end: reads what changed, and hands it to whatever shows it.

Owns the pace. Sleeps until the store changes, a second has passed, or the next picture may be drawn.
"""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from store import feed
from store.database import Reader, Store
from store.models import Job
from store.states import FINAL
from store.tree import get_job, get_tree, store_state
from tui_orch.client.measures import clock, now_ms
from tui_orch.client.poll import wait_for_change
from tui_orch.client.text import one_line

#: Elapsed times go on though nothing changes.
_TICK_S = 1.0
_PAGE = 1_000


class Screen(Protocol):
    """What shows a tree. ``pause_s``: the shortest time between two pictures."""

    pause_s: float

    def show(self, jobs: Mapping[int, Job], notes: list[str], now_ms: int) -> None:
        """Show the jobs (by id, as they are now) and what else a person should know."""
        ...

    def close(self) -> None:
        """Give the terminal back."""
        ...


def follow(store: Store, root_id: int, screen: Screen, each_time: Callable[[], None] = lambda: None) -> Job:
    """Show a tree until its root has ended, and return the root. ``each_time`` is called about once a second."""
    jobs: dict[int, Job] = {}
    seq = 0
    rules, rules_of = "", -1
    try:
        while True:
            seen, drawn_at = store.data_version(), time.monotonic()
            with store.read() as reader:
                seq = _take_changes(reader, root_id, jobs, seq)
                notes = _notes(reader, root_id)
            if (version := store.schema_version()) != rules_of:
                rules, rules_of = _broken_rules(store), version
            screen.show(jobs, [*notes, rules] if rules else notes, now_ms())
            if jobs[root_id].status in FINAL:
                return jobs[root_id]
            each_time()
            wait_for_change(store.data_version, seen, _TICK_S)
            time.sleep(max(0.0, drawn_at + screen.pause_s - time.monotonic()))
    finally:
        screen.close()


def _take_changes(reader: Reader, root_id: int, jobs: dict[int, Job], seq: int) -> int:
    while True:
        changed = feed.changed_since(reader, seq, _PAGE, root_id)
        jobs.update((job.id, job) for job in changed)
        if changed:
            seq = changed[-1].seq
        if len(changed) < _PAGE:
            jobs.setdefault(root_id, get_job(reader, root_id))
            return seq


def _broken_rules(store: Store) -> str:
    """Return why no supervisor starts anything in this store, or nothing."""
    changed = store.schema_differences()
    return f"the store's rules were changed ({changed[0]}), so nothing new starts; see: orch doctor" if changed else ""


def _notes(reader: Reader, root_id: int) -> list[str]:
    """Return what keeps the tree from going on, or waits for a person."""
    state, tree = store_state(reader), get_tree(reader, root_id)
    notes = []
    if state.paused_ms is not None:
        why = f" ({one_line(state.brake_reason)})" if state.brake_reason else ""
        notes.append(f"the whole store is paused{why}; go on with: orch resume")
    if tree.paused_ms is not None:
        notes.append(f"tree #{root_id} is paused; go on with: orch resume {root_id}")
    if state.brake_reason and state.brake_until_ms is not None and state.brake_until_ms > now_ms():
        notes.append(f"nothing new starts until {clock(state.brake_until_ms)}: {state.brake_reason}")
    if state.open_asks:
        notes.append(
            f"{state.open_asks} open {'ask waits' if state.open_asks == 1 else 'asks wait'} for you: orch asks"
        )
    return notes
