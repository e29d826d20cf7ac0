"""``orch submit``: hand in a request and go; and the handing in itself, which ``orch run`` shares."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from store.submit import submit_tree
from store.tree import get_job, get_tree
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
    with hand_in(place, asked, no_supervisor=no_supervisor) as handed:
        if json:
            with handed.session.store.read() as reader:
                print(as_json.text(as_json.job(get_job(reader, handed.root_id)) | {"notes": handed.notes}))
        else:
            handed.tell()
            print(handed.root_id)
    return exits.COMPLETED


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A tree that is stored, and what a person should know of it."""

    session: Session
    root_id: int
    notes: list[str]

    def tell(self) -> None:
        """Say the notes on stderr."""
        for note in self.notes:
            exits.tell(note)


@contextmanager
def hand_in(place: Place, asked: Asked, *, no_supervisor: bool) -> Iterator[HandedIn]:
    """Store the tree that is asked for, all of it or nothing, and see to its supervisor.

    Raises BadUse, RequestError, StoreError; and SupervisorError, the tree being stored then.
    """
    chosen = new_tree(asked, place.future_home())
    with place.make() as session:
        session.caller.require_person("a new tree", "add child jobs with: orch spawn")
        with session.store.write() as tx:
            root_id = submit_tree(tx, chosen.new, now_ms())
            notes = chosen.notes(get_tree(tx, root_id))
        if not no_supervisor:
            try:
                ensure(session.store.home)
            except SupervisorError as error:
                raise SupervisorError(f"tree #{root_id} is stored, but it does not run: {error}") from error
        yield HandedIn(session, root_id, notes)
