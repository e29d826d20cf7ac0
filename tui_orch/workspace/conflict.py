"""Which files of a merge in progress are still in conflict: by git's index, and by the marker lines in them.

A text file that both sides changed counts as resolved once no marker line of git is left in it (or it was removed).
Where git puts no markers (one side removed it, binaries, links) the worker itself must add or remove the file.
"""

from collections.abc import Sequence
from pathlib import Path

from tui_orch.workspace.git import PLAIN, Git, How
from tui_orch.workspace.heads import merging
from tui_orch.workspace.places import Plot, of_store

_SIZE = 7
_BINARY_LOOK = 8_000
_REGULAR = frozenset({"100644", "100755"})


def unresolved(plot: Plot, how: How = PLAIN, noted: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the files that are still in conflict, in order of name.

    ``noted``: files of a conflict handed over before; they count as unresolved too while they hold markers that name a
    branch of this tree, also when they were staged or committed so.
    """
    git = how.git(plot.folder)
    stages = _stages(git)
    left = {path for path, sides in stages.items() if not of_store(path) and not _resolved(git, plot, path, sides)}
    label = plot.branch.rpartition("/")[0] or plot.branch
    for path in noted:
        if path not in stages and _names_branch(plot.folder / path, label):
            left.add(path)
    return tuple(sorted(left))


def files_in_conflict(plot: Plot, how: How = PLAIN) -> tuple[str, ...]:
    """Return every file that git itself holds as in conflict."""
    return tuple(sorted(_stages(how.git(plot.folder))))


def is_merging(plot: Plot) -> bool:
    """Return whether a merge is in progress."""
    return merging(plot)


def _stages(git: Git) -> dict[str, dict[int, tuple[str, str]]]:
    """Return by path and stage (1 base, 2 ours, 3 theirs) the mode and object of what is in conflict."""
    found: dict[str, dict[int, tuple[str, str]]] = {}
    for line in git.lines("ls-files", "--unmerged", "-z"):
        said, _, path = line.partition("\t")
        mode, blob, stage = said.split(" ")
        found.setdefault(path, {})[int(stage)] = (mode, blob)
    return found


def _resolved(git: Git, plot: Plot, path: str, sides: dict[int, tuple[str, str]]) -> bool:
    if 2 not in sides or 3 not in sides or any(mode not in _REGULAR for mode, _ in sides.values()):
        return False
    file = plot.folder / path
    if file.is_symlink() or (file.exists() and not file.is_file()):
        return False
    blobs = [_blob(git, sides[side][1]) for side in (2, 3)]
    if any(b"\0" in blob[:_BINARY_LOOK] for blob in blobs) or _unmarked(git, path):
        return False
    if not file.exists():
        return True
    size = _marker_size(git, path)
    opening, closing = _count(file.read_bytes(), size)
    counts = [_count(blob, size) for blob in blobs]  # a text about conflicts holds such lines of its own
    return opening <= max(count[0] for count in counts) and closing <= max(count[1] for count in counts)


def _blob(git: Git, name: str) -> bytes:
    return git.run("cat-file", "blob", name).encode("utf-8", "surrogateescape")


def _unmarked(git: Git, path: str) -> bool:
    """Return whether attributes keep git from writing markers into the file."""
    said = git.lines("check-attr", "-z", "merge", "--", path)
    return len(said) == 3 and said[2] in {"unset", "binary"}


def _marker_size(git: Git, path: str) -> int:
    said = git.lines("check-attr", "-z", "conflict-marker-size", "--", path)
    return int(said[2]) if len(said) == 3 and said[2].isdecimal() and int(said[2]) else _SIZE


def _count(text: bytes, size: int) -> tuple[int, int]:
    """Return how many lines open and how many close a conflict."""
    opening, closing = b"<" * size, b">" * size
    lines = text.splitlines()
    return sum(_marks(line, opening) for line in lines), sum(_marks(line, closing) for line in lines)


def _marks(line: bytes, marker: bytes) -> bool:
    return line.startswith(marker) and line[len(marker) : len(marker) + 1] in {b"", b" "}


def _names_branch(file: Path, prefix: str) -> bool:
    """Return whether a line closes a conflict with a branch of this tree."""
    if file.is_symlink() or not file.is_file():
        return False
    closing = b">" * _SIZE + b" "
    names = (prefix.encode() + b"/", b"heads/" + prefix.encode() + b"/")
    return any(
        line.startswith(closing) and line[len(closing) :].startswith(names) for line in file.read_bytes().splitlines()
    )
