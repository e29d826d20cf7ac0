"""``orch submit``: hand in a request and go; and the handing in itself, which ``orch run`` shares."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from store.submit import submit_tree
from store.tree import get_job
from tui_orch.cli import as_json, exits
from tui_orch.cli.place import Place, Session
from tui_orch.cli.request_options import Asked, new_tree, request_options
from tui_orch.cli.supervised import SupervisorError, ensure
from tui_orch.client.measures import now_ms


@click.command("submit")
@request_options
@click.pass_obj
def command(
    place: Place, /, file: str | None, request: str | None, no_supervisor: bool, as_json_: bool, **options: Any
) -> int:
    """Hand in a request and go.

    Prints the id of its tree, which runs on.
    """
    return submit(place, Asked(file, request, options), no_supervisor=no_supervisor, json=as_json_)


def submit(place: Place, asked: Asked, *, no_supervisor: bool, json: bool) -> int:
    """Store the tree, start a supervisor unless told not to, and print the id."""
    with hand_in(place, asked, no_supervisor=no_supervisor) as (session, root_id):
        if json:
            with session.store.read() as reader:
                print(as_json.text(as_json.job(get_job(reader, root_id))))
        else:
            print(root_id)
    return exits.COMPLETED


@contextmanager
def hand_in(place: Place, asked: Asked, *, no_supervisor: bool) -> Iterator[tuple[Session, int]]:
    """Store the tree that is asked for, all of it or nothing, and see to its supervisor.

    Raises BadUse, RequestError, StoreError; and SupervisorError, the tree being stored then.
    """
    new = new_tree(asked, place.future_home())
    with place.make() as session:
        session.caller.require_person("a new tree", "add child jobs with: orch spawn")
        with session.store.write() as tx:
            root_id = submit_tree(tx, new, now_ms())
        if not no_supervisor:
            try:
                ensure(session.store.home)
            except SupervisorError as error:
                raise SupervisorError(f"tree #{root_id} is stored, but it does not run: {error}") from error
        yield session, root_id
