"""Where a job's work is, in words: branch, commit, how much it changed, whether the branch above has it. Pure."""

from store.models import Workspace
from tui_orch.client.text import one_line

#: Characters of a commit that are shown.
COMMIT_CHARS = 10


def work_text(found: Workspace) -> str:
    """Return it on one line; the files of a conflict are only counted."""
    parts = [one_line(found.branch)]
    if found.head_commit is not None:
        parts[0] += f" {found.head_commit[:COMMIT_CHARS]}"
        parts.append(changed(found.files, found.insertions, found.deletions))
    parts.append(_state(found))
    return ", ".join(part for part in parts if part)


def changed(files: int, insertions: int, deletions: int) -> str:
    """Return how much was changed."""
    return f"{files} file{'' if files == 1 else 's'} +{insertions} -{deletions}" if files else "nothing changed"


def _state(found: Workspace) -> str:
    if found.conflict_with is not None:
        files = len(found.conflicts)
        return f"in conflict with #{found.conflict_with} in {files} file{'' if files == 1 else 's'}"
    if found.is_merged:
        return "merged"
    if found.made_ms is None:
        return "not begun"
    if found.head_commit is None:
        return "at work" if found.deleted_ms is None else "removed"
    if found.deleted_ms is not None:
        return "removed"
    return "not merged" if found.has_work else ""
