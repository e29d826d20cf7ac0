"""``orch run``: hand in a request, see its tree grow, get its result."""

from typing import Any

import click

from store.database import Store
from store.workspaces import get_workspace
from tui_orch.cli import exits
from tui_orch.cli.place import Place
from tui_orch.cli.request_options import Asked, request_options
from tui_orch.cli.submit import hand_in, submit
from tui_orch.cli.supervised import Supervised
from tui_orch.cli.watching import watch


@click.command("run")
@request_options
@click.option("--detach", is_flag=True, help="Do not wait: print the tree's id and go, as orch submit does.")
@click.pass_obj
def command(
    place: Place,
    /,
    file: str | None,
    request: str | None,
    no_supervisor: bool,
    as_json_: bool,
    detach: bool,
    **options: Any,
) -> int:
    """Run a request and print its result.

    Shows the tree of jobs as it grows.

    FILE is Markdown, with limits in YAML front matter if you like, or JSON: {"request": ..., "config": {...}}.

    Exit code: 0 completed, 3 partial, 1 failed or cancelled, 2 bad input.
    """
    asked = Asked(file, request, options)
    if detach:
        return submit(place, asked, no_supervisor=no_supervisor, json=as_json_)
    with hand_in(place, asked, no_supervisor=no_supervisor) as handed:
        store, root_id = handed.session.store, handed.root_id
        if not as_json_:
            handed.tell()
        try:
            keep_up = (lambda: None) if no_supervisor else Supervised(store.home)
            root = watch(store, root_id, json=as_json_, each_time=keep_up, notes=handed.notes)
        except KeyboardInterrupt:
            exits.tell(
                f"tree #{root_id} goes on; stop it with: orch cancel {root_id}; wait for it: orch wait {root_id}"
            )
            return exits.INTERRUPTED
        if not as_json_:
            _tell_where(store, root_id)
        return exits.code_of([root.status])


def _tell_where(store: Store, root_id: int) -> None:
    with store.read() as reader:
        found = get_workspace(reader, root_id)
    if found is not None and found.has_work:
        exits.tell(f"its work is on branch {found.branch}: orch diff {root_id}, orch merge {root_id}")
