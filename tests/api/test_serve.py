"""`orch serve` as a process: the API and the supervisor together, and what is left when it ends."""

import json
import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from at_serve import ORCH, AtServe


@pytest.fixture
def at(tmp_path: Path) -> Iterator[AtServe]:
    """A project whose server is a process of its own."""
    found = AtServe(tmp_path)
    yield found
    found.close()


def command(request: str) -> dict[str, Any]:
    return {"request": request, "config": {"kind": "command", "split": "none"}}


def test_it_serves_and_supervises_and_ends_in_order(at: AtServe) -> None:
    """A job that is handed in runs, and knows where the server is; the note is there as long as the server."""
    process, client = at.serve()
    note = at.home.root / "api.json"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    url = str(client.base_url).removesuffix("/api/v1/")
    assert json.loads(note.read_text()) == {"url": url, "pid": process.pid}
    job_id = client.post("/orchestrate", json=command("echo $ORCHESTRATOR_API_URL; umask")).json()["job_id"]
    assert at.ended(client, job_id)["result"].split() == [url, f"{_umask():04o}"]
    with client.stream("GET", "/events") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: state"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        for line in lines:
            assert not line.startswith("event: job")
    assert not note.exists()
    assert at.orch("status", "--json").stdout.count('"supervisor": null') == 1


def test_workers_go_on_without_it(at: AtServe) -> None:
    """And the next one finds them."""
    process, client = at.serve()
    job_id = client.post("/orchestrate", json=command("while [ ! -e go ]; do sleep 0.05; done; echo went")).json()[
        "job_id"
    ]
    at.wait_for(lambda: client.get(f"/jobs/{job_id}").json()["status"] == "running", "the worker")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    _, client = at.serve()
    assert client.get(f"/jobs/{job_id}").json()["status"] == "running"
    (at.project / "go").touch()
    assert at.ended(client, job_id)["result"] == "went\n"
    assert client.get(f"/jobs/{job_id}").json()["attempts"] == 1


def test_beside_another_supervisor_it_serves_and_takes_its_place(at: AtServe) -> None:
    """It says whose the store is; when that one ends, it goes on by itself."""
    other = at.start("supervise")
    at.wait_for((at.home.root / "supervisor.json").exists, "the other supervisor")
    process, client = at.serve()
    assert process.stderr is not None
    assert f"process {other.pid}" in process.stderr.readline()
    assert at.ended(client, client.post("/orchestrate", json=command("echo one")).json()["job_id"])["result"] == "one\n"
    other.send_signal(signal.SIGTERM)
    assert other.wait(20) == 0
    assert at.ended(client, client.post("/orchestrate", json=command("echo two")).json()["job_id"])["result"] == "two\n"
    assert json.loads((at.home.root / "supervisor.json").read_text())["pid"] == process.pid


def test_a_port_that_is_taken_is_one_line(at: AtServe) -> None:
    """And nothing is left of the try."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = at.orch("serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "--port" in done.stderr
    assert not (at.home.root / "api.json").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.invalid"])
def test_it_listens_to_this_machine_alone_unless_told(at: AtServe, host: str) -> None:
    """Other machines get in by a flag only."""
    done = at.orch("serve", "--port", "0", "--host", host)
    assert done.returncode == 2
    assert "--insecure-bind" in done.stderr


def test_told_so_it_listens_to_all(at: AtServe) -> None:
    """By the names that it was told, and no other."""
    _, client = at.serve("--host", "0.0.0.0", "--insecure-bind", "--allow-host", "Box.Example")
    port = client.base_url.port
    local = at.client(f"http://127.0.0.1:{port}")
    assert local.get("/jobs").status_code == 200
    assert local.get("/jobs", headers={"Host": f"box.example:{port}"}).status_code == 200
    assert local.get("/jobs", headers={"Host": f"other.example:{port}"}).status_code == 421


def test_a_worker_starts_no_server(at: AtServe) -> None:
    """It is a person's."""
    _, client = at.serve()
    request = f"{ORCH} serve --port 0; {ORCH} key new mine"
    found = client.get("/jobs/{job_id}/logs".format(**_run(at, client, request)), params={"stream": "output"}).json()[
        "text"
    ]
    assert found.count("for a person") == 2


def test_nothing_of_a_key_or_a_body_is_logged(at: AtServe) -> None:
    """Not even when the call is refused."""
    process, client = at.serve()
    client.post("/orchestrate", json={"request": "find-me-nowhere", "config": {"orchestrator_api_key": 7}})
    client.get("/jobs/find-me-nowhere/status", headers={"X-API-Key": "orch_find-me-nowhere"})
    process.send_signal(signal.SIGTERM)
    said = "".join(process.communicate(timeout=20))
    said += (at.home.root / "supervisor.log").read_text()
    assert "find-me-nowhere" not in said
    assert at.key not in said


def _run(at: AtServe, client: httpx.Client, request: str) -> dict[str, Any]:
    job_id = client.post("/orchestrate", json=command(request)).json()["job_id"]
    return at.ended(client, job_id)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
