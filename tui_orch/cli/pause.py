"""``orch pause`` and ``orch resume``: start nothing new in a tree or in the whole store, and go on again."""

import click

from store.control import pause as pause_in_store
from store.control import resume as resume_in_store
from store.control import root_of
from tui_orch.cli import exits, params
from tui_orch.cli.place import Place
from tui_orch.client.measures import now_ms


@click.command("pause")
@click.argument("job_id", required=False, type=params.job_id, metavar="[ID]")
@click.pass_obj
def pause(place: Place, job_id: int | None) -> int:
    """Start nothing new for now.

    In the tree of job ID, or without ID in the whole store; what runs goes on.
    """
    with place.open() as session:
        session.caller.require_person("a pause")
        with session.store.write() as tx:
            root_id = None if job_id is None else root_of(tx, job_id)
            done = pause_in_store(tx, root_id, now_ms())
    print(f"{_what(root_id)} {'is paused' if done else 'was paused already'}")
    return exits.COMPLETED


@click.command("resume")
@click.argument("job_id", required=False, type=params.job_id, metavar="[ID]")
@click.pass_obj
def resume(place: Place, job_id: int | None) -> int:
    """Go on after a pause.

    In the tree of job ID, or without ID in the whole store, where it takes back a brake (usage limit) too.
    """
    with place.open() as session:
        session.caller.require_person("going on after a pause")
        with session.store.write() as tx:
            root_id = None if job_id is None else root_of(tx, job_id)
            done = resume_in_store(tx, root_id)
    print(f"{_what(root_id)} {'goes on' if done else 'was not paused'}")
    return exits.COMPLETED


def _what(root_id: int | None) -> str:
    return "the whole store" if root_id is None else f"tree #{root_id}"
