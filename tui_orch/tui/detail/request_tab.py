"""The tab of the request: what the job was given to do, whole, and how it is run."""

import json

from store.closeup import Closeup
from tui_orch.client.measures import moment, seconds
from tui_orch.tui.detail.parts import excerpt, fact, hint
from tui_orch.tui.detail.source import DetailSource
from tui_orch.tui.text.line import Line, blank


def read(source: DetailSource, job_id: int) -> Closeup:
    """Return what the tab shows. Raises StoreError."""
    return source.closeup(job_id)


def lines(job: Closeup, now_ms: int) -> list[Line]:
    """Return the tab."""
    found = [fact("kind", f"{job.kind}{f', model {job.model}' if job.model else ''}")]
    if job.parent_id is not None:
        batch = f", batch {job.parent_id}-{job.batch}" if job.batch is not None else ""
        found.append(fact("parent", f"#{job.parent_id}{batch}, depth {job.depth} in tree #{job.root_id}"))
    if job.argv is not None:
        found.append(fact("command", _command(job.argv.text)))
    if job.timeout_s is not None:
        found.append(fact("timeout", seconds(job.timeout_s)))
    found.append(fact("created", moment(job.created_ms)))
    found.append(blank())
    if job.request is None or not job.request.text.strip():
        return [*found, *hint("The request is empty.")]
    return [*found, *excerpt(job.request)]


def _command(argv: str) -> str:
    """Return an argv as a person would read it."""
    try:
        words = json.loads(argv)
    except (ValueError, RecursionError):
        return argv
    if not isinstance(words, list):
        return argv
    return " ".join(json.dumps(word, ensure_ascii=False) if " " in str(word) else str(word) for word in words)
