"""A node's own clone of the project, where nodes and the head share a git remote but no files.

Brings in the branches that the attempt begins with, and sends its own. Pushes no branch but the attempt's own: that of a
job that works elsewhere at this moment is never touched.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from store.models import Job, Tree
from store.workspaces import branch_of
from tui_orch.workspace.git import Git, GitError


class Clone:
    """The clone at ``folder``, of ``remote``; None: there is no remote, and nothing is done."""

    is_shared = False

    def __init__(self, folder: Path, remote: str | None, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._remote = remote
        self._env = env
        self._branch: str | None = None
        self._all = ""

    def made(self, tree: Tree, job: Job) -> Tree:
        """Clone, with all branches of the tree; return the tree as it stands here. Raises OSError."""
        assert tree.repository is not None
        assert self._remote is not None, "the head's config.toml is checked when it is read"
        here = self.here(tree, job)
        try:
            if not (self._folder / ".git").exists():
                self._folder.parent.mkdir(parents=True, exist_ok=True)
                above = Git(self._folder.parent, env=self._env)
                above.run("clone", "--quiet", "--no-checkout", "--", self._remote, str(self._folder))
            self._git().run("fetch", "--quiet", "origin", self._all)
        except GitError as error:
            raise OSError(f"git_remote can not be used: {error}") from error
        return here

    def here(self, tree: Tree, job: Job) -> Tree:
        """Return the tree as it stands in the clone that an attempt has made."""
        assert tree.repository is not None
        self._branch = branch_of(tree, job.id)
        self._all = f"+refs/heads/{tree.branch_prefix}/*:refs/heads/{tree.branch_prefix}/*"
        within = Path(tree.work_dir).relative_to(tree.repository)
        return replace(tree, repository=str(self._folder), work_dir=str(self._folder / within))

    def bring_in(self) -> None:
        """Fetch what others have pushed for the tree since; the attempt's own branch is ahead of the remote's. Raises GitError."""
        if self._branch is not None:
            self._git().run("fetch", "--quiet", "origin", self._all, f"^refs/heads/{self._branch}")

    def publish(self) -> None:
        """Send the attempt's branch to the remote. Raises GitError."""
        if self._branch is None:
            return
        git = self._git()
        kept = git.run(
            "for-each-ref", "--format=%(refname)", f"refs/heads/{self._branch}", f"refs/heads/{self._branch}.*"
        )
        refs = [f"+{ref}:{ref}" for ref in kept.split()]
        if refs:
            git.run("push", "--quiet", "origin", *refs)

    def _git(self) -> Git:
        return Git(self._folder, env=self._env)
