"""The calls of a worker away from the store, one by one: done once, fenced, and refused to whoever is not the attempt."""

import base64
import os
import secrets
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from far_head import CODE, Head, far_head

from store import control
from store.claim import token_hash
from store.errors import BadInput, IllegalChange, NotAllowed, NotFound, StaleAttempt, StoreBusy
from store.finish import finish
from store.keys import new_key
from store.models import Fence, NewJob, Outcome
from store.states import Kind, Status
from store.tree import subtree
from tui_orch.client.measures import now_ms
from tui_orch.worker.remote.api import AttemptApi
from tui_orch.worker.remote.files import Upload
from tui_orch.worker.remote.lease import Lease
from tui_orch.worker.remote.steps import RemoteSteps
from tui_orch.worker.steps import job_steps


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Head]:
    with far_head(tmp_path) as made:
        yield made


class Claimed:
    """An attempt that is claimed, without a worker."""

    def __init__(self, head: Head) -> None:
        self.fence = head.start("true")
        self.api = AttemptApi(head.url, CODE)
        token = secrets.token_hex(32)
        self.body = {"token_sha256": token_hash(token), "host": "n1"}
        self.told = self.api.post("/attempt/claim", self.body)
        self.api.use_token(token)
        self.steps = RemoteSteps(self.api, head.store.home, self.fence)


@pytest.fixture
def claimed(head: Head) -> Iterator[Claimed]:
    made = Claimed(head)
    yield made
    made.api.close()


def test_a_claim_whose_answer_was_lost_is_answered_again(claimed: Claimed) -> None:
    assert claimed.api.post("/attempt/claim", claimed.body) == claimed.told


def test_the_code_opens_nothing_after_the_claim(head: Head, claimed: Claimed) -> None:
    for path in ("/attempt/claim", "/attempt/lease"):
        with AttemptApi(head.url, CODE) as api, pytest.raises(StaleAttempt, match="no token of an attempt"):
            api.post(path, claimed.body if path.endswith("claim") else None)


def test_a_step_that_is_called_twice_is_done_once(head: Head, claimed: Claimed) -> None:
    tasks = {"tasks": [{"request": "echo once", "kind": "command"}]}
    call = {"call_id": uuid.uuid4().hex, "arguments": tasks}
    first = claimed.api.post("/attempt/steps/spawn", call)
    assert claimed.api.post("/attempt/steps/spawn", call) == first
    with head.store.read() as reader:
        assert len(subtree(reader, claimed.fence.job_id)) == 2


def test_what_the_store_refuses_is_raised_as_beside_it(claimed: Claimed) -> None:
    with pytest.raises(BadInput):
        claimed.steps.change(job_steps.spawn, (NewJob("", Kind.COMMAND),))
    with pytest.raises(NotFound, match="there is no step"):
        claimed.api.post("/attempt/steps/nonsense", {"call_id": uuid.uuid4().hex, "arguments": {}})
    with pytest.raises(BadInput, match="unknown: nonsense"):
        claimed.api.post("/attempt/steps/own_job", {"call_id": uuid.uuid4().hex, "arguments": {"nonsense": 1}})


def test_a_persons_key_is_no_attempt(head: Head) -> None:
    with head.store.write() as tx:
        key = new_key(tx, "a person", now_ms())[1]
    with AttemptApi(head.url, key) as api, pytest.raises(NotAllowed, match="is for the worker of a job"):
        api.post("/attempt/lease")


def test_after_its_end_an_attempt_may_nothing(head: Head, claimed: Claimed) -> None:
    with head.store.write() as tx:
        finish(tx, claimed.fence, Outcome(Status.COMPLETED, result="elsewhere"), now_ms())
    for call in (
        lambda: claimed.steps.look(job_steps.own_job),
        lambda: claimed.steps.change(job_steps.show_activity, "still here"),
        lambda: claimed.api.post("/attempt/lease"),
        lambda: claimed.api.post("/attempt/files/output", {"offset": 0, "data": ""}),
        lambda: claimed.api.get("/attempt/session"),
    ):
        with pytest.raises(StaleAttempt):
            call()


def test_a_stop_comes_with_the_answer_to_the_lease(head: Head, claimed: Claimed) -> None:
    until: list[float] = []
    stops: list[str] = []
    lease = Lease(claimed.api, 30, time.monotonic(), until.append, lambda: stops.append("stop"))
    lease.renew()
    assert stops == []
    with head.store.write() as tx:
        control.cancel(tx, claimed.fence.job_id, now_ms())
    lease.renew()
    lease.renew()
    assert stops == ["stop"]
    assert until == sorted(until)


def test_a_lease_that_is_over_ends_at_once(head: Head, claimed: Claimed) -> None:
    until: list[float] = []
    lease = Lease(claimed.api, 30, time.monotonic(), until.append)
    with head.store.write() as tx:
        finish(tx, claimed.fence, Outcome(Status.COMPLETED), now_ms())
    with pytest.raises(StaleAttempt):
        lease.renew()
    assert until[-1] <= time.monotonic()


def test_parts_of_a_file_are_put_together_once(head: Head, claimed: Claimed, tmp_path: Path) -> None:
    written = tmp_path / "output"
    written.write_bytes(os.urandom(700_000))
    upload = Upload(claimed.api, lambda: {"output": written, "setup.log": tmp_path / "none"})
    upload.flush()
    Upload(claimed.api, lambda: {"output": written}).flush()  # all over again: a worker that lost its place
    with written.open("ab") as file:
        file.write(b"more")
    upload.flush()
    at_head = head.store.home.attempt_dir(*_ids(claimed.fence)) / "output"
    assert at_head.read_bytes() == written.read_bytes()
    assert at_head.stat().st_mode & 0o777 == 0o600


def test_a_part_with_a_hole_before_it_is_refused(head: Head, claimed: Claimed) -> None:
    body = {"offset": 5, "data": base64.b64encode(b"late").decode()}
    with pytest.raises(IllegalChange, match="has 0 bytes here"):
        claimed.api.post("/attempt/files/output", body)


@pytest.mark.parametrize("name", ["outcome.json", "..%2F..%2Forch.db", "lock"])
def test_no_other_file_can_be_written(claimed: Claimed, name: str) -> None:
    with pytest.raises((BadInput, NotFound)):
        claimed.api.post(f"/attempt/files/{name}", {"offset": 0, "data": ""})


def test_a_link_in_place_of_a_file_is_not_followed(head: Head, claimed: Claimed, tmp_path: Path) -> None:
    folder = head.store.home.attempt_dir(*_ids(claimed.fence))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "output").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreBusy):
        claimed.api.post("/attempt/files/output", {"offset": 0, "data": "aGk="}, patience_s=0)
    assert not (tmp_path / "elsewhere").exists()


def test_who_does_not_answer_is_asked_again_and_then_given_up() -> None:
    with AttemptApi("http://127.0.0.1:1", CODE) as api, pytest.raises(StoreBusy, match="nothing answers"):
        api.post("/attempt/lease", patience_s=0.3)


def _ids(fence: Fence) -> tuple[int, int]:
    return fence.job_id, fence.attempt
