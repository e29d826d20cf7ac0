"""The Slurm engine against what real programs have said: what each answer comes to, and what they are told."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from store.needs import Needs
from tests.launchers import standin_slurm
from tui_orch.supervisor.engines import slurm as slurm_engine
from tui_orch.supervisor.engines.engine import Engine, EngineDown, EngineJob, EngineRefusal
from tui_orch.supervisor.engines.slurm import Slurm


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stand-ins keep their state; they are in PATH."""
    folder = tmp_path / "slurm"
    programs = standin_slurm.install(folder, sys.executable)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return folder


def a_job(name: str = "s-1.1", part: str = "waits", **more: Any) -> EngineJob:
    return EngineJob(name, ("orch", "worker", "--url", "http://h:1?a=b c"), {"ORCH_CLAIM_CODE": part}, **more)


def calls(folder: Path, program: str) -> list[list[str]]:
    with standin_slurm.state(folder) as held:
        return [arguments for called, *arguments in held["calls"] if called == program]


def jobs(folder: Path) -> list[dict[str, Any]]:
    with standin_slurm.state(folder) as held:
        found: list[dict[str, Any]] = held["jobs"]
        return found


def test_it_is_an_engine() -> None:
    seam: Engine = Slurm("work")
    assert seam.title == "Slurm, partition work"
    seam.close()


def test_what_is_asked_of_it(folder: Path) -> None:
    needs = Needs(1.5, 1000, {"claude": 1.0}, {"zone": "n2", "disk": "fast"})
    Slurm("work", "people", ["--time=60"]).submit(a_job(needs=needs, log_file=Path("/shared/100%/log")))
    (arguments,) = calls(folder, "sbatch")
    assert arguments == [
        "--partition=work",
        "--account=people",
        "--time=60",
        "--parsable",
        "--job-name=s-1.1",
        "--no-requeue",
        "--ntasks=1",
        "--cpus-per-task=2",
        "--mem=954",
        "--chdir=/",
        "--input=/dev/null",
        "--export=NIL",
        "--output=/shared/100%%/log",
        "--open-mode=append",
        "--gres=claude:1",
        "--constraint=n2&fast",
    ]
    (job,) = jobs(folder)
    assert job["script"] == "#!/bin/sh\nexport ORCH_CLAIM_CODE=waits\nexec orch worker --url 'http://h:1?a=b c'\n"


def test_without_needs_a_job_does_not_get_all_the_memory_of_a_machine(folder: Path) -> None:
    Slurm().submit(a_job())
    (arguments,) = calls(folder, "sbatch")
    assert {"--cpus-per-task=1", "--mem=512", "--output=/dev/null"} <= set(arguments)


@pytest.mark.parametrize(
    ("state", "standing", "exit_code", "node", "why"),
    [
        ("PENDING", "pending", None, None, "Resources"),
        ("RUNNING", "running", None, "n1", None),
        ("COMPLETED", "ended", 0, "n1", None),
        ("FAILED", "ended", 7, "n2", "NonZeroExitCode"),
        ("CANCELLED", "ended", None, "n1", None),
        ("NODE_FAIL", "lost", None, "n1", "NodeDown"),
    ],
)
def test_what_an_answer_comes_to(
    folder: Path, state: str, standing: str, exit_code: int | None, node: str | None, why: str | None
) -> None:
    slurm = Slurm()
    slurm.submit(a_job())
    standin_slurm.show(folder, "s-1.1", state)
    found = slurm.poll(["s-1.1", "s-2.1"])
    assert list(found) == ["s-1.1"]
    state_of_it = found["s-1.1"]
    assert (state_of_it.standing, state_of_it.exit_code) == (standing, exit_code)
    assert (state_of_it.node, state_of_it.why) == (node, why)


def test_a_program_that_was_killed_has_its_signal_though_slurm_says_it_never_began(folder: Path) -> None:
    slurm = Slurm()
    slurm.submit(a_job())
    standin_slurm.show(folder, "s-1.1", "KILLED")
    found = slurm.poll(["s-1.1"])["s-1.1"]
    assert (found.standing, found.exit_code, found.why) == ("ended", -9, "JobLaunchFailure")


def test_a_name_that_is_there_already_is_fine_and_runs_once(folder: Path) -> None:
    slurm = Slurm()
    slurm.submit(a_job())
    slurm.submit(a_job())
    assert len(jobs(folder)) == 1


