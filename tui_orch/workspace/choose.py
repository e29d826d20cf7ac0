"""Where the work of a new tree goes: a git worktree for each job, or one folder for all; chosen before anything is stored.

Looks at the repository and says what follows from it; makes nothing. Slow (git runs): never within a transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from store import models
from store.models import NewTree, Tree
from store.settings import Settings
from tui_orch.request.errors import RequestError
from tui_orch.workspace.ground import Ground, Unfit, look


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a store says of it where the request says nothing; as here before there is a store."""

    workspace: str = "auto"
    setup: str = ""
    git_hooks: str = "off"
    git_signing: str = "off"


@dataclass(frozen=True, slots=True)
class Choice:
    """``new`` is to be stored; ``notes`` tells, once it is, what a person should know of it."""

    new: NewTree
    why_shared: str = ""
    uncommitted: int = 0
    wishes: Wishes = Wishes()

    def notes(self, tree: Tree) -> list[str]:
        """Return a line for each thing to know of ``tree``, the stored one."""
        if not tree.has_worktrees:
            return [self.why_shared] if self.why_shared else []
        found = [_where(tree)]
        if self.uncommitted:
            found.append(_unseen(self.uncommitted, tree))
        found.append(_customs(self.wishes))
        return found


def wishes_of(settings: Settings) -> Wishes:
    """Return what these settings say."""
    return Wishes(settings.workspace, settings.workspace_setup, settings.git_hooks, settings.git_signing)


def choose(new: NewTree, settings: Settings | None, env: Mapping[str, str] | None = None) -> Choice:
    """Return the tree with its ground, as it asks for or as the store's ``settings`` say (None: there is no store yet).

    Raises RequestError, one line with the way out, where worktrees are asked for and can not be.
    """
    wishes = Wishes() if settings is None else wishes_of(settings)
    wanted = new.workspace or wishes.workspace
    if wanted == "shared":
        return Choice(new)
    try:
        found = look(Path(new.work_dir), env)
    except Unfit as error:
        if wanted == "worktree":
            raise RequestError(f"workspace worktree is not possible: {error}") from error
        return Choice(new, "" if error.outside else f"all workers share {new.work_dir}: {error}")
    setup = new.workspace_setup or wishes.setup or None
    return Choice(replace(new, ground=_ground(found, setup)), uncommitted=found.uncommitted, wishes=wishes)


def _ground(found: Ground, setup: str | None) -> models.Ground:
    return models.Ground(str(found.repository), found.base_commit, found.base_branch, found.taken, setup)


def _where(tree: Tree) -> str:
    into = tree.base_branch or "your branch"
    root = tree.root_id
    return (
        f"each job works in a git worktree of its own, on branches {tree.branch_prefix}/...; {into} changes only by "
        f"your word: orch diff|merge|discard {root}"
    )


def _unseen(uncommitted: int, tree: Tree) -> str:
    changes = f"{uncommitted} uncommitted changes" if uncommitted > 1 else "1 uncommitted change"
    return (
        f"workers do not see {changes} in {tree.repository}; to have them seen, commit first, or use --workspace shared"
    )


def _customs(wishes: Wishes) -> str:
    return (
        f"for workers' commits and merges the repository's hooks are {wishes.git_hooks} and signing is "
        f"{wishes.git_signing}; change that with: orch settings git_hooks|git_signing on|off"
    )
