"""What a client does when the server goes, comes back elsewhere, or its answers get lost; and the slot that it lends."""

import os
import signal
import threading
from contextlib import aclosing

import pytest
from lossy import lossy_wire

from store.states import Status
from store.tree import get_job
from tests.served import Served
from tui_orch.recursive_helper import OrchestratorUnavailable


def test_a_lost_answer_to_a_submission_makes_no_second_tree(serving: Served) -> None:
    """The call is made again under the same name."""
    with lossy_wire(serving.url) as wire:
        client = serving.client(api_url=wire.url)
        before = count(serving)
        wire.lose_the_answer_to("POST /api/v1/orchestrate")
        job_id = int(client.submit("echo once", kind="command")["job_id"])
        assert wire.lost.is_set()
        assert [call.partition("?")[0] for call in wire.calls] == ["POST /api/v1/orchestrate"] * 2
    assert count(serving) == before + 1
    assert serving.until_ended(job_id).result == "once\n"


async def test_the_asynchronous_client_survives_the_same_loss(serving: Served) -> None:
    with lossy_wire(serving.url) as wire:
        before = count(serving)
        wire.lose_the_answer_to("POST /api/v1/orchestrate")
        done = await serving.async_client(api_url=wire.url).orchestrate_subtasks("echo once", kind="command")
        assert (done["result"], wire.lost.is_set()) == ("once\n", True)
    assert count(serving) == before + 1


def test_waiting_asks_for_nothing_while_nothing_happens(serving: Served) -> None:
    """One stream; the job is looked at when it begins to wait, when the stream does, and when it has ended."""
    with lossy_wire(serving.url) as wire:
        gate = serving.project / "gate"
        client = serving.client(api_url=wire.url)
        job_id = client.submit(f"while ! test -e {gate}; do sleep 0.1; done; echo passed", kind="command")["job_id"]
        serving.until(lambda reader: get_job(reader, int(job_id)).status is Status.RUNNING, "the start")
        later = threading.Timer(1.5, gate.touch)
        later.start()
        assert client.wait(job_id)["result"] == "passed\n"
        later.join()
        said = [call.removeprefix("GET /api/v1").partition("?")[0] for call in wire.calls]
    assert said == [
        "POST /api/v1/orchestrate",
        "POST /api/v1/slot",
        f"/jobs/{job_id}/status",
        "/events",
        f"/jobs/{job_id}/status",
        f"/jobs/{job_id}/status",
        f"/jobs/{job_id}/results",
    ]


def test_a_worker_goes_on_waiting_when_the_server_is_killed_and_comes_back_elsewhere(served: Served) -> None:
    """kill -9, and another port: the store's note tells where; what ended meanwhile is not missed."""
    process = served.serve()
    script = served.script(
        "waits",
        """
        done = SyncRecursiveOrchestratorClient().orchestrate_subtasks(
            "1. touch begun; while ! test -e gate; do sleep 0.1; done; echo passed\\n2. echo two", kind="command"
        )
        print(json.dumps([part["result"] for part in done["results"]]))
        """,
    )
    root = served.submit(script)
    served.wait_for((served.project / "begun").exists, "the first child")
    first = served.url
    served.kill(process)
    (served.project / "gate").touch()
    served.serve()
    assert served.url != first
    assert served.result(root) == ["passed\n", "two\n"]
    assert [(job.depth, job.attempt) for job in served.jobs(root)] == [(0, 1), (1, 1), (1, 1)]


def test_whoever_loses_patience_is_told_how_to_come_back(served: Served) -> None:
    """The subtasks are handed in and go on without the caller."""
    process = served.serve()
    client = served.client(patience_s=0.3)
    threading.Thread(
        target=lambda: (served.wait_for((served.project / "begun").exists, "it"), served.kill(process))
    ).start()
    with pytest.raises(OrchestratorUnavailable) as gone:
        client.orchestrate_subtasks(
            "touch begun; while ! test -e gate; do sleep 0.1; done; echo passed", kind="command"
        )
    assert gone.value.__notes__ == ["the subtasks go on as 1: wait('1') takes them up again"]
    (served.project / "gate").touch()
    served.serve()
    assert served.client().wait("1")["result"] == "passed\n"


