"""What is said about branches that do not go together: to the worker that resolves it, and where nobody has.

Pure text. File names and titles are other workers' words: each becomes one clean, bounded line.
"""

from collections.abc import Sequence

from store.models import Job
from tui_orch.worker.claude.wording import one_line

_NAMES = 50
_NAME_CHARS = 300
_TITLE_CHARS = 80


def named(files: Sequence[str], most: int = 5) -> str:
    """Return the first few file names on one line, and how many more there are."""
    shown = ", ".join(one_line(file, _NAME_CHARS) for file in files[:most])
    return shown if len(files) <= most else f"{shown} and {len(files) - most} more"


def conflict_text(with_id: int, files: Sequence[str]) -> str:
    """Return what a worker is told in whose worktree a merge stands in progress."""
    lines = [f"- {one_line(file, _NAME_CHARS)}" for file in files[:_NAMES]]
    if len(files) > _NAMES:
        lines.append(f"- and {len(files) - _NAMES} more: git diff --name-only --diff-filter=U")
    return "\n".join(
        [
            f"The branch of #{with_id} was being merged into yours, and these files conflict:",
            *lines,
            "The merge stands in progress in your working folder. Resolve it first: edit each file so that it holds what "
            "both sides wanted and no line of conflict markers (<<<<<<<, =======, >>>>>>>) is left. Where one side deleted "
            "a file, or it is binary, decide with `git add FILE` or `git rm FILE`. Do not abort the merge, and do not commit: "
            "the rest is done when you end your turn.",
        ]
    )


def resolver_request(job: Job, files: Sequence[str], branches: Sequence[tuple[int, str]]) -> str:
    """Return the request of a job that resolves what the children of ``job`` have changed in different ways."""
    listed = [f"- #{job_id}: {one_line(title, _TITLE_CHARS)}" for job_id, title in branches]
    return "\n".join(
        [
            f"Resolve the merge conflicts of job #{job.id}. The work of these jobs is being merged, one after the other, into the "
            "branch of your working folder:",
            *listed,
            f"First in conflict: {named(files)}.",
            "Keep what each of them wanted. Change nothing but what the conflicts need, and report how you resolved them.",
        ]
    )


def unresolved_error(files: Sequence[str]) -> str:
    """Return the error of an attempt that ended with the conflict still there."""
    return f"the merge conflict is not resolved in: {named(files)}"


def not_resolved(resolver_id: int, files: Sequence[str]) -> str:
    """Return the error of a job whose conflict another job was to resolve, and did not."""
    return f"#{resolver_id} was to resolve the merge conflict in {named(files)} and did not; try it again: orch retry {resolver_id}"


def beyond_limit(files: Sequence[str], refusal: str) -> str:
    """Return the error of a job that could not be given a child that resolves its conflict."""
    return f"the merge conflict in {named(files)} needs one more job, which was refused: {refusal}"
