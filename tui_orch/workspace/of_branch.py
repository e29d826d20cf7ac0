"""From a job to the commits between which its work is, also when its branch is gone and its commits are not."""

from dataclasses import dataclass
from pathlib import Path

from store.errors import IllegalChange
from store.models import Job, Tree, Workspace
from store.states import FINAL
from store.workspaces import branch_of
from tui_orch.workspace.changes import has_commit
from tui_orch.workspace.git import PLAIN, How
from tui_orch.workspace.reach import tip


@dataclass(frozen=True, slots=True)
class Span:
    """A job's branch from where it began to where it stands."""

    job_id: int
    root_id: int
    repository: Path
    branch: str
    start: str
    tip: str


def span_of(job: Job, tree: Tree, noted: Workspace | None, how: How = PLAIN) -> Span:
    """Return the commits of a job's work. Raises IllegalChange where there are none, GitError."""
    repository, branch = Path(tree.repository or ""), branch_of(tree, job.id)
    if noted is None or noted.start_commit is None:
        if job.status in FINAL:
            raise IllegalChange(f"job #{job.id} has no branch: it ended without one")
        raise IllegalChange(f"job #{job.id} has no branch yet; it is {job.status}")
    last = tip(repository, branch, how) or noted.head_commit
    if last is None or not has_commit(repository, last, how):
        raise IllegalChange(f"branch {branch} of job #{job.id} is gone, and its commits with it")
    return Span(job.id, job.root_id, repository, branch, noted.start_commit, last)
