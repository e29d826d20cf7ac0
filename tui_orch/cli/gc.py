"""``orch gc``: removes what trees that have ended left on disk: old output, and worktrees and branches that are merged."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from store.database import Store
from store.errors import StoreUnusable
from store.upkeep import Waste, forget_names, remove, waste
from store.workspaces import ended_trees
from tui_orch.cli import as_json, exits
from tui_orch.cli.params import days
from tui_orch.cli.place import Place
from tui_orch.client.measures import now_ms
from tui_orch.client.text import one_line

if TYPE_CHECKING:
    from tui_orch.workspace.tidy import Finding

_DAY_MS = 86_400_000
_MB = 1e6
#: Days that the output and transcripts of an ended tree stay.
_DAYS = 30.0


@dataclass(frozen=True, slots=True)
class _Found:
    """What of worktrees was removed or kept, and of which trees nothing could be seen."""

    branches: list["Finding"]
    unread: dict[int, str]


@click.command("gc")
@click.option(
    "--older-than",
    "older",
    type=days,
    metavar="DAYS",
    help="Only trees that ended before (default: 30 for output, 0 for worktrees).",
)
@click.option("--dry-run", is_flag=True, help="Tell what would be removed, and remove nothing.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(place: Place, older: float | None, dry_run: bool, as_json_: bool) -> int:
    """Free disk space.

    Removes the output and transcripts of trees that have ended long ago; their rows stay: titles, results, ledgers,
    costs and history. Removes the worktrees and branches of ended trees whose commits the branch above has (of a root's:
    a branch of yours), and tells what it keeps and why. A tree that has not ended is never touched.
    """
    before_ms = now_ms() - round((_DAYS if older is None else older) * _DAY_MS)
    with place.open() as session:
        session.caller.require_person("removing what is left of trees")
        store = session.store
        with store.read() as reader:
            found = list(waste(reader, store.home, before_ms))
        if not dry_run:
            found = [each for each in found if remove(store, each)]
            with store.write() as tx:
                forget_names(tx, before_ms)
        worktrees = _tidy(store, now_ms() if older is None else before_ms, dry_run=dry_run)
    if as_json_:
        print(as_json.text(_json(found, worktrees, dry_run=dry_run)))
    else:
        _tell(found, _DAYS if older is None else older, dry_run=dry_run)
        _tell_worktrees(worktrees, dry_run=dry_run)
    return exits.FAILED if worktrees.unread else exits.COMPLETED


def _tidy(store: Store, before_ms: int, *, dry_run: bool) -> _Found:
    with store.read() as reader:
        roots = ended_trees(reader, before_ms + 1)
    done = _Found([], {})
    if not roots:
        return done
    from tui_orch.workspace.git import GitError  # noqa: PLC0415 - only where there are worktrees
    from tui_orch.workspace.removal import clear  # noqa: PLC0415
    from tui_orch.workspace.tidy import has_left, tidy  # noqa: PLC0415

    for root_id in roots:
        if not has_left(store, root_id):
            continue
        try:
            done.branches.extend(tidy(store, root_id, now_ms(), dry_run=dry_run))
        except GitError as error:
            done.unread[root_id] = str(error)
    if not dry_run:
        try:
            clear(store.home)
        except OSError as error:
            raise StoreUnusable(f"{error.filename} can not be removed: {error.strerror}") from error
    return done


def _json(found: list[Waste], worktrees: _Found, *, dry_run: bool) -> dict[str, Any]:
    trees = [{"root_id": each.root_id, "jobs": len(each.folders), "bytes": each.size_bytes} for each in found]
    return {
        "removed": not dry_run,
        "trees": trees,
        "bytes": sum(each.size_bytes for each in found),
        "branches": [asdict(each) for each in worktrees.branches],
        "unread": [{"root_id": root_id, "why": why} for root_id, why in worktrees.unread.items()],
    }


def _tell(found: list[Waste], older: float, *, dry_run: bool) -> None:
    for each in found:
        print(f"#{each.root_id}: {len(each.folders)} jobs, {each.size_bytes / _MB:.1f} MB")
    verb = "would be freed" if dry_run else "freed"
    total = sum(each.size_bytes for each in found) / _MB
    print(
        f"{total:.1f} MB of {len(found)} trees {verb}" if found else f"no tree that ended {older:g} days ago has files"
    )


def _tell_worktrees(found: _Found, *, dry_run: bool) -> None:
    for root_id, of_tree in groupby(found.branches, lambda each: each.root_id):
        for line in _tree_lines(root_id, list(of_tree), dry_run=dry_run):
            print(line)
    for root_id, why in found.unread.items():
        exits.tell(f"tree #{root_id}: {why}")


def _tree_lines(root_id: int, found: list["Finding"], *, dry_run: bool) -> Iterator[str]:
    gone = [each for each in found if each.kept_because is None]
    if gone:
        verb = "would be removed" if dry_run else "removed"
        size = sum(each.size_bytes for each in gone) / _MB
        yield f"#{root_id}: {len(gone)} merged branches {verb}, {size:.1f} MB of worktrees"
    for each in found:
        if each.kept_because is not None:
            yield f"#{root_id} keeps {each.branch}: {one_line(each.kept_because)}"
