"""The app over a store elsewhere, through a real `orch serve` with real workers: it shows and steers what is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_stage import gone, seen, to
from detail_stores import until
from dialog_stage import enter_text, text
from remote_stage import app_over, calm, copy_is_the_store, shows, watched

from store import asks
from store.models import NewJob, NewTree
from store.rules import rules_in_force
from store.states import Kind, Status
from store.tree import get_tree, store_state
from tests.conftest import _served
from tests.served import Served

LONG = "for i in $(seq 600); do echo line $i; sleep 0.1; done"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with _served(tmp_path_factory.mktemp("serving")) as store:
        store.serve()
        yield store


def first_child(served: Served, root_id: int) -> int:
    return served.below(root_id)[0].id


async def test_rows_appear_as_the_tree_grows(serving: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """And in the end the copy holds what the store holds."""
    async with watched(serving, monkeypatch) as (app, _):
        script = serving.script(
            "grow", "SyncRecursiveOrchestratorClient().submit('echo one', kind='command', title='a leaf')"
        )
        root_id = serving.submit_tree(
            NewTree(NewJob(script, Kind.COMMAND, title="the growing one"), work_dir=str(serving.project))
        )
        await seen(app, "the growing one", "a leaf")
        await shows(app, root_id, Status.COMPLETED)
        await until(lambda: copy_is_the_store(app, serving), "the copy is not the store")
        assert serving.project.name not in text(app).splitlines()[0]
        assert serving.url.removeprefix("http://") in text(app).splitlines()[0]


async def test_the_detail_of_a_job(serving: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its output follows the worker; every tab has something to say."""
    root_id = serving.group(LONG)
    job_id = first_child(serving, root_id)
    async with watched(serving, monkeypatch) as (app, pilot):
        await shows(app, job_id, Status.RUNNING)
        await to(app, pilot, job_id)
        await pilot.press("enter")
        await seen(app, "line 1", "line 12")
        for key, words in (
            ("2", "parent"),
            ("3", "No result yet"),
            ("4", "attempt 1"),
            ("5", "max_depth"),
            ("6", "queued"),
        ):
            await pilot.press(key)
            await seen(app, words)
        await pilot.press("escape", "t")
        await seen(app, "at work")
        await pilot.press("escape", "o")
        await seen(app, "can not be paged")
    serving.orch("cancel", str(root_id))


