"""The tab of the result: what the job found or why it failed, and the ledger: what each of its children found."""

import json
from dataclasses import dataclass

from store.closeup import Child, Closeup, Excerpt
from store.models import Workspace
from store.states import FINAL, Kind, Status
from tui_orch.client.measures import money
from tui_orch.client.text import one_line
from tui_orch.client.work_text import work_text
from tui_orch.tui.detail.parts import excerpt, heading, hint, part, state
from tui_orch.tui.detail.source import DetailSource
from tui_orch.tui.text.line import Line, Tone, blank, joined, line

#: Lines of a child's result or error.
_CHILD_LINES = 12
#: Lines of data and of what was denied.
_DATA_LINES = 200
_INDENTED_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Results:
    """A job and the first of its children."""

    job: Closeup
    children: tuple[Child, ...]


def read(source: DetailSource, job_id: int) -> Results:
    """Return what the tab shows. Raises StoreError."""
    job = source.closeup(job_id)
    return Results(job, tuple(source.ledger(job_id)) if job.children else ())


def lines(found: Results, now_ms: int) -> list[Line]:
    """Return the tab."""
    job = found.job
    shown = [joined([*state(job.status, job.reason), (_cost(job.subtree_cost_usd), Tone.DIM)]), blank()]
    if job.workspace is not None:
        shown += part("work", _work(job.workspace))
    if job.error is not None:
        shown += part("error", excerpt(job.error, Tone.BAD))
    if job.result is not None:
        shown += part("result", excerpt(job.result) if job.result.text else hint("It is empty."))
    elif not job.children or job.kind is not Kind.GROUP:
        shown += [*hint(_nothing(job)), blank()]
    if job.data is not None:
        shown += part("data", excerpt(_indented(job.data), most=_DATA_LINES))
    if job.denials is not None and job.denials.text.strip() not in ("", "[]"):
        shown += part("denied", excerpt(job.denials, Tone.WARN, most=_DATA_LINES))
    return [*shown, *_ledger(found)]


def _indented(data: Excerpt) -> Excerpt:
    """Return JSON with a line for each value, as long as it is small and flat enough to be taken apart."""
    if len(data.text) > _INDENTED_CHARS:
        return data
    try:
        text = json.dumps(json.loads(data.text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return data
    return Excerpt(text, 0)


def _nothing(job: Closeup) -> str:
    if job.status in FINAL:
        return "It has no result." if job.error is None else "It has no result beside that."
    if job.status is Status.WAITING:
        return f"No result yet: it waits for {job.open_children} of {job.children} children, or for an answer."
    return "No result yet: it has not started." if job.attempt == 0 else "No result yet: it is being worked on."


def _ledger(found: Results) -> list[Line]:
    job = found.job
    if not job.children:
        return []
    ended = job.children - job.open_children
    shown = [heading("ledger", f"{ended} of {job.children} children ended"), blank()]
    for child in found.children:
        shown += [*_child(child), blank()]
    if (more := job.children - len(found.children)) > 0:
        shown += hint(f"… {more} more children; the tree shows them")
    return shown


def _child(child: Child) -> list[Line]:
    parts = [*state(child.status, child.reason), (f" #{child.id} ", Tone.PLAIN), (one_line(child.title), Tone.STRONG)]
    aside = _cost(child.cost_usd) + (f"  ×{child.attempt}" if child.attempt > 1 else "")
    if child.status in FINAL and not child.delivered:
        aside += "  not yet told to its parent"
    shown = [joined([*parts, (aside, Tone.DIM)], 2)]
    if child.workspace is not None:
        shown += _work(child.workspace, 4)
    if child.error is not None and child.status is not Status.COMPLETED:
        shown += excerpt(child.error, Tone.BAD, 4, _CHILD_LINES)
    if child.result:
        shown += excerpt(child.result, Tone.PLAIN, 4, _CHILD_LINES)
    elif child.status in FINAL and child.error is None:
        shown.append(line("no result", Tone.DIM, 4))
    return shown


def _work(found: Workspace, indent: int = 0) -> list[Line]:
    """Return where the work is, and the files that conflict."""
    bad = found.conflict_with is not None
    shown = [line(work_text(found), Tone.WARN if bad else Tone.DIM, indent)]
    shown += [line(one_line(file), Tone.WARN, indent + 2) for file in found.conflicts[:_CHILD_LINES]]
    if (more := len(found.conflicts) - _CHILD_LINES) > 0:
        shown.append(line(f"… {more} more files", Tone.DIM, indent + 2))
    return shown


def _cost(usd: float) -> str:
    return f"  {money(usd)}" if usd else ""
