"""`orch serve` for other machines: by TLS, and with a launcher that starts workers there."""

import os
import signal
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from at_serve import AtServe

from tests.certificates import certificate
from tests.launchers import standin_slurm
from tui_orch.supervisor.daemon import holder, stop


class Place(AtServe):
    """A project folder whose server is for nodes."""

    def log(self) -> str:
        return self.home.supervisor_log.read_text() if self.home.supervisor_log.exists() else ""

    def close(self) -> None:
        super().close()
        if holder(self.home) is not None:
            stop(self.home)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.close()


def test_it_serves_by_tls_where_other_machines_reach_it(place: Place, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    process, url = place.serve_at("--host", "0.0.0.0", "--tls-cert", str(cert), "--tls-key", str(key))
    assert url.startswith("https://0.0.0.0:")
    port = url.rpartition(":")[2]
    trusts = ssl.create_default_context(cafile=str(cert))
    with httpx.Client(verify=trusts, headers={"X-API-Key": place.key}, trust_env=False, timeout=20) as client:
        assert client.get(f"https://127.0.0.1:{port}/api/v1/jobs").status_code == 200
        with pytest.raises(httpx.HTTPError):
            client.get(f"http://127.0.0.1:{port}/api/v1/jobs")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_what_is_no_certificate_is_said_before_anything_listens(place: Place, tmp_path: Path) -> None:
    cert, _ = certificate(tmp_path)
    missing = place.orch("serve", "--port", "0", "--tls-cert", str(tmp_path / "none.pem"))
    assert missing.returncode
    assert missing.stderr.startswith("orch: ")
    assert "can not be read: No such file or directory" in missing.stderr
    keyless = place.orch("serve", "--port", "0", "--tls-cert", str(cert))
    assert keyless.returncode
    assert "can not be used" in keyless.stderr
    assert len(keyless.stderr.splitlines()) == 1
    alone = place.orch("serve", "--port", "0", "--tls-key", str(cert))
    assert alone.returncode
    assert "--tls-key is nothing without --tls-cert" in alone.stderr


def test_other_machines_are_not_served_without_tls_unless_that_is_said(place: Place) -> None:
    done = place.orch("serve", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode
    assert "--tls-cert" in done.stderr
    assert "--insecure-bind" in done.stderr


@pytest.mark.parametrize("verb", [("serve", "--port", "0"), ("supervise",), ("up",)], ids=lambda verb: verb[0])
def test_what_is_wrong_with_the_launcher_is_one_line(place: Place, verb: tuple[str, ...]) -> None:
    done = place.orch(*verb, "--launcher", "ray")
    assert done.returncode
    assert "url in [launcher] of" in done.stderr
    assert "is missing" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    unknown = place.orch(*verb, "--launcher", "moon")
    assert unknown.returncode
    assert "moon" in unknown.stderr


def test_a_cluster_that_does_not_answer_holds_jobs_back_and_says_so(place: Place) -> None:
    (place.home.root / "config.toml").write_text(
        '[launcher]\nkind = "ray"\nurl = "http://head:8000"\n[launcher.ray]\naddress = "http://127.0.0.1:1"\n'
    )
    place.serve_at()
    assert place.orch("submit", "--kind", "command", "--request", "true").returncode == 0
    place.wait_for(lambda: "nothing new starts: Ray at http://127.0.0.1:1 does not answer" in place.log(), "the word")
    assert '"queued"' in place.orch("show", "1", "--json").stdout


def test_a_supervisor_in_the_background_hands_workers_to_the_cluster(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "slurm"
    programs = standin_slurm.install(folder, sys.executable)
    place.env["PATH"] = f"{programs}{os.pathsep}{place.env['PATH']}"
    (place.home.root / "config.toml").write_text('[launcher]\nurl = "http://head:8000"\n')
    assert place.orch("up", "--launcher", "slurm").returncode == 0
    assert place.orch("submit", "--kind", "command", "--request", "true").returncode == 0
    place.wait_for(lambda: "#1.1: started, process 0 (command, depth 0)" in place.log(), "the start")

    def submitted() -> list[dict[str, Any]]:
        with standin_slurm.state(folder) as held:
            found: list[dict[str, Any]] = held["jobs"]
            return found

    place.wait_for(submitted, "the submission")
    (job,) = submitted()
    assert job["name"].endswith("-1.1")
    assert "exec orch worker --url http://head:8000 --attempt 1.1\n" in job["script"]
    assert (place.home.attempt_dir(1, 1) / "worker.log").exists()
