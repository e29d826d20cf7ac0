"""``orch diff``: what a job has changed on its branch, with all that was merged into it."""

import sys
from typing import TYPE_CHECKING, Any

import click

from store.errors import IllegalChange
from store.tree import get_job, get_tree
from store.workspaces import get_workspace
from tui_orch.cli import as_json, exits, params, terminal
from tui_orch.cli.diff_text import diff_lines, stat_lines
from tui_orch.cli.paging import show
from tui_orch.cli.place import Place, Session

if TYPE_CHECKING:
    from tui_orch.workspace.of_branch import Span


@click.command("diff")
@click.argument("job_id", type=params.job_id, metavar="ID")
@click.option("--stat", is_flag=True, help="A line for each file instead of the change itself.")
@click.option("--raw", is_flag=True, help="As git has it, control characters and all: fit for git apply.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object: files, commits, numbers of lines.")
@click.pass_obj
def command(place: Place, job_id: int, stat: bool, raw: bool, as_json_: bool) -> int:
    """Show what a tree changed.

    The change from where its root's branch began to where it stands; of another job, that of its own branch.

    On a terminal through $PAGER (less).
    """
    from tui_orch.cli.in_git import told  # noqa: PLC0415 - the other commands need no git
    from tui_orch.workspace import changes  # noqa: PLC0415

    with place.open() as session, told():
        span = _span(session, job_id)
        repository, start, tip = span.repository, span.start, span.tip
        if as_json_:
            print(as_json.text(_json(span, changes.changes(repository, start, tip))))
        elif raw:
            text = changes.patch(repository, start, tip, whole=True)
            sys.stdout.flush()
            sys.stdout.buffer.write(f"{text}\n".encode("utf-8", "surrogateescape") if text else b"")
        else:
            colour = terminal.has_colour(sys.stdout)
            if stat:
                said = changes.stat(repository, start, tip, terminal.width(sys.stdout))
                lines = stat_lines(said, colour=colour)
            else:
                lines = diff_lines(changes.patch(repository, start, tip), colour=colour)
            if lines:
                show(lines)
            else:
                exits.tell(f"job #{job_id} has changed nothing on {span.branch}")
    return exits.COMPLETED


def _span(session: Session, job_id: int) -> "Span":
    from tui_orch.workspace.of_branch import span_of  # noqa: PLC0415

    with session.store.read() as reader:
        session.caller.require_person("a look at branches", "look at your own worktree with: git log, git diff")
        job = get_job(reader, job_id)
        tree, noted = get_tree(reader, job.root_id), get_workspace(reader, job_id)
    if not tree.has_worktrees:
        raise IllegalChange(
            f"tree #{tree.root_id} has no worktrees; its workers share {tree.work_dir or 'the project'}: git diff there"
        )
    return span_of(job, tree, noted)


def _json(span: "Span", found: Any) -> dict[str, Any]:
    return {
        "job_id": span.job_id,
        "root_id": span.root_id,
        "branch": span.branch,
        "start_commit": span.start,
        "commit": span.tip,
        "files": [
            {"path": file.path, "was": file.was, "insertions": file.insertions, "deletions": file.deletions}
            for file in found.files
        ],
        "insertions": found.insertions,
        "deletions": found.deletions,
        "commits": [{"commit": each.commit, "subject": each.subject} for each in found.commits],
    }
