"""Tells a worker about its children: ids and states as our words, everything they wrote as fenced data.

Pure text. Which children are told about, and whether that counts as delivered, is decided by the caller.
"""

import json
from collections import Counter
from collections.abc import Sequence

from store.models import LedgerEntry, Workspace
from store.states import FINAL, Status
from tui_orch.worker.claude.wording import cut, fenced, one_line

RESULT_CHARS = 4_000  # of one child's result; less where there are many
ALL_CHARS = 120_000  # of all children's results together
_LEAST_CHARS = 400
_TITLE_CHARS = 120
_SHORT = 10
_MERGED = (Status.COMPLETED, Status.PARTIAL)


def ended(entries: Sequence[LedgerEntry]) -> tuple[LedgerEntry, ...]:
    """Return the children that have ended."""
    return tuple(entry for entry in entries if entry.status in FINAL)


def undelivered(entries: Sequence[LedgerEntry]) -> tuple[LedgerEntry, ...]:
    """Return the children that have ended and whose result the worker has not been given."""
    return tuple(entry for entry in ended(entries) if not entry.delivered)


def summary(entries: Sequence[LedgerEntry]) -> str:
    """Return how many children are in which state: ``5 subtasks: 3 completed, 1 failed, 1 running``."""
    states = Counter(str(entry.status) for entry in entries)
    named = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    return f"{len(entries)} subtask{'' if len(entries) == 1 else 's'}: {named}"


def in_full(entries: Sequence[LedgerEntry], mark: str) -> str:
    """Return the children one after the other with their results, bounded, fenced by the random ``mark``."""
    limit = max(_LEAST_CHARS, min(RESULT_CHARS, ALL_CHARS // max(len(entries), 1)))
    return "\n\n".join(_entry(entry, mark, limit) for entry in entries)


def in_short(entries: Sequence[LedgerEntry]) -> str:
    """Return the children with their states alone, a line each."""
    return "\n".join(f"- {_head(entry)}" for entry in entries)


def _head(entry: LedgerEntry) -> str:
    batch = f", batch {entry.batch}" if entry.batch is not None else ""
    why = f" ({entry.reason})" if entry.reason else ""
    return f"#{entry.id} {entry.status}{why}{batch}"


def _entry(entry: LedgerEntry, mark: str, limit: int) -> str:
    said = [f"Title: {one_line(entry.title, _TITLE_CHARS)}"]
    work = f"\n{_work(entry.workspace, merged=entry.status in _MERGED)}" if entry.workspace else ""
    if entry.result is not None:
        said.append(f"Result:\n{cut(entry.result, limit)}")
    if entry.error:
        said.append(f"Error:\n{cut(entry.error, limit)}")
    if entry.data is not None:
        said.append(f"Data: {cut(json.dumps(entry.data, ensure_ascii=False), limit)}")
    longest = max(len(entry.result or ""), len(entry.error or ""))
    rest = f"; cut to {limit:,} characters, all of it: orch result {entry.id}" if longest > limit else ""
    body = fenced("\n".join(said), mark)
    return f"## {_head(entry)}, {entry.attempts} attempt(s), ${entry.cost_usd:.2f}{rest}{work}\n{body}"


def _work(done: Workspace, *, merged: bool) -> str:
    """Return what a child has committed and where it is now. Our own words alone: names of branches are ours."""
    if done.head_commit is None or not done.has_work:
        return "It changed no file."
    size = f"{done.files} file{'' if done.files == 1 else 's'}, +{done.insertions} -{done.deletions}"
    if done.is_merged:
        where = "merged into your branch"
    else:
        where = "not merged into your branch yet" if merged else "not merged: its work is kept on its branch alone"
    return f"Branch {done.branch} at {done.head_commit[:_SHORT]}: {size}; {where}."
