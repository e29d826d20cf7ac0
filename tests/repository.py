"""A person's git repository for tests of the ways in, without anything of this machine's configuration."""

import os
import subprocess
from pathlib import Path


def git(folder: Path, *args: str) -> str:
    """Run git and return what it says."""
    named = ("-c", "user.name=A Person", "-c", "user.email=person@example.org")
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    done = subprocess.run(["git", *named, *args], cwd=folder, env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def repository(folder: Path) -> str:
    """Make a folder a repository with one commit on main, and return that."""
    git(folder, "init", "-q", "-b", "main")
    (folder / "README").write_text("a project\n")
    git(folder, "add", "README")
    git(folder, "commit", "-q", "-m", "start")
    return git(folder, "rev-parse", "HEAD")
