"""Shows a tree until it has ended, then its result: what ``orch run`` does after handing in, and ``orch demo`` too.

The result goes to stdout and nothing else, unless stdout is a screen: then the tree is drawn there before it.
"""

import sys
from collections.abc import Callable, Sequence

from store.database import Store
from store.models import Job, LedgerEntry
from store.tree import ledger, subtree
from store.workspaces import get_workspace
from tui_orch.cli import as_json, exits, terminal
from tui_orch.cli.follow import Screen, follow
from tui_orch.cli.result_text import failures, result_text
from tui_orch.cli.screens import Events, Picture, Silence
from tui_orch.cli.tree_view import tree_lines
from tui_orch.client.measures import now_ms


def watch(
    store: Store,
    root_id: int,
    *,
    json: bool = False,
    each_time: Callable[[], None] = lambda: None,
    notes: Sequence[str] = (),
) -> Job:
    """Show the tree until its root has ended, print its result, and return the root. ``notes`` go into the JSON."""
    root = follow_to_end(store, root_id, json=json, each_time=each_time)
    with store.read() as reader:
        entries, work = ledger(reader, root_id), get_workspace(reader, root_id)
    if json:
        print(as_json.text(as_json.job(root, entries, work) | {"notes": list(notes)}))
    else:
        print_result(root, entries)
    return root


def follow_to_end(
    store: Store, root_id: int, *, json: bool = False, each_time: Callable[[], None] = lambda: None
) -> Job:
    """Show the tree until its root has ended, and leave its last picture on a screen. Return the root."""
    root = follow(store, root_id, _screen(json=json), each_time)
    if not json and terminal.is_screen(sys.stdout):
        with store.read() as reader:
            jobs = subtree(reader, root_id)
        colour = terminal.has_colour(sys.stdout)
        for line in tree_lines(jobs, now_ms(), terminal.width(sys.stdout)):
            print(line.painted(colour=colour))
        print()
    return root


def print_result(job: Job, entries: list[LedgerEntry]) -> None:
    """Print a job's result on stdout, and on stderr a line for each thing that went wrong."""
    found = result_text(job, entries)
    if found:
        print(found, flush=True)
    for line in failures(job, entries):
        exits.tell(line)


def _screen(*, json: bool) -> Screen:
    if json:
        return Silence()
    return Picture(sys.stdout) if terminal.is_screen(sys.stdout) else Events(sys.stderr)