def test_of_twins_the_livelier_counts(folder: Path) -> None:
    slurm = Slurm()
    slurm.submit(a_job())
    with standin_slurm.state(folder) as held:
        held["jobs"].append({**held["jobs"][0], "id": 99, "state": "RUNNING"})
        held["jobs"][0]["state"] = "FAILED"
    assert slurm.poll(["s-1.1"])["s-1.1"].standing == "running"
    slurm.stop(["s-1.1"])
    assert [job["state"] for job in jobs(folder)] == ["FAILED", "CANCELLED"]


def test_stops(folder: Path) -> None:
    slurm = Slurm()
    slurm.submit(a_job("a.1"))
    slurm.submit(a_job("a.2"))
    standin_slurm.show(folder, "a.2", "COMPLETED")
    slurm.stop(["a.1", "a.2", "nobody"])
    assert calls(folder, "scancel") == [["2"]]
    slurm.stop(["a.2", "nobody"])
    slurm.stop([])
    assert len(calls(folder, "scancel")) == 1


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        (Needs(resources={"nope": 1}), r"Invalid generic resource \(gres\) specification"),
        (Needs(labels={"zone": "nowhere"}), "Invalid feature specification"),
    ],
)
def test_what_it_will_never_take_is_refused_in_one_line(folder: Path, needs: Needs, said: str) -> None:
    with pytest.raises(EngineRefusal, match=f"^Slurm refuses it: {said}$"):
        Slurm().submit(a_job(needs=needs))


@pytest.mark.parametrize(
    ("trouble", "said"), [("ctld_down", "Unable to contact slurm controller"), ("munge_down", "authentication error")]
)
def test_a_controller_that_is_down_is_down_whatever_was_asked(folder: Path, trouble: str, said: str) -> None:
    slurm = Slurm()
    (folder / "trouble").write_text(trouble)
    for ask in (lambda: slurm.poll([]), lambda: slurm.stop(["s-1.1"]), lambda: slurm.submit(a_job())):
        with pytest.raises(EngineDown, match=said) as down:
            ask()
        assert not down.value.in_doubt


def test_a_controller_that_goes_down_between_look_and_submission_refuses_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Slurm, "_rows", lambda _self, _names: [])
    (folder / "trouble").write_text("ctld_down")
    with pytest.raises(EngineDown, match="does not take it now: Unable to contact"):
        Slurm().submit(a_job())
    (folder / "trouble").write_text("munge_down")
    with pytest.raises(EngineDown, match="does not take it now: Protocol authentication error"):
        Slurm().submit(a_job())


def test_a_submission_whose_answer_is_lost_is_in_doubt_and_found_by_name(folder: Path) -> None:
    slurm = Slurm()
    (folder / "trouble").write_text("late")
    with pytest.raises(EngineDown) as down:
        slurm.submit(a_job())
    assert down.value.in_doubt
    assert slurm.poll(["s-1.1"])["s-1.1"].standing == "pending"
    slurm.submit(a_job())
    assert len(jobs(folder)) == 1


def test_a_program_that_hangs_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm_engine, "CALL_S", 0.1)
    (tmp_path / "squeue").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(EngineDown, match=r"squeue took longer than 0\.1 s") as down:
        Slurm().poll([])
    assert down.value.in_doubt


def test_a_machine_without_slurm_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineDown, match="Slurm can not be asked: squeue: No such file or directory"):
        Slurm().poll([])


def test_many_names_are_asked_for_in_parts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm_engine, "_NAMES_AT_ONCE", 2)
    Slurm().poll(["a.1", "a.2", "a.3"])
    assert [call[2] for call in calls(folder, "squeue")] == ["--name=a.1,a.2", "--name=a.3"]


def test_what_a_persons_environment_asks_of_the_programs_is_not_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQUEUE_USERS", "somebody")
    monkeypatch.setenv("SBATCH_PARTITION", "other")
    (folder / "bin" / "squeue").write_text('#!/bin/sh\nenv > "$0.env"\n')
    Slurm().poll([])
    seen = (folder / "bin" / "squeue.env").read_text()
    assert "LC_ALL=C\n" in seen
    assert "SQUEUE_USERS" not in seen
    assert "SBATCH_" not in seen
