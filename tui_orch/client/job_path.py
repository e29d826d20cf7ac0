"""The way from the root of a tree down to a job, on one line: ``#1 Build it › #4 The API``. Pure."""

from collections.abc import Sequence

from store.models import Job
from tui_orch.client.cells import cut
from tui_orch.client.text import one_line

_TITLE_CELLS = 28
_TITLE_CHARS = 600


def job_path(jobs: Sequence[Job]) -> str:
    """Return the jobs from the root on, each with as much of its title as fits."""
    return " › ".join(f"#{job.id} {cut(one_line(job.title[:_TITLE_CHARS]), _TITLE_CELLS)}" for job in jobs)
