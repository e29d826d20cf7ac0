"""Folders that are taken away or become links under a job: each is told, nothing is written to where a link leads."""

import shutil
from pathlib import Path

import pytest
from at_work import AtWork
from scripted import report, scripted

from store.models import NewJob, NewTree
from store.states import Kind, Status
from tui_orch.demo.script import Role, Script

PATIENT = "touch {home}/started; while [ ! -e {home}/go ]; do sleep 0.02; done; echo kept"


def in_folder(work: AtWork, folder: Path, request: str, kind: Kind = Kind.COMMAND) -> int:
    return work.submit_tree(NewTree(NewJob(request, kind), work_dir=str(folder)))


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("fault", ["deleted", "a link", "a file"])
@pytest.mark.parametrize("kind", [Kind.COMMAND, pytest.param(Kind.CLAUDE, marks=pytest.mark.real_cli)])
def test_a_work_folder_that_is_no_folder_any_more_fails_the_job_at_once(
    work: AtWork, elsewhere: Path, fault: str, kind: Kind
) -> None:
    """No try again would help: the reason names the folder, and nothing runs where a link leads."""
    folder = work.project / "part"
    folder.mkdir()
    root = in_folder(work, folder, "touch was_here", kind)
    folder.rmdir()
    if fault == "a link":
        folder.symlink_to(elsewhere)
    if fault == "a file":
        folder.touch()
    with scripted(work, Script((Role(r"^touch", report("never")),))) as model:
        work.supervise()
        ended = work.until_ended(root)
        assert not model.entries()
    assert (ended.status, ended.reason, ended.attempt) == (Status.FAILED, "bad_request", 1)
    assert str(folder) in (ended.error or "")
    assert list(elsewhere.iterdir()) == []


def test_a_work_folder_that_goes_while_a_command_runs_costs_that_command_alone(work: AtWork) -> None:
    """It ends by its own error or well, as it likes; its output is not in there."""
    folder = work.project / "part"
    folder.mkdir()
    home = work.env["HOME"]
    root = in_folder(work, folder, PATIENT.format(home=home))
    work.supervise()
    work.wait_for((Path(home) / "started").exists, "the command")
    shutil.rmtree(folder)
    (Path(home) / "go").touch()
    assert work.until_ended(root).result == "kept\n"
    after = work.submit("echo next")
    assert work.until_ended(after).status is Status.COMPLETED


@pytest.mark.parametrize("fault", ["deleted", "a link"])
def test_an_attempts_folder_that_is_taken_away_loses_its_output_and_not_the_job(
    work: AtWork, elsewhere: Path, fault: str
) -> None:
    """The outcome says so; nothing of it stays alive, nothing is written where the link leads, the supervisor goes on."""
    home = work.env["HOME"]
    root = in_folder(work, work.project, PATIENT.format(home=home))
    supervisor = work.supervise()
    work.wait_for((Path(home) / "started").exists, "the command")
    folder = work.home.attempt_dir(root, 1)
    shutil.rmtree(folder)
    if fault == "a link":
        folder.symlink_to(elsewhere)
    (Path(home) / "go").touch()
    ended = work.until_ended(root)
    assert ended.status in (Status.COMPLETED, Status.FAILED)
    assert ended.status is Status.COMPLETED or ended.error
    assert list(elsewhere.iterdir()) == []
    assert supervisor.poll() is None
    work.wait_for(lambda: not work.processes(), "the end of the attempt")


@pytest.mark.parametrize("where", ["jobs", "job"])
def test_a_store_whose_folders_lead_elsewhere_starts_nothing_there(work: AtWork, elsewhere: Path, where: str) -> None:
    """The job fails after its tries, and says which path is a link."""
    root = work.submit("echo never", max_attempts=2)
    folder = work.home.root / "jobs" if where == "jobs" else work.home.job_dir(root)
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.symlink_to(elsewhere)
    supervisor = work.supervise()
    ended = work.until_ended(root)
    assert (ended.status, ended.reason) == (Status.FAILED, "worker_error")
    assert "is a link, which nothing in a store is" in (ended.error or "")
    assert list(elsewhere.iterdir()) == []
    assert supervisor.poll() is None


def test_a_link_that_a_person_names_is_followed_once_when_the_tree_is_handed_in(work: AtWork, elsewhere: Path) -> None:
    """It is theirs to choose; what it leads to later is not what they chose."""
    named = work.project / "named"
    named.symlink_to(elsewhere)
    root = in_folder(work, named, "pwd -P")
    named.unlink()
    work.supervise()
    assert work.until_ended(root).result == f"{elsewhere}\n"
