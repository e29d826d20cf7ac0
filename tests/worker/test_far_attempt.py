"""An attempt away from the store: the real `orch worker`, the real API over loopback, no supervisor."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from far_head import Head, far_head

from store.states import Status
from store.tree import attempts
from tests.certificates import certificate
from tui_orch.api.tls import Tls


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Head]:
    with far_head(tmp_path) as made:
        yield made


def test_a_command_runs_and_its_output_comes_to_the_head(head: Head) -> None:
    fence = head.start("/bin/sh", "-c", "echo out of $PWD; echo $ORCH_REMOTE_HOME")
    assert head.run(fence) == (0, "")
    job = head.job(fence)
    project = head.store.home.project
    assert (job.status, job.result) == (Status.COMPLETED, f"out of {project}\n{project / '.orch'}\n")
    folder = head.store.home.attempt_dir(job.id, 1)
    assert (folder / "output").read_text() == job.result
    with head.store.read() as reader:
        (attempt,) = attempts(reader, job.id)
    assert attempt.host == os.uname().nodename
    assert not list((head.node / ".cache" / "orch").glob("*/*"))


def test_a_code_opens_its_attempt_once(head: Head) -> None:
    fence = head.start("true")
    assert head.run(fence)[0] == 0
    code, said = head.run(fence)
    assert code == 1
    assert "no token of an attempt that runs" in said


def test_a_code_of_nothing_is_refused(head: Head) -> None:
    fence = head.start("true")
    assert head.run(fence, "d" * 64)[0] == 1
    assert head.job(fence).status is Status.RUNNING


def test_all_of_it_goes_over_tls(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with far_head(tmp_path, tls=Tls(str(cert), str(key))) as head:
        assert head.url.startswith("https://")
        fence = head.start("/bin/sh", "-c", "orch spawn --kind command 'echo a child'")
        head.env = {"SSL_CERT_FILE": str(cert)}
        assert head.run(fence)[0] == 0
        job = head.job(fence)
        assert (job.status, job.children) == (Status.WAITING, 1), job
