"""``orch discard``: a tree's worktrees and branches go, merged or not; its rows, results and logs stay."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from store.errors import IllegalChange
from store.tree import get_job, get_tree
from tui_orch.cli import as_json, exits, params
from tui_orch.cli.exits import BadUse
from tui_orch.cli.place import Place, Session
from tui_orch.client.measures import now_ms
from tui_orch.client.text import one_line

if TYPE_CHECKING:
    from tui_orch.workspace.discard import Loss


@click.command("discard")
@click.argument("root_id", type=params.job_id, metavar="ROOT")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object; needs --yes.")
@click.pass_obj
def command(place: Place, root_id: int, yes: bool, as_json_: bool) -> int:
    """Throw a tree's work away.

    Removes all its worktrees and branches, after telling what is lost and asking. What you have merged stays in your
    branch, and the tree's results and logs in the store.
    """
    from tui_orch.cli.in_git import told  # noqa: PLC0415 - the other commands need no git
    from tui_orch.workspace import discard, tidy  # noqa: PLC0415

    with place.open() as session, told():
        session.caller.require_person("throwing away a tree's work")
        title = _check(session, root_id)
        found = tidy.held(session.store, root_id)
        discard.require_ended(found)
        lost = discard.loss(session.store, found)
        if not yes:
            _may(as_json_=as_json_)
            if not lost.is_nothing and not click.confirm(_question(root_id, title, lost)):
                exits.tell("nothing was removed")
                return exits.FAILED
        stayed = discard.discard(session.store, found, now_ms())
    if as_json_:
        print(as_json.text({"root_id": root_id, **asdict(lost), "stayed": stayed}))
    else:
        for each in stayed:
            exits.tell(f"stays: {each}")
        print(f"tree #{root_id}: {_told(lost)}" if not lost.is_nothing else f"tree #{root_id} has nothing to discard")
    return exits.FAILED if stayed else exits.COMPLETED


def _check(session: Session, root_id: int) -> str:
    with session.store.read() as reader:
        job = get_job(reader, root_id)
        tree = get_tree(reader, job.root_id)
    if job.id != job.root_id:
        raise IllegalChange(
            f"job #{root_id} is a part of tree #{job.root_id}; only a whole tree is discarded: orch discard {job.root_id}"
        )
    if not tree.has_worktrees:
        raise IllegalChange(
            f"tree #{root_id} has no worktrees; what its workers changed is in place, take it back by hand"
        )
    return job.title


def _may(*, as_json_: bool) -> None:
    """Refuse to go on where nobody can be asked. Raises BadUse."""
    if as_json_ or not sys.stdin.isatty():
        raise BadUse("this removes work for good and nobody can be asked here; say so with: --yes")


def _question(root_id: int, title: str, lost: "Loss") -> str:
    gone = f"{lost.commits} commits that are nowhere else" if lost.commits != 1 else "1 commit that is nowhere else"
    parts = [gone, f"{lost.files} changed files"]
    if lost.uncommitted:
        parts.append(f"{lost.uncommitted} uncommitted files")
    if lost.kept:
        parts.append(f"{lost.kept} earlier tries that were put aside")
    return (
        f"Discard the work of tree #{root_id} ({one_line(title)})? {len(lost.branches)} branches and {lost.worktrees} "
        f"worktrees go, with {', '.join(parts)}."
    )


def _told(lost: "Loss") -> str:
    return (
        f"{len(lost.branches)} branches and {lost.worktrees} worktrees are removed, with {lost.commits} commits that were "
        "nowhere else"
    )
