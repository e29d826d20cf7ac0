"""What a branch holds beyond where it began: its commits, how much each file changed, and the change itself. Only looks."""

from dataclasses import dataclass
from pathlib import Path

from tui_orch.workspace.git import PLAIN, How

_NO_OTHERS = ("--no-ext-diff", "--no-textconv")
_PREFIXES = ("--src-prefix=a/", "--dst-prefix=b/")


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file; the numbers of lines are None for a binary one. ``was``: its name before, where it was renamed."""

    path: str
    insertions: int | None
    deletions: int | None
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit and its first line."""

    commit: str
    subject: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Files by name, commits oldest first."""

    files: tuple[FileChange, ...]
    commits: tuple[Commit, ...]

    @property
    def insertions(self) -> int:
        """Lines that were added."""
        return sum(file.insertions or 0 for file in self.files)

    @property
    def deletions(self) -> int:
        """Lines that were taken away."""
        return sum(file.deletions or 0 for file in self.files)


def changes(repository: Path, start: str, tip: str, how: How = PLAIN) -> Changes:
    """Return what ``tip`` has that ``start`` has not. Raises GitError."""
    git = how.git(repository)
    words = git.lines("diff-tree", "-r", "-M", "-z", "--numstat", *_NO_OTHERS, start, tip)
    said = git.lines("log", "-z", "--no-color", "--no-show-signature", "--reverse", "--format=%H %s", f"{start}..{tip}")
    commits = (entry.partition(" ") for entry in said)
    return Changes(tuple(_files(words)), tuple(Commit(commit, subject) for commit, _, subject in commits))


def patch(repository: Path, start: str, tip: str, how: How = PLAIN, *, whole: bool = False) -> str:
    """Return the change as git shows it, bytes that are no text as lone surrogates; ``whole``: fit for ``git apply``."""
    more = ("--binary", "--full-index") if whole else ()
    return how.git(repository).run("diff-tree", "-r", "-p", "-M", *_PREFIXES, *more, *_NO_OTHERS, start, tip)


def stat(repository: Path, start: str, tip: str, width: int, how: How = PLAIN) -> str:
    """Return a line for each file, at most ``width`` cells long, and one for all."""
    return how.git(repository).run("diff-tree", "-r", "-M", f"--stat={width}", *_NO_OTHERS, start, tip)


def has_commit(repository: Path, commit: str, how: How = PLAIN) -> bool:
    """Return whether the repository has the commit."""
    return how.git(repository).succeeds("rev-parse", "-q", "--verify", f"{commit}^{{commit}}")


def _files(words: list[str]) -> list[FileChange]:
    found = []
    rest = iter(words)
    for word in rest:
        inserted, deleted, path = word.split("\t", 2)
        was = None if path else next(rest)
        found.append(FileChange(path or next(rest), _number(inserted), _number(deleted), was))
    return found


def _number(text: str) -> int | None:
    return None if text == "-" else int(text)
