"""``orch merge``: what a tree changed comes into the branch that the person stands on, as a merge commit."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from store.database import Store
from store.errors import IllegalChange
from store.models import Job, Tree
from store.states import FINAL, Status
from store.tree import get_job, get_tree
from store.workspaces import get_workspace, note_merged_by_person
from tui_orch.cli import as_json, exits, params
from tui_orch.cli.place import Place
from tui_orch.client.text import one_line
from tui_orch.client.work_text import COMMIT_CHARS, changed

if TYPE_CHECKING:
    from tui_orch.workspace.checkout import Standing
    from tui_orch.workspace.of_branch import Span

_TITLE = 120
_FILES = 8


@click.command("merge")
@click.argument("root_id", type=params.job_id, metavar="ROOT")
@click.option("--here", is_flag=True, help="Also into another branch than the one on which the tree began.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(place: Place, root_id: int, here: bool, as_json_: bool) -> int:
    """Merge a tree's work into your branch.

    The branch of its root, with git merge --no-ff, into the branch that is checked out in the repository. Your hooks and
    signing hold. Nothing is changed where it can not be merged: the tree has not ended, you have uncommitted changes, or
    it conflicts.
    """
    from tui_orch.cli.in_git import told  # noqa: PLC0415 - the other commands need no git

    with place.open() as session, told():
        session.caller.require_person("a merge into a person's branch")
        done = _merge(session.store, root_id, here=here)
    if as_json_:
        print(as_json.text(done))
    elif done["already"]:
        print(f"tree #{root_id} is merged already: {done['into']} has {done['branch']}")
    else:
        numbers = changed(done["files"], done["insertions"], done["deletions"])
        print(f"tree #{root_id} is merged into {done['into']}: {done['commit'][:COMMIT_CHARS]}, {numbers}")
        if done["status"] != Status.COMPLETED:
            exits.tell(f"tree #{root_id} is {done['status']}: what failed is not in it; see: orch result {root_id}")
    return exits.COMPLETED


def _merge(store: Store, root_id: int, *, here: bool) -> dict[str, Any]:
    from tui_orch.workspace import changes, checkout  # noqa: PLC0415
    from tui_orch.workspace.git import How, Ways  # noqa: PLC0415
    from tui_orch.workspace.of_branch import span_of  # noqa: PLC0415
    from tui_orch.workspace.reach import branches, is_ancestor  # noqa: PLC0415

    with store.read() as reader:
        job = get_job(reader, root_id)
        tree, noted = get_tree(reader, job.root_id), get_workspace(reader, root_id)
    _check(job, tree)
    span = span_of(job, tree, noted)
    at = checkout.standing(span.repository)
    places = {at.branch or at.commit[:COMMIT_CHARS]: at.commit} | branches(span.repository, tree.base_branch or "HEAD")
    into = next((name for name, commit in places.items() if is_ancestor(span.repository, span.tip, commit)), None)
    if span.start == span.tip:
        raise IllegalChange(f"tree #{root_id} changed nothing; there is nothing to merge")
    found = changes.changes(span.repository, span.start, span.tip)
    commit = places[into] if into else at.commit
    if into is None:
        _check_place(at, span, tree, root_id, here=here)
        title = " ".join(job.title.split())[:_TITLE]
        how = How(ways=Ways(hooks=True, signing=True))
        try:
            commit = checkout.merge_here(span.repository, span.tip, f"Merge {span.branch}: {title}", how)
        except checkout.Conflicts as error:
            raise IllegalChange(_conflict(error.files, at, span)) from error
    with store.write() as tx:
        note_merged_by_person(tx, root_id, span.tip)
    return {
        "root_id": root_id,
        "status": job.status.value,
        "branch": span.branch,
        "into": into or at.branch,
        "commit": commit,
        "merged_commit": span.tip,
        "already": into is not None,
        "files": len(found.files),
        "insertions": found.insertions,
        "deletions": found.deletions,
    }


def _check(job: Job, tree: Tree) -> None:
    """Refuse what is no ended tree with worktrees. Raises IllegalChange."""
    root_id = job.root_id
    if job.id != root_id:
        raise IllegalChange(f"job #{job.id} is a part of tree #{root_id}; merge the tree: orch merge {root_id}")
    if not tree.has_worktrees:
        raise IllegalChange(f"tree #{root_id} has no worktrees; what its workers changed is in place already")
    if job.status not in FINAL:
        raise IllegalChange(
            f"tree #{root_id} is {job.status}; wait for it: orch wait {root_id}, or end it: orch cancel {root_id}"
        )


def _check_place(at: "Standing", span: "Span", tree: Tree, root_id: int, *, here: bool) -> None:
    """Refuse a checkout into which nothing is to be merged now. Raises IllegalChange."""
    where = f"git -C {_quoted(span.repository)}"
    back = tree.base_branch or "BRANCH"
    if at.under_way is not None:
        raise IllegalChange(
            f"a {at.under_way} is under way in {span.repository}; end it first: {where} status tells how"
        )
    if at.branch is None:
        raise IllegalChange(f"no branch is checked out in {span.repository}: {where} switch {back}")
    if at.branch != tree.base_branch and not here:
        began = f"on {tree.base_branch}" if tree.base_branch else "at a detached HEAD"
        raise IllegalChange(
            f"tree #{root_id} began {began} and you stand on {at.branch}: {where} switch {back}, or merge it into "
            f"{at.branch}: orch merge {root_id} --here"
        )
    if at.changed:
        raise IllegalChange(
            f"{len(at.changed)} uncommitted in {span.repository} ({_listed(at.changed)}): commit them first, or take "
            f"them back: {where} commit -a, {where} restore ."
        )


def _conflict(files: tuple[str, ...], at: "Standing", span: "Span") -> str:
    return (
        f"{span.branch} conflicts with {at.branch} in {_listed(files)}; nothing was changed. To resolve it by hand: "
        f"git -C {_quoted(span.repository)} merge --no-ff {span.branch}"
    )


def _listed(files: tuple[str, ...]) -> str:
    more = f" and {len(files) - _FILES} more" if len(files) > _FILES else ""
    return ", ".join(one_line(file) for file in files[:_FILES]) + more


def _quoted(path: Path) -> str:
    import shlex  # noqa: PLC0415

    return shlex.quote(str(path))
