"""Reads from the store all that a run begins with, and writes its prompt from it. Changes nothing."""

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from store import asks
from store.database import Reader
from store.models import Ask, Attempt, Job, Rule, Tree, Workspace
from store.rules import rules_for
from store.states import Reason
from store.tree import attempts, get_job, get_tree, ledger, path
from store.workspaces import get_workspace
from tui_orch.worker.claude.appendix import appendix, remaining
from tui_orch.worker.claude.prompt import Prompt, first_prompt, resume_prompt
from tui_orch.worker.merge_conflict import conflict_text


@dataclass(frozen=True, slots=True)
class Briefing:
    """What one run begins with. ``resume``: the session to go on with, None for a new one."""

    job: Job
    tree: Tree
    work_dir: Path
    resume: str | None
    prompt: Prompt
    appendix: str
    told: tuple[Ask, ...]  # answers that stand in the prompt
    rules: tuple[Rule, ...]  # in force for the job
    cut_off: tuple[
        int, ...
    ] = ()  # the attempts right before, newest first, that were cut off in the session that is resumed


#: Why an attempt ended whose worker had said all it had to say.
_OVER = (Reason.CONFLICT, Reason.WORKSPACE, Reason.REPORTED_FAILURE)


def brief(reader: Reader, job_id: int, work_dir: Path, mark: str, now_ms: int, *, fresh: bool = False) -> Briefing:
    """Return the briefing. ``fresh``: the job's session is gone, begin anew. ``mark``: random, fences foreign text."""
    job = get_job(reader, job_id)
    tree = get_tree(reader, job.root_id)
    earlier = [attempt for attempt in attempts(reader, job_id) if attempt.number < job.attempt]
    entries = ledger(reader, job_id)
    told = tuple(asks.unused_answers(reader, job_id))
    resume = None if fresh else job.session_id
    conflict = _conflict(get_workspace(reader, job_id))
    if resume is None:
        prompt = first_prompt(job, entries, told, mark, conflict)
    else:
        last = earlier[-1] if earlier else None
        prompt = resume_prompt(last, entries, told, remaining(tree, job, now_ms), mark, conflict)
    return Briefing(
        job=job,
        tree=tree,
        work_dir=work_dir,
        resume=resume,
        prompt=prompt,
        appendix=appendix(tree, path(reader, job_id), now_ms),
        told=told,
        rules=tuple(rules_for(reader, job_id)),
        cut_off=tuple(each.number for each in takewhile(_was_cut_off, reversed(earlier))) if resume else (),
    )


def _was_cut_off(attempt: Attempt) -> bool:
    """Tell whether an attempt ended with its turn under way; after any other end the worker goes on anew."""
    return attempt.outcome in ("lost", "released", "failed") and attempt.reason not in _OVER


def _conflict(noted: Workspace | None) -> str:
    if noted is None or noted.conflict_with is None:
        return ""
    return conflict_text(noted.conflict_with, noted.conflicts)
