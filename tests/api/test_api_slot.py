"""A worker's client lends its job's slot over HTTP and takes it back, however often a call gets lost."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from at_api import AtApi, problem

from tui_orch.api import slot


def say(client: httpx.Client, lend: bool, name: str = "a-wait") -> httpx.Response:
    return client.post("/slot", json={"name": name, "lend": lend})


def test_lending_twice_under_one_name_is_lending_once(api: AtApi) -> None:
    """An answer that got lost is asked for again."""
    root = api.tree()
    _, worker = api.worker(root)
    assert say(worker, True).json() == {"holding": False}
    assert say(worker, True).json() == {"holding": False}
    assert api.job(root).lending == 1
    say(worker, True, "another-wait")
    assert api.job(root).lending == 2


def test_a_slot_comes_back_when_it_is_granted(api: AtApi) -> None:
    """The call waits for it, and says when the client may go on."""
    root = api.tree()
    _, worker = api.worker(root)
    say(worker, True)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(say, worker, False)
        api.wait_for(lambda: api.job(root).wants_slot, "the wish")
        assert not answer.done()
        assert api.grant(root)
        assert answer.result(20).json() == {"holding": True}
    assert api.job(root).lending == 0
    assert say(worker, False).json() == {"holding": True}, "an answer that got lost is asked for again"


def test_while_others_wait_one_goes_on_without(api: AtApi) -> None:
    """The slot stays lent to the children that the other waits for."""
    root = api.tree()
    _, worker = api.worker(root)
    say(worker, True, "one")
    say(worker, True, "two")
    assert say(worker, False, "one").json() == {"holding": True}
    assert api.job(root).lending == 1


def test_a_long_wait_is_many_calls(api: AtApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while the answer is no, and the wish stays."""
    monkeypatch.setattr(slot, "PATIENCE_S", 0.05)
    root = api.tree()
    _, worker = api.worker(root)
    say(worker, True)
    assert say(worker, False).json() == {"holding": False}
    seq = api.job(root).seq
    assert say(worker, False).json() == {"holding": False}
    assert api.job(root).wants_slot
    assert api.job(root).seq <= seq + 1, "waiting does not write again and again"
    api.grant(root)
    assert say(worker, False).json() == {"holding": True}


def test_a_client_that_hangs_up_leaves_nothing_behind(api: AtApi) -> None:
    """Its next call gets the slot."""
    root = api.tree()
    _, worker = api.worker(root)
    say(worker, True)
    with pytest.raises(httpx.ReadTimeout):
        worker.post("/slot", json={"name": "a-wait", "lend": False}, timeout=0.2)
    assert api.job(root).wants_slot
    api.grant(root)
    assert say(worker, False).json() == {"holding": True}


def test_the_end_of_the_attempt_ends_the_wait(api: AtApi) -> None:
    """401: the worker must stop."""
    root = api.tree()
    fence, worker = api.worker(root)
    say(worker, True)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(say, worker, False)
        api.wait_for(lambda: api.job(root).wants_slot, "the wish")
        api.finish(fence)
        problem(answer.result(20), 401, "attempt_over")


def test_a_key_has_no_slot(api: AtApi) -> None:
    """Only a job's worker has."""
    problem(say(api.person, True), 403, "not_allowed")
    _, worker = api.worker(api.tree())
    for body in ({"name": "", "lend": True}, {"name": "a b", "lend": True}, {"name": "a", "lend": 1}, {"lend": True}):
        problem(worker.post("/slot", json=body), 422, "wrong_form")


def test_waiting_for_a_slot_keeps_nobody_else_waiting(api: AtApi) -> None:
    """More waits than the server has threads, and a call in between is answered."""
    waits = 45
    with api.store.write() as tx:
        tx.run("UPDATE settings SET max_workers_ceiling = 100")
    root = api.tree(max_children=waits, max_workers=100)
    fence, _ = api.worker(root)
    workers = [api.worker(child)[1] for child in api.spawn(fence, *(f"part {number}" for number in range(waits)))]
    for worker in workers:
        say(worker, True)
    started = [threading.Thread(target=say, args=(worker, False), daemon=True) for worker in workers]
    for thread in started:
        thread.start()
    api.wait_for(lambda: _wanting(api) == waits, "all wishes")
    assert api.person.get("/jobs", timeout=10).status_code == 200
    api.server.__exit__(None, None, None)
    for thread in started:
        thread.join(20)
    assert not any(thread.is_alive() for thread in started), "the end of the server ends the waits"


def _wanting(api: AtApi) -> int:
    with api.store.read() as reader:
        return int(reader.value("SELECT count(*) FROM jobs WHERE wants_slot = 1"))
