"""`orch demo`: what a newcomer sees first, from beginning to end with the real Claude Code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from at_work import at_work

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(300)]


def test_the_demo_builds_a_program_that_works(tmp_path: Path, environment: dict[str, str]) -> None:
    """Twelve workers on four levels; parents wait and resume; the program's own check passes afterwards."""
    orch = Path(sys.executable).parent / "orch"
    # A real key in the environment must not be used: the demo takes it out.
    env = environment | {"ANTHROPIC_API_KEY": "a-real-key", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}
    done = subprocess.run(
        [str(orch), "demo", "--into", "demo", "--pace", "0"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The notes service works" in done.stdout
    assert str(tmp_path / "demo") in done.stdout
    check = subprocess.run(
        [sys.executable, "check.py"], cwd=tmp_path / "demo", capture_output=True, text=True, check=False
    )
    assert (check.returncode, "all 14 checks passed" in check.stdout) == (0, True)
    with at_work(tmp_path / "demo", environment) as work:
        jobs = work.jobs(1)
        assert [len([job for job in jobs if job.depth == depth]) for depth in range(4)] == [1, 4, 5, 2]
        assert {job.status.value for job in jobs} == {"completed"}
        assert all(job.attempt == (2 if job.children else 1) for job in jobs)
        assert not work.processes()
    said = [json.loads(line) for line in (tmp_path / "demo" / ".orch" / "model.jsonl").read_text().splitlines()]
    answered = [(line["prompt"], line["turn"]) for line in said if line["what"] == "answered"]
    assert len(answered) == len(set(answered)), "a turn was paid for twice"
