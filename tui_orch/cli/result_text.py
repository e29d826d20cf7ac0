"""A job's result as text: its own, and where it has none of its own, what its children found. Pure."""

from collections.abc import Sequence

from store.models import Job, LedgerEntry
from store.states import FINAL, Kind, Status
from tui_orch.cli.tree_view import GLYPHS
from tui_orch.client.text import clean, one_line
from tui_orch.client.work_text import work_text


def result_text(job: Job, ledger: Sequence[LedgerEntry]) -> str:
    """Return what a person wants to read of a job that has ended; a group's result is that of its children."""
    if job.result is not None:
        return clean(job.result).rstrip("\n")
    if job.kind is Kind.GROUP:
        return ledger_text(ledger)
    return ""


def ledger_text(ledger: Sequence[LedgerEntry]) -> str:
    """Return each child with its state and its result or error."""
    return "\n\n".join("\n".join([headline(entry), *_work(entry), _body(entry)]).rstrip() for entry in ledger)


def headline(entry: LedgerEntry) -> str:
    """Return one child on one line."""
    why = f" ({one_line(entry.reason)})" if entry.reason and entry.status in FINAL - {Status.CANCELLED} else ""
    return f"{GLYPHS[entry.status]} {entry.status}{why} #{entry.id} {one_line(entry.title)}"


def _work(entry: LedgerEntry) -> list[str]:
    return [] if entry.workspace is None else [work_text(entry.workspace)]


def failures(job: Job, ledger: Sequence[LedgerEntry]) -> list[str]:
    """Return a line for what went wrong: the job's own error, and each child that did not complete."""
    lines = []
    if job.status is not Status.COMPLETED:
        why = f" ({job.reason})" if job.reason and job.reason != job.status else ""
        said = f": {job.error}" if job.error else ""
        lines.append(f"#{job.id} {job.status}{why}{said}")
    for entry in ledger if job.kind is not Kind.GROUP else ():  # a group's result has told them already
        if entry.status in (Status.FAILED, Status.PARTIAL, Status.CANCELLED):
            said = f": {entry.error}" if entry.error else ""
            lines.append(f"#{entry.id} {entry.status} · {entry.title}{said}")
    return lines


def _body(entry: LedgerEntry) -> str:
    return clean(entry.result or entry.error or "").strip()