async def test_events_go_on_over_a_restart_without_a_gap_or_a_repetition(served: Served) -> None:
    """The port is the same, as for a person who has given it; each number comes once, and rises."""
    process = served.serve()
    client = served.async_client(api_url=served.url)
    port = int(served.url.rpartition(":")[2])
    job_id = (await client.submit("1. echo a\n2. while ! test -e gate; do sleep 0.1; done", kind="command"))["job_id"]
    seen = []
    async with aclosing(client.events(since=0, job_id=job_id)) as events:
        async for event in events:
            seen.append((event["seq"], event["job_id"], event["status"]))
            if event["status"] == "completed" and event["job_id"] != job_id and process.poll() is None:
                served.kill(process)
                (served.project / "gate").touch()
                served.serve(port)
            if (event["job_id"], event["status"]) == (job_id, "completed"):
                break
    seqs = [seq for seq, _, _ in seen]
    assert seqs == sorted(set(seqs))
    assert {job for _, job, status in seen if status == "completed"} == {
        job_id,
        *(str(job.id) for job in served.below(int(job_id))),
    }


def test_a_worker_lends_its_slot_and_a_tree_with_one_worker_finishes(served: Served) -> None:
    """Three levels, each waiting in the client; never two at work at once; all slots are had again in the end."""
    served.serve()
    served.set("slots", 1)
    leaf = served.script("leaf", "print(json.dumps('leaf'))")
    second = served.script(
        "second",
        f"""
        done = SyncRecursiveOrchestratorClient().orchestrate_subtasks({leaf!r}, kind="command")
        print(json.dumps(["second", *(json.loads(part["result"]) for part in done["results"])]))
        """,
    )
    first = served.script(
        "first",
        f"""
        done = SyncRecursiveOrchestratorClient().orchestrate_subtasks({second!r}, kind="command")
        print(json.dumps(["first", *(json.loads(part["result"]) for part in done["results"])]))
        """,
    )
    root = served.submit(first, max_workers=1)
    assert served.result(root) == ["first", ["second", "leaf"]]
    assert [(job.depth, job.lending, job.attempt) for job in served.jobs(root)] == [(0, 0, 1), (1, 0, 1), (2, 0, 1)]


@pytest.mark.parametrize("kind", ["Sync", ""])
def test_an_interrupted_wait_takes_the_slot_back_first(served: Served, kind: str) -> None:
    """Ctrl-C in a worker that waits: it goes on only when the child that has its slot has ended."""
    served.serve()
    served.set("slots", 1)
    call = "client.orchestrate_subtasks('touch begun; while ! test -e gate; do sleep 0.1; done', kind='command')"
    script = served.script(
        "interrupted",
        f"""
        client = {kind}RecursiveOrchestratorClient()
        open("pid", "w").write(str(os.getpid()))
        try:
            {call if kind else f"asyncio.run({call})"}
        except KeyboardInterrupt:
            print(json.dumps(os.path.exists("gate")), flush=True)
            open("caught", "w")
            while not os.path.exists("looked"):
                time.sleep(0.05)
        """,
    )
    root = served.submit(script, max_workers=1)
    served.wait_for((served.project / "begun").exists, "the child")
    os.kill(int((served.project / "pid").read_text()), signal.SIGINT)
    served.until(lambda reader: get_job(reader, root).wants_slot, "the wish for the slot")
    assert not (served.project / "caught").exists()
    (served.project / "gate").touch()
    served.wait_for((served.project / "caught").exists, "the end of the wait")
    job = served.job(root)
    assert (job.status, job.lending, job.wants_slot) == (Status.RUNNING, 0, False)
    (served.project / "looked").touch()
    assert served.result(root) is True


def test_an_error_while_waiting_takes_the_slot_back_too(served: Served) -> None:
    """A wait that is out of time; several tasks of one worker, each with a lend of its own."""
    served.serve()
    script = served.script(
        "several",
        """
        async def all_at_once():
            client = RecursiveOrchestratorClient()
            slow = (await client.submit("while ! test -e gate; do sleep 0.1; done", kind="command"))["job_id"]

            async def too_short():
                try:
                    await client.wait(slow, timeout=0.3)
                except StillRunning:
                    open("gate", "w")
                    return "late"

            quick = client.orchestrate_subtasks("echo quick", kind="command")
            late, quick, slow = await asyncio.gather(too_short(), quick, client.wait(slow))
            return [late, quick["status"], slow["status"]]

        print(json.dumps(asyncio.run(all_at_once())))
        open("done", "w")
        while not os.path.exists("looked"):
            time.sleep(0.05)
        """,
    )
    root = served.submit(script, max_workers=1)
    served.wait_for((served.project / "done").exists, "the end of all waits")
    job = served.job(root)
    assert (job.status, job.lending, job.wants_slot) == (Status.RUNNING, 0, False)
    (served.project / "looked").touch()
    assert served.result(root) == ["late", "completed", "completed"]


def count(served: Served) -> int:
    with served.store.read() as reader:
        return int(reader.value("SELECT count(*) FROM jobs"))
