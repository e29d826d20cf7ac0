"""The parts of the app over a remote store, each by itself: what a new request is sent as, and a log that comes in pieces."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from store.models import NewTree
from store.settings import get_settings
from store.states import Kind
from store.submit import submit_tree
from store.tree import children, get_job, get_tree
from tests.api.at_api import AtApi, at_api
from tui_orch.client.api_place import Place
from tui_orch.tui.detail.log_tail import LogTail
from tui_orch.tui.dialogs.request_draft import Draft, read
from tui_orch.tui.remote import log
from tui_orch.tui.remote.control import RemoteControl
from tui_orch.tui.remote.log import RemoteLog

TEXTS = (
    "build it",
    "all of it\n\n1. one\n2. two",
    "---\nkind: command\nmax_attempts: 2\ntitle: mine\n---\n1. echo one\n2. `echo two`",
    "---\nkind: command\n---\necho hello",
    "---\nkind: group\nmodel: opus\nbudget_usd: 3.5\ntimeouts: [60, 30]\npriority: 7\nneeds: {cpus: 2}\n---\n- [ ] a\n- [ ] b",
    "---\nsplit: none\nmax_depth: 0\npermission_mode: plan\nallowed_tools: [Read]\npark_after_s: 0\n---\n1. one\n2. two",
    "---\nsetting_sources: []\nmax_workers: 3\nmax_jobs: 9\nmax_children: 4\ntimeout: 12.5\n---\n# A heading\ntext",
)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[AtApi]:
    with at_api(tmp_path) as found:
        yield found


def made(api: AtApi, root_id: int) -> list[Any]:
    """Return what a new tree is made of, but for its ids and times."""
    with api.store.read() as reader:
        jobs = [get_job(reader, root_id), *children(reader, root_id)]
        tree = replace(get_tree(reader, root_id), root_id=0, work_dir="")
    told = ("kind", "title", "request", "argv", "model", "priority", "timeout_s", "batch", "depth")
    return [tree, *([getattr(job, name) for name in told] for job in jobs)]


@pytest.mark.parametrize("text", TEXTS)
def test_a_request_becomes_the_same_tree_from_afar(api: AtApi, text: str) -> None:
    with api.store.read() as reader:
        settings = get_settings(reader)
    new = read(Draft(text), settings, Path()).new
    assert isinstance(new, NewTree)
    control = RemoteControl(Place(api.url, {}), api.key, lambda _, __: True)
    with api.store.write() as tx:
        here = submit_tree(tx, new, 1)
    assert made(api, control.submit(new).root_id) == made(api, here)


def test_a_log_comes_whole_and_goes_on(api: AtApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte, in pieces; one that is not there yet is no log."""
    monkeypatch.setattr(log, "AGAIN_S", 0.0)
    monkeypatch.setattr(log, "AHEAD_BYTES", 5)
    job = api.tree()
    api.start(job)
    tail = LogTail(RemoteLog(Place(api.url, {}), api.key, job, 1, Kind.COMMAND), 1_000, 1_000)
    assert tail.step().size is None
    folder = api.store.home.attempt_dir(job, 1)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "output").open("wb") as output:
        found: list[str] = []
        for piece in (b"caf\xc3", b"\xa9 one\ntwo\nth", b"ree\n\xff four\n"):
            output.write(piece)
            output.flush()
            while True:
                step = tail.step()
                found += [line.text for line in step.lines]
                if not step.more:
                    break
        assert found == ["caf\u00e9 one", "two", "three", "\ufffd four"]
    tail.close()


def test_a_server_that_is_away_is_no_news(api: AtApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "AGAIN_S", 0.0)
    gone = RemoteLog(Place("http://127.0.0.1:9", {}), api.key, 1, 1, Kind.COMMAND)
    assert gone.size() is None
    assert gone.read(0, 100) == b""
    gone.close()


def test_a_log_that_is_refused_is_trouble(api: AtApi) -> None:
    """There is no such attempt."""
    found = RemoteLog(Place(api.url, {}), api.key, api.tree(), 3, Kind.COMMAND)
    with pytest.raises(OSError, match="attempts"):
        found.size()
    found.close()


def test_a_log_that_is_closed_finds_nothing(api: AtApi) -> None:
    found = RemoteLog(Place(api.url, {}), api.key, api.tree(), 1, Kind.COMMAND)
    found.close()
    assert found.read(0, 10) == b""
