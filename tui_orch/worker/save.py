"""Lets the children of a job with a worktree begin with what its worker has changed so far, wherever that works."""

from tui_orch.worker.steps import job_steps
from tui_orch.worker.work import Work


def save_for_children(work: Work) -> None:
    """Commit it, and publish that where others share no files. Raises BadInput where git can not do it."""
    if not work.tree.has_worktrees:
        return
    from tui_orch.workspace import of_job  # noqa: PLC0415 - shared trees need no git

    steps = work.steps
    job, settings = steps.look(job_steps.own_job), steps.look(job_steps.settings)
    noted = steps.look(job_steps.own_workspace)
    of_job.save_for_children(steps.home, job, work.tree, settings, noted, work.env)
    work.exchange.publish()
