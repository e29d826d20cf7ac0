"""``orch spawn`` and ``orch wait`` inside a job: what is inserted, the lending of the slot, the exit codes."""

import json

import pytest
from at_orch import AtOrch

from store.claim import grant_slot
from store.finish import release
from store.models import Fence
from store.needs import Needs
from store.states import Kind, Status
from store.tree import get_job
from tests.by_hand import now_ms


def test_each_request_is_a_child(orch: AtOrch) -> None:
    """The ids are printed, a line each."""
    fence = orch.start(orch.tree())
    done = orch(
        "spawn", "read the docs", "# Write tests\nfor it", "--model", "m", "--timeout", "2m", env=orch.worker(fence)
    )
    assert (done.code, done.out, done.err) == (0, "2\n3\n", "")
    first, second = orch.job(2), orch.job(3)
    assert (first.parent_id, first.depth, first.batch, first.kind) == (1, 1, 1, Kind.CLAUDE)
    assert (second.request, second.timeout_s, second.model) == ("# Write tests\nfor it", 120, "m")


def test_what_stands_behind_two_dashes_is_an_argv(orch: AtOrch) -> None:
    """Word for word, options and quotes included; the request is the line that a person would type."""
    fence = orch.start(orch.tree())
    done = orch("spawn", "--title", "look", "--", "grep", "-e", "a b", "--wait", "it's", env=orch.worker(fence))
    assert done.out == "2\n"
    job = orch.job(2)
    assert (job.kind, job.argv) == (Kind.COMMAND, ("grep", "-e", "a b", "--wait", "it's"))
    assert job.request == "grep -e 'a b' --wait 'it'\"'\"'s'"
    assert job.title == "look"


def test_a_file_holds_one_request_or_a_list_of_tasks(orch: AtOrch) -> None:
    """The list is that of the tool spawn_subtasks; --kind holds where a task names none."""
    fence = orch.start(orch.tree())
    (orch.project / "part.md").write_text("Translate\n\n[a link](x)\n")
    tasks = ["wc -l x", {"request": "look", "kind": "claude", "title": "a title", "timeout_s": 5}]
    (orch.project / "tasks.json").write_text(json.dumps(tasks))
    assert orch("spawn", "--file", "part.md", env=orch.worker(fence)).out == "2\n"
    assert orch("spawn", "--file", "tasks.json", "--kind", "command", env=orch.worker(fence)).out == "3\n4\n"
    assert orch.job(2).request == "Translate\n\n[a link](x)"
    assert (orch.job(3).kind, orch.job(4).kind) == (Kind.COMMAND, Kind.CLAUDE)
    assert (orch.job(4).title, orch.job(4).timeout_s) == ("a title", 5)
    piped = orch.process("spawn", "--file", "-", env=orch.worker(fence), stdin="[日本語] を訳す".encode())
    assert piped.out == "5\n"
    assert orch.job(5).request == "[日本語] を訳す"


def test_json_names_the_batch_and_its_jobs(orch: AtOrch) -> None:
    """One object."""
    fence = orch.start(orch.tree())
    found = json.loads(orch("spawn", "a", "b", "--json", env=orch.worker(fence)).out)
    assert (found["batch"], found["parent_id"], found["ids"]) == ("1-1", 1, [2, 3])
    assert [(job["id"], job["depth"], job["status"]) for job in found["jobs"]] == [(2, 1, "queued"), (3, 1, "queued")]