async def test_cancel_and_retry(serving: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    root_id = serving.group(LONG, "exit 3", max_attempts=1)
    job_id = first_child(serving, root_id)
    async with watched(serving, monkeypatch) as (app, pilot):
        await shows(app, job_id, Status.RUNNING)
        await to(app, pilot, job_id)
        await pilot.press("c")
        await seen(app, f"Cancel #{job_id}?")
        await pilot.press("y")
        await shows(app, job_id, Status.CANCELLED)
        await shows(app, root_id, Status.FAILED)
        assert serving.job(job_id).status is Status.CANCELLED
        await to(app, pilot, root_id)
        await pilot.press("R")
        await seen(app, "queued again")
        await shows(app, job_id, Status.RUNNING)
        await to(app, pilot, job_id)
        await pilot.press("r")
        await seen(app, "only what failed, was cancelled or is partial")
    serving.orch("cancel", str(root_id))


async def test_pause_and_limits(serving: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    root_id = serving.group(LONG)
    async with watched(serving, monkeypatch) as (app, pilot):
        await shows(app, root_id, Status.WAITING)
        await to(app, pilot, root_id)
        await pilot.press("p")
        await seen(app, f"tree #{root_id} starts nothing new")
        with serving.store.read() as reader:
            assert get_tree(reader, root_id).paused_ms is not None
        await seen(app, "p go on")
        await pilot.press("l")
        await seen(app, "Limits of tree")
        await pilot.press("tab", "7", "7", "enter")
        await seen(app, "heeded at once")
        with serving.store.read() as reader:
            assert 77 in (get_tree(reader, root_id).max_depth, get_tree(reader, root_id).max_jobs)
        await pilot.press("p")
        await seen(app, f"tree #{root_id} goes on")
        await pilot.press("P")
        await seen(app, "paused for")
        await pilot.press("P")
        await gone(app, "paused for")
        with serving.store.read() as reader:
            assert store_state(reader).paused_ms is None
    serving.orch("cancel", str(root_id))


async def test_an_ask_is_answered_for_good(serving: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    root_id = serving.group(LONG)
    job_id = first_child(serving, root_id)
    async with watched(serving, monkeypatch) as (app, pilot):
        await shows(app, job_id, Status.RUNNING)
        fence = serving.job(job_id).fence
        with serving.store.write() as tx:
            ask_id = asks.ask(
                tx,
                fence,
                kind="permission",
                tool="Bash",
                input={"command": "git log"},
                question="run it?",
                suggestions=("Bash(git log:*)",),
                now_ms=1,
            )
        await seen(app, "1 ask")
        await pilot.press("a")
        await seen(app, "Inbox", "git log")
        await pilot.press("s")
        await seen(app, "has its answer")
        with serving.store.read() as reader:
            assert asks.get_ask(reader, ask_id).answer == "allow"
            assert [rule.rule for rule in rules_in_force(reader, root_id)]
        await seen(app, "Nothing waits for an answer")
        await pilot.press("escape")
    serving.orch("cancel", str(root_id))


async def test_a_new_request(serving: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list becomes a group; its workers run where the server is. What is refused comes back to the editor."""
    async with watched(serving, monkeypatch) as (app, pilot):
        await pilot.press("n")
        await seen(app, "New request")
        await enter_text(pilot, "---\nkind: command\nmax_attempts: 1\n---\nmine\n\n1. pwd\n2. echo two")
        await seen(app, "a group of 2 commands")
        await pilot.press("ctrl+s")
        await seen(app, "is handed in")
        root = app.pane.cursor_job
        assert root is not None
        assert root.title == "mine"
        done = serving.until_ended(root.id)
        assert (done.kind, done.status) == (Kind.GROUP, Status.COMPLETED)
        first = serving.below(root.id)[0]
        assert (first.result or "").strip() == str(serving.project)
        await shows(app, root.id, Status.COMPLETED)
        await pilot.press("n")
        await enter_text(pilot, "---\nkind: command\nwork_dir: nowhere\n---\necho x")
        await pilot.press("ctrl+s")
        await seen(app, "is no folder", "New request")
        await pilot.press("escape")


async def test_filter_and_jump(serving: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    root_id = serving.submit("exit 7", max_attempts=1)
    serving.until_ended(root_id)
    async with watched(serving, monkeypatch) as (app, pilot):
        await shows(app, root_id, Status.FAILED)
        await to(app, pilot, max(row.id for row in app.access.source.older(None, 1)))
        await pilot.press("J")
        await until(lambda: app.pane.cursor_job is not None and app.pane.cursor_job.status is not Status.COMPLETED)
        await pilot.press("slash")
        await enter_text(pilot, f"#{root_id}")
        await seen(app, "1 of ")


async def test_a_wrong_key_is_told(serving: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async with watched(serving, monkeypatch, key="orch_wrong") as (app, pilot):
        await seen(app, "can not be read", "key", "Nothing is read yet")
        await pilot.press("n")
        assert app.is_running


async def test_a_server_that_is_killed_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kill -9; what has happened meanwhile is there, and the output that was open goes on."""
    with _served(tmp_path) as served:
        process = served.serve()
        port = int(served.url.rsplit(":", 1)[1])
        root_id = served.group(LONG)
        job_id = first_child(served, root_id)
        async with watched(served, monkeypatch) as (app, pilot):
            await shows(app, job_id, Status.RUNNING)
            await to(app, pilot, job_id)
            await pilot.press("enter")
            await seen(app, "line 3")
            served.kill(process)
            await seen(app, "can not be read: nothing answers at")
            await pilot.press("p")
            await seen(app, "look whether it was done")
            other = served.submit("echo meanwhile")
            served.serve(port)
            await gone(app, "can not be read")
            await seen(app, "following")
            before = app.detail.query_one("#detail-output").virtual_size.height
            await until(lambda: app.detail.query_one("#detail-output").virtual_size.height > before)
            await shows(app, other, Status.COMPLETED)
            await until(lambda: copy_is_the_store(app, served), "the copy is not the store")


async def test_a_server_that_comes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calm(monkeypatch)
    with _served(tmp_path) as served:
        process = served.serve()
        port = int(served.url.rsplit(":", 1)[1])
        served.kill(process)
        app = app_over(served.url, served.key)
        async with app.run_test() as pilot:
            await seen(app, "nothing answers at", "Nothing is read yet")
            served.submit("echo hello")
            served.serve(port)
            await gone(app, "can not be read")
            await seen(app, "echo hello")
            await pilot.press("q")


async def test_another_store_at_the_same_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, read, and shown in place of the old one."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    with _served(tmp_path / "old") as old, _served(tmp_path / "new") as new:
        process = old.serve()
        for number in range(5):
            old.submit(f"echo old {number}")
        port = int(old.url.rsplit(":", 1)[1])
        async with watched(old, monkeypatch) as (app, _):
            await seen(app, "echo old 4")
            old.kill(process)
            with old.store.read() as reader, new.store.write() as tx:
                ((name, sha256),) = reader.rows("SELECT name, sha256 FROM keys")
                tx.run("INSERT INTO keys(id, name, sha256, created_ms) VALUES (10, ?, ?, 1)", (name, sha256))
            new.submit("echo new")
            new.serve(port)
            await seen(app, "echo new")
            await gone(app, "echo old")
            await gone(app, "can not be read")
            await until(lambda: copy_is_the_store(app, new), "the copy is not the store")
