"""Which commits can be reached from where: what may be removed because it is held elsewhere. Only looks."""

from collections.abc import Iterable
from pathlib import Path

from tui_orch.workspace.git import PLAIN, How


def is_ancestor(repository: Path, commit: str, of: str, how: How = PLAIN) -> bool:
    """Return whether ``of`` (a commit or a full name) holds ``commit``; GitError where one of them is not there."""
    return how.git(repository).succeeds("merge-base", "--is-ancestor", commit, of)


def tip(repository: Path, branch: str, how: How = PLAIN) -> str | None:
    """Return the commit that a branch stands at, None where there is no such branch."""
    return branches(repository, branch, how).get(branch)


def branches(repository: Path, prefix: str, how: How = PLAIN) -> dict[str, str]:
    """Return by name the commits of the branch ``prefix`` and of those below it (``orch/1`` holds ``orch/1/2``)."""
    return _refs(repository, "refs/heads/", prefix, how)


def kept(repository: Path, prefix: str, how: How = PLAIN) -> dict[str, str]:
    """Return by name, without ``refs/orch/kept/``, the commits put aside of commands that were tried again."""
    return _refs(repository, "refs/orch/kept/", prefix, how)


def contained(repository: Path, commits: Iterable[str], of: str, how: How = PLAIN) -> frozenset[str]:
    """Return those of the commits that can be reached from ``of`` (a branch name, a full name, or a commit).

    One walk of the history for all. A commit that is not in the repository (any more) is not in the answer.
    """
    asked = frozenset(commits)
    if not asked:
        return frozenset()
    git = how.git(repository)
    said = git.run("cat-file", "--batch-check=%(objecttype) %(objectname)", input="".join(f"{c}\n" for c in asked))
    there = [line.removeprefix("commit ") for line in said.split("\n") if line.startswith("commit ")]
    end = f"refs/heads/{of}" if git.succeeds("show-ref", "--verify", "-q", f"refs/heads/{of}") else of
    given = "".join(f"{commit}\n" for commit in there) + f"^{end}\n"
    beyond = set(git.run("rev-list", "--stdin", input=given).split("\n"))
    return frozenset(there) - beyond


def contained_in_branch(repository: Path, tips: Iterable[str], branch: str, how: How = PLAIN) -> frozenset[str]:
    """Return those of the tips that can be reached from the branch; none where the branch is gone."""
    end = tip(repository, branch, how)
    return frozenset() if end is None else contained(repository, tips, end, how)


def delete_kept(repository: Path, name: str, commit: str, how: How = PLAIN) -> None:
    """Delete what was put aside under ``refs/orch/kept/<name>`` if it still is ``commit``."""
    git = how.git(repository)
    ref = f"refs/orch/kept/{name}"
    if git.succeeds("show-ref", "--verify", "-q", ref):
        git.run("update-ref", "-d", ref, commit)


def _refs(repository: Path, top: str, prefix: str, how: How) -> dict[str, str]:
    said = how.git(repository).run("for-each-ref", "--format=%(objectname) %(refname)", f"{top}{prefix.rstrip('/')}")
    pairs = (line.partition(" ") for line in said.split("\n") if line)
    return {name.removeprefix(top): commit for commit, _, name in pairs}
