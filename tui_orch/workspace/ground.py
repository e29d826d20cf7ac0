"""Whether worktrees can be made where a tree is to work: looked at once, before anything starts.

Refuses what would fail later (no commit, bare, submodules, a branch named ``orch``) with the way out in the message;
a detached HEAD, a sparse or shallow checkout, a linked worktree and any name of a folder are fine.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tui_orch.workspace.git import OLDEST, Git, GitError
from tui_orch.workspace.places import of_store

_PREFIX = "orch"


class Unfit(Exception):
    """No worktrees can be made here: why, and the way out. ``outside``: the folder is in no git repository at all."""

    def __init__(self, message: str, *, outside: bool = False) -> None:
        super().__init__(message)
        self.outside = outside


@dataclass(frozen=True, slots=True)
class Ground:
    """What a tree's worktrees begin from.

    ``repository``: absolute top of the person's checkout; ``base_branch``: None where HEAD is detached; ``taken``: names
    of branches that begin with ``orch/``; ``uncommitted``: how many changed or untracked paths workers will not see.
    """

    repository: Path
    base_commit: str
    base_branch: str | None
    taken: frozenset[str]
    uncommitted: int


def look(work_dir: Path, env: Mapping[str, str] | None = None) -> Ground:
    """Look at the repository that ``work_dir`` is in; raises Unfit."""
    _check_version(env)
    git = Git(work_dir, env=env)
    try:
        top = _top(git, work_dir)
        return _ground(Git(top, env=env), top)
    except GitError as error:
        raise Unfit(f"git can not be used in {work_dir}: {error}") from error


def _check_version(env: Mapping[str, str] | None) -> None:
    path = (os.environ if env is None else env).get("PATH")
    program = shutil.which("git", path=path)
    if program is None:
        raise Unfit("git is not installed: install it, or set workspace = shared", outside=True)
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        raise Unfit(f"{said.strip() or program} is too old: {OLDEST[0]}.{OLDEST[1]} or later is needed for worktrees")


def _top(git: Git, work_dir: Path) -> Path:
    try:
        bare, inside_git, inside_tree = git.run(
            "rev-parse", "--is-bare-repository", "--is-inside-git-dir", "--is-inside-work-tree"
        ).split("\n")
    except GitError as error:
        raise _refused(error, work_dir) from error
    if inside_git == "true" and bare != "true":
        raise Unfit(f"{work_dir} is inside a .git folder: go to the checkout itself")
    if bare == "true" or inside_tree != "true":
        raise Unfit(f"{work_dir} is a bare repository: go to a checkout of it (git worktree add, or git clone)")
    return Path(git.run("rev-parse", "--show-toplevel"))


def _refused(error: GitError, work_dir: Path) -> Unfit:
    said = str(error)
    if "dubious ownership" in said:
        return Unfit(
            f"git does not trust the repository of {work_dir}, it belongs to someone else: "
            f"git config --global --add safe.directory <its folder>"
        )
    if "not a git repository" in said:
        return Unfit(f"{work_dir} is in no git repository: git init, or set workspace = shared", outside=True)
    return Unfit(f"git can not be used in {work_dir}: {said}")


def _ground(git: Git, top: Path) -> Ground:
    if git.run("rev-parse", "--show-superproject-working-tree"):
        raise Unfit(f"{top} is a submodule: worktrees of submodules are not supported, set workspace = shared")
    head = git.answer("rev-parse", "-q", "--verify", "HEAD^{commit}")
    if head is None:
        raise Unfit(f"{top} has no commit yet: make one (git commit --allow-empty -m start)")
    if git.succeeds("show-ref", "--verify", "-q", f"refs/heads/{_PREFIX}"):
        raise Unfit(
            f"{top} has a branch named {_PREFIX}, so {_PREFIX}/... can not be: git branch -m {_PREFIX} <other name>"
        )
    links = [entry for entry in git.lines("ls-tree", "-r", "-z", head) if entry.startswith("160000 ")]
    if links:
        path = links[0].partition("\t")[2]
        raise Unfit(
            f"{top} has submodules ({path}): worktrees with submodules are not supported, set workspace = shared"
        )
    shared = Path(git.run("rev-parse", "--path-format=absolute", "--git-common-dir"))
    if not os.access(shared, os.W_OK):
        raise Unfit(f"{shared} can not be written to: branches and worktrees are kept there")
    return Ground(top, head, _branch(git), _taken(git), _uncommitted(git))


def _branch(git: Git) -> str | None:
    ref = git.answer("symbolic-ref", "-q", "HEAD")
    return None if ref is None else ref.removeprefix("refs/heads/")


def _taken(git: Git) -> frozenset[str]:
    said = git.run("for-each-ref", "--format=%(refname)", f"refs/heads/{_PREFIX}/")
    return frozenset(line.removeprefix("refs/heads/") for line in said.split("\n") if line)


def _uncommitted(git: Git) -> int:
    entries = git.lines("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal")
    return sum(1 for entry in entries if not of_store(entry[3:].rstrip("/")))
