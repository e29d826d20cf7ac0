"""Bytes that nobody wants: endless lines, no text at all, JSON without a bottom, files that were cut off."""

import json

import pytest
from at_work import AtWork, now_ms

from store.claim import claim, start_attempt, token_hash
from store.home import private_dir
from store.models import Outcome
from store.states import Status
from tests.store.invariants import check
from tui_orch.worker.lock import AttemptLock
from tui_orch.worker.record import Left, line_of
from tui_orch.worker.work import Finished

DEAD_PID = 2**22 + 1


def test_a_line_of_100_mb_costs_its_end(work: AtWork) -> None:
    """The file holds all of it, the result its last part, and activity a screen's line."""
    root = work.submit("head -c 100000000 /dev/zero | tr '\\0' x; sleep 1.2; printf end")
    work.supervise()
    ended = work.until_ended(root)
    assert ended.status is Status.COMPLETED
    assert ended.result is not None
    assert ended.result.endswith("xxxend")
    assert len(ended.result) < 17_000
    assert (work.home.attempt_dir(root, 1) / "output").stat().st_size == 100_000_003
    assert len(ended.activity or "") <= 120


def test_bytes_that_are_no_text_are_shown_as_what_they_are_not(work: AtWork) -> None:
    """Invalid UTF-8 and NUL arrive as U+FFFD, in result and error, and everything reads them."""
    fine = work.submit(r"printf 'a\377\000b\n'")
    failing = work.submit(r"printf '\300\200\000worse\n'; exit 3", max_attempts=1)
    work.supervise()
    assert work.until_ended(fine).result == "a\ufffd\ufffdb\n"
    assert (work.until_ended(failing).error or "").endswith("\ufffd\ufffd\ufffdworse")
    for arguments in (("show", str(failing)), ("result", str(fine)), ("tree", str(fine)), ("logs", str(failing))):
        said = work.orch(*arguments, code=None)
        assert said.returncode in (0, 1)
        assert "\0" not in said.stdout
        assert "Traceback" not in said.stderr


def test_output_beyond_its_cap_ends_the_command_for_good(work: AtWork) -> None:
    """The reason says which cap and who raises it; nothing of the command goes on writing."""
    work.set("output_cap_mb", 1.0)
    root = work.submit("yes")
    work.supervise()
    ended = work.until_ended(root)
    assert (ended.status, ended.reason, ended.attempt) == (Status.FAILED, "output_limit", 1)
    assert "orch settings output_cap_mb" in (ended.error or "")
    work.wait_for(lambda: not work.processes(), "the end of the command")


DEEP = "[" * 100_000 + "]" * 100_000
OUTCOMES = {
    "cut off": json.dumps({"kind": "Finished", "ending": {"delivered": []}})[:-9].encode(),
    "empty": b"",
    "no UTF-8": b"\xff\xfe{}",
    "NUL": b"\0" * 4_096,
    "deep": DEEP.encode(),
    "deep within": json.dumps(
        {"kind": "Finished", "ending": {"outcome": {"status": "completed", "usage": {}, "denials": [], "data": 0}, "delivered": []}}
    )
    .replace('"data": 0', f'"data": {"[" * 950}{"]" * 950}')
    .encode(),
    "of other types": json.dumps(
        {"kind": "Finished", "ending": {"outcome": {"status": "completed", "usage": {}, "denials": [], "result": {"a": [1]}}, "delivered": [[]]}}
    ).encode(),
}  # fmt: skip


@pytest.fixture
def lost_with(work: AtWork) -> dict[str, int]:
    """Jobs whose worker is gone and has left each of these files for its outcome."""
    left = {}
    for name, text in OUTCOMES.items():
        left[name] = job_id = work.submit("echo ran again")
        with work.store.write() as tx:
            fence = start_attempt(tx, job_id, token_hash(name), now_ms())
            claim(tx, fence, DEAD_PID, now_ms() - 60_000)
            tx.run("UPDATE attempts SET started_ms = started_ms - 60000 WHERE job_id = ?", (job_id,))
        folder = private_dir(work.home.attempt_dir(job_id, 1), work.home.root)
        (folder / "outcome.json").write_bytes(text)
    return left


def test_an_outcome_file_that_is_none_is_a_lost_attempt_and_stops_nobody(
    work: AtWork, lost_with: dict[str, int]
) -> None:
    """It is told in the log, the job runs again, and the supervisor goes on."""
    supervisor = work.supervise()
    for name, job_id in lost_with.items():
        ended = work.until_ended(job_id)
        assert ended.status is Status.COMPLETED, name
        assert (ended.result, ended.attempt) == ("ran again\n", 2) or name == "deep within", name
    assert supervisor.poll() is None
    with work.store.read() as reader:
        check(reader)
    assert "is not an outcome" in work.home.supervisor_log.read_text()


@pytest.mark.parametrize("is_its_own", [False, True])
def test_what_another_attempt_of_this_number_left_is_not_taken_in(work: AtWork, is_its_own: bool) -> None:
    """After a copy of the store was put back, folders of attempts lie there that it has never heard of."""
    job_id = work.submit("echo ran again")
    with work.store.write() as tx:
        fence = start_attempt(tx, job_id, token_hash("its token"), now_ms())
    folder = private_dir(work.home.attempt_dir(job_id, 1), work.home.root)
    ending = Finished(Outcome(Status.COMPLETED, result="as it was left\n"))
    with AttemptLock(folder) as lock:
        assert lock.hold(begin=True)
        lock.leave(line_of(Left(ending, token_hash("its token" if is_its_own else "a token of then"))))
    assert fence.attempt == 1
    work.supervise()
    expected = ("as it was left\n", 1) if is_its_own else ("ran again\n", 2)
    assert (work.until_ended(job_id).result, work.job(job_id).attempt) == expected


def test_a_transcript_whose_last_line_was_cut_off_is_read_to_the_line_before(work: AtWork) -> None:
    """A worker that was killed in the middle of a line, or bytes that are none of ours."""
    root = work.submit("echo fine")
    work.supervise()
    work.until_ended(root)
    entry = {"at_ms": 1, "type": "Prompt", "text": "what it was asked"}
    with (work.home.attempt_dir(root, 1) / "transcript.jsonl").open("wb") as file:
        file.write(
            json.dumps(entry).encode() + b"\n" + DEEP.encode() + b"\n\xff\0\n" + json.dumps(entry).encode()[:-20]
        )
    said = work.orch("logs", str(root))
    assert "Traceback" not in said.stderr
