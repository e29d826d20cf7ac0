"""An attempt in a worktree of its own: made or put in order before the runner, committed and merged after it.

1. open    the worktree is there and in order; what the children have committed is merged, up to a conflict
2. run     the kind's runner, in that folder; a job whose own work is over only merges
3. close   what it left is committed; children that were not merged yet are
A kill at any point leaves git as it was before a step or after it; the next attempt goes on from there. Git first, then the
store's note of it.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from store import workspaces
from store.errors import LimitExceeded
from store.models import Outcome, Workspace
from store.states import Kind, Reason, Status
from tui_orch.worker import worktree_steps
from tui_orch.worker.merge_conflict import beyond_limit, unresolved_error
from tui_orch.worker.setup_command import SetupFailed, run_setup
from tui_orch.worker.steps import job_steps
from tui_orch.worker.stop_signal import StopSignal
from tui_orch.worker.stopped import stopped_ending
from tui_orch.worker.subreaper import end_descendants
from tui_orch.worker.work import Ending, Finished, Released, Suspended, Work
from tui_orch.worker.worktree_steps import Conflict
from tui_orch.workspace import commit, merging, worktree
from tui_orch.workspace.conflict import is_merging
from tui_orch.workspace.disk import size_bytes
from tui_orch.workspace.git import GitError, How, Stopped
from tui_orch.workspace.include import copy_included
from tui_orch.workspace.of_job import folder_in, how_of, message_of, plot_of
from tui_orch.workspace.reach import tip

#: Seconds between asking what a runner left behind to end and killing it: it must not write while its work is committed.
LEFTOVERS_GRACE_S = 1.0

Runner = Callable[[Work, StopSignal], Ending]


def run_in_worktree(work: Work, stop: StopSignal, run: Runner) -> Ending:
    """Run an attempt of a job of a tree with worktrees. Raises StaleAttempt, StoreError."""
    desk = Desk(work, stop)
    try:
        desk.open()
        if workspaces.is_merge_alone(work.job):
            return desk.merge_alone()
    except Stopped:
        return stopped_ending(work.steps, session_id=work.job.session_id)
    except (GitError, SetupFailed, OSError) as error:
        return Finished(
            Outcome(Status.FAILED, Reason.WORKSPACE, error=f"its worktree could not be made ready: {error}")
        )
    ending = run(replace(work, cwd=desk.folder), stop)
    end_descendants(LEFTOVERS_GRACE_S)
    try:
        return desk.close(ending)
    except (GitError, OSError) as error:
        return _not_committed(ending, str(error))


class Desk:
    """The worktree of one attempt's job, and what is noted of it."""

    def __init__(self, work: Work, stop: StopSignal) -> None:
        self._work = work
        self._steps = work.steps
        settings = self._steps.look(job_steps.settings)
        # What is begun is finished once the runner has ended: then a stop is no reason to leave its work uncommitted.
        self._how = how_of(settings, work.env)
        self._how_stoppable = how_of(settings, work.env, lambda: stop.asked)
        self._stop = stop
        self._plot = plot_of(work.steps.home, work.job, work.tree)
        self.folder: Path = folder_in(self._plot, work.tree)

    def open(self) -> None:
        """Make the worktree, or put it in order, and merge what is to be merged before the runner runs."""
        noted = self._noted()
        if noted is None or noted.made_ms is None or noted.removed_ms is not None:
            self._make(noted)
        else:
            worktree.mend(self._plot, self._how_stoppable)
            if not worktree.is_made(self._plot):
                self._make(noted)
            elif self._begins_anew(noted):
                self._begin_anew(noted)
        self.folder.mkdir(parents=True, exist_ok=True)  # git knows no empty folders
        if self._conflict() is not None and not is_merging(self._plot):
            self._forget_conflict()  # its worker has concluded it, or taken it back: the merge tells
        if self._conflict() is None:
            self._merge(self._how_stoppable)

    def merge_alone(self) -> Ending:
        """End an attempt that had nothing to do but to merge, or give a conflict to a worker that can resolve it."""
        conflict = self._conflict()
        if conflict is None:
            self._note_head(self._head())
            return Finished(Outcome(Status.COMPLETED))
        stays = self._call_resolver(conflict)
        return Finished(stays) if stays is not None else Suspended("children", None)

    def close(self, ending: Ending) -> Ending:
        """Commit what the runner left, and merge what has come in meanwhile. Return how the attempt ends now."""
        if isinstance(ending, Released) and self._work.exchange.is_shared:
            return ending  # its worker goes on where this one stopped
        if not worktree.is_made(self._plot):
            return _not_committed(ending, f"{self._plot.folder} is gone")
        before = self._conflict()
        try:
            head = commit.save(self._plot, self._message(ending), self._how, before.files if before else ())
        except commit.Unresolved as left:
            return _unresolved(ending, left.files)
        self._note_head(head)
        if before is not None:
            self._forget_conflict()
        if not isinstance(ending, Finished) or ending.outcome.status is not Status.COMPLETED:
            return ending
        self._merge(self._how)
        conflict = self._conflict()
        if conflict is None:
            return ending
        if before is not None and conflict.with_id == before.with_id:
            return _unresolved(ending, conflict.files)  # it took the merge back
        return self._hand_on(ending, conflict)

    def _hand_on(self, ending: Finished, conflict: Conflict) -> Ending:
        """Give a conflict that came up after the runner's end to the job's own session, or to a job that has one."""
        if self._work.job.kind is Kind.CLAUDE:
            told = ending.outcome
            return Released(Reason.CONFLICT, session_id=told.session_id, usage=told.usage, delivered=ending.delivered)
        stays = self._call_resolver(conflict)
        return ending if stays is None else replace(ending, outcome=replace(stays, result=ending.outcome.result))

    def _make(self, noted: Workspace | None) -> None:
        tree = self._work.tree
        start = noted.start_commit if noted is not None else None
        if start is None:
            start = self._steps.look(worktree_steps.start_commit)
        worktree.make(self._plot, start, self._how_stoppable)
        worktree.mend(self._plot, self._how_stoppable)  # an earlier attempt may have died after it was made
        copy_included(self._plot.repository, self._plot.folder, self._how_stoppable)
        if tree.workspace_setup:
            self.folder.mkdir(parents=True, exist_ok=True)
            run_setup(tree.workspace_setup, self.folder, self._work, self._stop)
        size = size_bytes(self._plot.folder)
        self._steps.change(worktree_steps.note_made, self._head(), size)

    def _begins_anew(self, noted: Workspace) -> bool:
        """Tell whether an earlier try of a command left something: run again, it begins where the first one did."""
        job = self._work.job
        return (
            job.kind is Kind.COMMAND and job.attempt > 1 and noted.start_commit is not None and job.own_status is None
        )

    def _begin_anew(self, noted: Workspace) -> None:
        job = self._work.job
        assert noted.start_commit is not None
        name = f"{self._work.tree.branch_prefix}/{job.id}.{job.attempt - 1}"
        commit.keep_aside(self._plot, noted.start_commit, name, message_of(job, None), self._how)
        worktree.begin_again(self._plot, noted.start_commit, self._how)
        self._steps.change(worktree_steps.forget_merges)

    def _merge(self, how: How) -> None:
        """Merge the branches that are to be merged, in order, up to a conflict, which is noted."""
        job = self._work.job
        sources = self._steps.look(worktree_steps.sources_to_merge)
        if not sources:
            return
        self._work.exchange.bring_in()
        if worktree.uncommitted(self._plot, how):
            commit.save(self._plot, message_of(job, job.session_id), how)
        merged = merging.merge(self._plot, sources, how)
        stopped = merged.conflict
        conflict = None if stopped is None else Conflict(stopped.job_id, tuple(stopped.files))
        self._steps.change(worktree_steps.note_merged, dict(merged.done), conflict)
        if conflict is not None:
            merging.handed_over(self._plot)
        self._note_head(self._head())
        self._remove_worktrees(tuple(job_id for job_id, _ in merged.done))

    def _remove_worktrees(self, job_ids: tuple[int, ...]) -> None:
        """Free the disk of what is merged; the branches stay until `orch gc`. What would be lost stays, too."""
        for job_id in job_ids:
            merged = self._steps.look(worktree_steps.ended_child, job_id)
            if merged is None:
                continue
            plot = plot_of(self._steps.home, merged, self._work.tree)
            if not plot.folder.exists():
                continue
            try:
                why = worktree.remove(plot, self._how)
            except (GitError, OSError) as error:
                why = str(error)
            if why is not None:
                print(f"the worktree of #{job_id}, which is merged, stays: {why}", file=sys.stderr)
                continue
            self._steps.change(worktree_steps.note_child_removed, job_id)

    def _call_resolver(self, conflict: Conflict) -> Outcome | None:
        """Give the conflict to a child that can resolve it, one at a time; return how the job ends where there can be none.

        The merge in the job's own worktree is taken back first: the child has a worktree of its own, which begins where
        this one stands, and whose branch is merged here when it is done.
        """
        worktree.begin_clean(self._plot, "HEAD", self._how)
        try:
            return self._steps.change(worktree_steps.call_resolver, conflict.files)
        except LimitExceeded as error:  # after the step, which is undone as a whole
            return worktree_steps.conflict_stays(beyond_limit(conflict.files, str(error)))

    def _conflict(self) -> Conflict | None:
        """Return the conflict that is noted."""
        noted = self._noted()
        if noted is None or noted.conflict_with is None:
            return None
        return Conflict(noted.conflict_with, noted.conflicts)

    def _forget_conflict(self) -> None:
        self._steps.change(worktree_steps.note_merged, {})

    def _noted(self) -> Workspace | None:
        return self._steps.look(job_steps.own_workspace)

    def _head(self) -> str:
        found = tip(self._plot.repository, self._plot.branch)
        if found is None:
            raise GitError(f"branch {self._plot.branch} is gone")
        return found

    def _note_head(self, head: str) -> None:
        noted = self._noted()
        start = head if noted is None or noted.start_commit is None else noted.start_commit
        diff = commit.diffstat(self._plot.folder, start, head, self._how)
        size = size_bytes(self._plot.folder)
        self._work.exchange.publish()
        self._steps.change(worktree_steps.note_head, head, (diff.files, diff.insertions, diff.deletions), size)

    def _message(self, ending: Ending) -> str:
        session = ending.outcome.session_id if isinstance(ending, Finished) else ending.session_id
        return message_of(self._work.job, session or self._work.job.session_id)


def _unresolved(ending: Ending, files: tuple[str, ...]) -> Ending:
    """Return the end of an attempt that left a conflict: what was a success is none, anything else stands."""
    if not isinstance(ending, Finished) or ending.outcome.status is not Status.COMPLETED:
        return ending
    outcome = replace(ending.outcome, status=Status.FAILED, reason=Reason.CONFLICT, error=unresolved_error(files))
    return replace(ending, outcome=replace(outcome, retry=True))


def _not_committed(ending: Ending, said: str) -> Ending:
    """Return the end of an attempt whose work could not be committed: a success is none without it."""
    error = f"what it changed could not be committed: {said}"
    print(error, file=sys.stderr)
    if not isinstance(ending, Finished) or ending.outcome.status is not Status.COMPLETED:
        return ending
    failed = replace(ending.outcome, status=Status.FAILED, reason=Reason.WORKSPACE, error=error, retry=True)
    return replace(ending, outcome=failed)