def _give_back(orch: AtOrch, fence: Fence) -> None:
    orch.until(lambda: orch.job(fence.job_id).wants_slot, "the wish for a slot")
    with orch.store.write() as tx:
        assert grant_slot(tx, fence.job_id)


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ([Status.COMPLETED, Status.COMPLETED], 0),
        ([Status.COMPLETED, Status.FAILED], 3),
        ([Status.FAILED, Status.FAILED], 1),
    ],
)
def test_waiting_lends_the_slot_and_takes_it_back_before_going_on(orch: AtOrch, ends: list[Status], code: int) -> None:
    """With one worker at once the children can run; nothing goes on before the supervisor grants a slot again."""
    fence = orch.start(orch.tree(max_workers=1))
    with orch.start_process("spawn", "--wait", "--kind", "command", "a", "b", env=orch.worker(fence)) as spawn:
        orch.until(lambda: orch.count() == 3 and orch.job(1).lending, "the lending")
        for child, status in zip((2, 3), ends, strict=True):
            assert spawn.poll() is None
            orch.run(child, status)
        orch.until(lambda: orch.job(1).wants_slot, "the wish for a slot")
        assert spawn.poll() is None, "it must not go on without a slot"
        _give_back(orch, fence)
        out, err = spawn.communicate(timeout=20)
    assert (spawn.returncode, err) == (code, "")
    assert [line.split()[1] for line in out.splitlines()] == [status.value for status in ends]


def test_waiting_ends_when_the_attempt_is_over(orch: AtOrch) -> None:
    """Whoever took the job away will not wake us."""
    fence = orch.start(orch.tree())
    with orch.start_process("spawn", "--wait", "a part", env=orch.worker(fence)) as spawn:
        orch.until(lambda: orch.count() == 2 and orch.job(1).lending, "the lending")
        with orch.store.write() as tx:
            release(tx, fence, "shutdown", now_ms())
        _, err = spawn.communicate(timeout=20)
    assert spawn.returncode == 2
    assert "is over" in err


def test_a_worker_that_waits_for_jobs_lends_its_slot_too(orch: AtOrch) -> None:
    """``orch wait`` as well, with ids or a batch; not when there is nothing to wait for."""
    fence = orch.start(orch.tree(max_workers=1))
    children = orch.spawn(fence, "a", "b")
    with orch.start_process("wait", "1-1", "--json", env=orch.worker(fence)) as wait:
        orch.until(lambda: orch.job(1).lending, "the lending")
        for child in children:
            orch.run(child)
        _give_back(orch, fence)
        out, _ = wait.communicate(timeout=20)
    assert wait.returncode == 0
    assert [job["id"] for job in json.loads(out)] == list(children)
    assert orch("wait", "1-1", env=orch.worker(fence)).code == 0
    assert not orch.job(1).lending


def test_a_person_waits_for_jobs(orch: AtOrch) -> None:
    """Several at once; told when no supervisor runs; the code is that of all of them."""
    first, second = orch.tree("one"), orch.tree("two")
    orch.run(first)
    with orch.start_process("wait", str(first), f"#{second}") as wait:
        with orch.store.read() as reader:
            assert get_job(reader, second).status is Status.QUEUED
        assert wait.stderr is not None
        assert "orch up" in wait.stderr.readline()
        orch.run(second, Status.FAILED, error="no luck")
        out, _ = wait.communicate(timeout=20)
    assert wait.returncode == 3
    assert out.splitlines()[0] == "#1 completed · one"
    assert out.splitlines()[1] == "#2 failed · two: no luck"


def test_a_wait_that_lasts_too_long_ends_with_124(orch: AtOrch) -> None:
    """As timeout(1) does, which no job's end gives."""
    job_id = orch.tree()
    done = orch("wait", str(job_id), "--timeout", "0.05s")
    assert (done.code, done.out) == (124, "")
    assert f"#{job_id} is still queued" in done.err


def test_a_child_says_what_its_machine_must_have(orch: AtOrch) -> None:
    """What a task of a list says goes before the option."""
    fence = orch.start(orch.tree())
    (orch.project / "tasks.json").write_text(json.dumps([{"request": "a", "needs": {"cpus": 4}}, "b"]))
    common = '{"cpus": 1, "labels": {"zone": "a"}}'
    assert orch("spawn", "--file", "tasks.json", "--needs", common, env=orch.worker(fence)).code == 0
    assert [orch.job(each).needs for each in (2, 3)] == [Needs(each, labels={"zone": "a"}) for each in (4.0, 1.0)]
    said = orch.refused("spawn", "c", "--needs", '{"gpus": 1}', env=orch.worker(fence))
    assert "needs has the unknown key 'gpus'; allowed: cpus, memory_mb, resources, labels" in said
