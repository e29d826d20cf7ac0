"""``orch demo``: the sample tree with the real Claude Code CLI and a scripted model; no account, no network.

The supervisor and the scripted model end with the command; the folder that the workers filled stays.
"""

import shutil
import signal
import sys
from pathlib import Path

import click

from store.control import cancel
from store.database import Store
from store.states import FINAL, Status
from store.submit import submit_tree
from store.tree import get_job, ledger
from tui_orch.cli import exits
from tui_orch.cli.exits import BadUse
from tui_orch.cli.place import Place
from tui_orch.cli.watch import on_terminal, open_app
from tui_orch.cli.watching import follow_to_end, print_result
from tui_orch.client.measures import now_ms
from tui_orch.client.poll import wait_for_change

#: After the tree's end the supervisor has nothing left to do; it goes by itself soon after.
_IDLE_S = 60.0


@click.command("demo")
@click.option("--into", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Where to build it.")
@click.option(
    "--pace",
    metavar="SECONDS",
    type=click.FloatRange(0, 60),
    default=0.4,
    show_default=True,
    help="How long the model thinks before each turn.",
)
@click.option("--headless", is_flag=True, help="Print the tree instead of opening the screen.")
def command(into: Path | None, pace: float, headless: bool) -> int:
    """Run a sample tree without an account.

    The real Claude Code works with a scripted model: no account, no network.

    Opens the screen on the growing tree; without a terminal, or with --headless, prints it. It leaves a small working
    program behind, and says where.
    """
    # Brings pydantic and a web server; every other command starts faster without.
    from tui_orch.demo.stage import Stage, free_folder, staged  # noqa: PLC0415
    from tui_orch.supervisor import daemon  # noqa: PLC0415

    # A closed terminal ends the demo in order too: without its model the tree could not go on.
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)

    def play(stage: Stage) -> int:
        with Store.open(stage.home, create=True) as store:
            with store.write() as tx:
                root_id = submit_tree(tx, stage.tree, now_ms())
            daemon.start_background(stage.home, exit_when_idle_s=_IDLE_S)
            try:
                if not headless and on_terminal():
                    open_app(Place(str(stage.home.root)))
                else:
                    follow_to_end(store, root_id)
            finally:
                _end(store, root_id)
                daemon.stop(stage.home)
            with store.read() as reader:
                root, entries = get_job(reader, root_id), ledger(reader, root_id)
        print_result(root, entries)
        if root.status is Status.COMPLETED:
            _tell_what_is_there(stage.folder)
        return exits.code_of([root.status])

    try:
        with staged((into or free_folder(Path.cwd())).absolute(), pace) as stage:
            print(f"Claude Code builds a small notes service in {stage.folder}; its model is a script.", flush=True)
            return play(stage)
    except FileExistsError as error:
        raise BadUse(str(error)) from error


def _end(store: Store, root_id: int) -> None:
    """Cancel what is still open when the demo is broken off: without its model it could not go on."""
    with store.write() as tx:
        if get_job(tx, root_id).status not in FINAL:
            cancel(tx, root_id, now_ms())
    # The supervisor must live until its workers have ended, or nobody would stop them.
    _wait_until_nothing_runs(store)


def _wait_until_nothing_runs(store: Store) -> None:
    while True:
        seen = store.data_version()
        with store.read() as reader:
            if not reader.value("SELECT count(*) FROM jobs WHERE status = 'running'"):
                return
        wait_for_change(store.data_version, seen, 1.0)


def _tell_what_is_there(folder: Path) -> None:
    print(f"\nThe program is in {folder}. Try it:")
    print(f"  cd {folder} && python3 check.py")
    print(f"  cd {folder} && python3 -m notes --port 8000 --db notes.db")
    orch = "orch" if shutil.which("orch") else sys.argv[0]  # `make demo` runs it from a folder that is not on the PATH
    print(f"Its tree stays in the store beside it: {orch} --home {folder / '.orch'} tree")
