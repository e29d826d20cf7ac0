"""A git repository of a test's own, and trees whose jobs have worktrees in it."""

import subprocess
from pathlib import Path

from at_work import AtWork

from store.models import Ground, Limits, NewJob, NewTree
from store.states import Kind


def git(folder: Path, *args: str) -> str:
    """Return what git says; the test's person has a name."""
    who = ("-c", "user.name=A Person", "-c", "user.email=person@example.org")
    done = subprocess.run(["git", *who, *args], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {args}: {done.stdout}{done.stderr}"
    return done.stdout.rstrip("\n")


def repository(folder: Path, **files: str) -> str:
    """Make a repository with one commit. Return the commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    for name, text in (files or {"README": "a project\n"}).items():
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "the first")
    return git(folder, "rev-parse", "HEAD")


def grove(work: AtWork, root: NewJob, *items: NewJob, setup: str | None = None, **limits: object) -> int:
    """Submit a tree whose jobs have worktrees of the project's repository."""
    ground = Ground(str(work.project), git(work.project, "rev-parse", "HEAD"), "main", setup=setup)
    new = NewTree(root, items, limits=Limits(**limits), work_dir=str(work.project), ground=ground)  # type: ignore[arg-type]
    return work.submit_tree(new)


def command(line: str) -> NewJob:
    return NewJob(line, Kind.COMMAND)


def files_on(work: AtWork, branch: str) -> dict[str, str]:
    """Return the files of a branch with what is in them."""
    names = git(work.project, "ls-tree", "-r", "--name-only", branch).splitlines()
    return {name: git(work.project, "show", f"{branch}:{name}") for name in names}


def is_sound(work: AtWork) -> bool:
    """Tell whether git finds nothing wrong with the repository."""
    return git(work.project, "fsck", "--full", "--strict", "--no-dangling") == ""
