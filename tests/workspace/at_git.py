"""Real repositories of a test's own, and a git that kills whoever calls it at a call of one's choice."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tui_orch.workspace.git import How
from tui_orch.workspace.worktree import Plot, make

_KILLER = """#!/bin/sh
n=$(($(cat "{count}" 2>/dev/null || echo 0) + 1))
echo $n > "{count}"
if [ $n -eq {at} ] && [ {when} = before ]; then kill -9 $PPID; exit 9; fi
"{git}" "$@"
code=$?
if [ $n -eq {at} ]; then kill -9 $PPID; exit 9; fi
exit $code
"""


@dataclass(frozen=True)
class Repository:
    """A person's checkout at ``top``, with a home of its own and no configuration of this machine."""

    top: Path
    env: dict[str, str]

    @property
    def how(self) -> How:
        return How(env=self.env)

    def git(self, *args: str, at: Path | None = None) -> str:
        env = {**self.env, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(["git", *args], cwd=at or self.top, env=env, capture_output=True, check=False)
        assert done.returncode == 0, (args, done.stderr.decode())
        return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def write(self, name: str, text: str = "text\n", at: Path | None = None) -> Path:
        path = (at or self.top) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, newline="")
        return path

    def commit(self, message: str = "more", at: Path | None = None) -> str:
        self.git("add", "-A", at=at)
        self.git("commit", "-q", "-m", message, at=at)
        return self.git("rev-parse", "HEAD", at=at)

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def plot(self, job: int, root: int = 1, store: str = "store") -> Plot:
        folder = self.top.parent / store / "worktrees" / str(root) / str(job)
        return Plot(self.top, folder, f"orch/{root}/{job}")

    def made(self, job: int, start: str | None = None, root: int = 1) -> Plot:
        plot = self.plot(job, root)
        make(plot, start or self.head, self.how)
        return plot

    def check(self) -> None:
        """The repository is sound, and no lock is left in it."""
        done = subprocess.run(
            ["git", "fsck", "--full", "--strict"], cwd=self.top, env=self.env, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert b"error" not in done.stderr, done.stderr
        git_dir = Path(self.git("rev-parse", "--path-format=absolute", "--git-common-dir"))
        assert not list(git_dir.rglob("*.lock"))
        assert self.git("stash", "list") == ""

    def tree(self, name: str) -> str:
        return self.git("rev-parse", f"{name}^{{tree}}")


def new_repository(folder: Path, name: str = "project", *, commit: bool = True) -> Repository:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    (home / ".gitconfig").write_text("[user]\n\tname = Person\n\temail = person@localhost\n")
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    made = Repository(folder / name, env)
    made.top.mkdir()
    made.git("init", "-q", "-b", "main")
    if commit:
        made.write("a.txt", "one\ntwo\nthree\n")
        made.commit("first")
    return made


def killing(repository: Repository, folder: Path, at: int, when: str) -> How:
    """Return a way to call git in which the ``at``-th call kills its caller, ``before`` it is made or ``after``."""
    folder.mkdir()
    git = shutil.which("git")
    assert git is not None
    program = folder / "git"
    program.write_text(_KILLER.format(count=folder / "count", at=at, when=when, git=git))
    program.chmod(0o755)
    return How(env={**repository.env, "PATH": f"{folder}:{repository.env['PATH']}"})
