"""Every sample request runs as it stands: `orch run FILE`, with the scripted model where it needs one."""

import json
import shutil
from pathlib import Path

import pytest
from at_work import AtWork
from scripted import report, scripted

from tui_orch.demo.script import Role, Script

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(240)]
SAMPLES = Path(__file__).parents[2] / "sample_requests"
DONE = Script((Role(r"", report("done as asked")),))


def run_sample(work: AtWork, name: str, code: int) -> dict[str, object]:
    shutil.copy(SAMPLES / name, work.project / name)
    with scripted(work, DONE):
        work.supervise()
        said = json.loads(work.orch("run", name, "--json", code=code).stdout)
    assert isinstance(said, dict)
    return said


@pytest.mark.parametrize(
    "name",
    [
        "service_in_parts.md",
        "service_in_parts.json",
        "front_end.md",
        "refactor_modules.md",
        "document_and_translate.md",
        "process_files.md",
        "four_services.md",
    ],
)
def test_a_sample_completes(work: AtWork, name: str) -> None:
    """Each child's result is in the ledger of what comes back."""
    said = run_sample(work, name, code=0)
    assert said["status"] == "completed"
    ledger = said["ledger"]
    assert isinstance(ledger, list)
    assert all(child["status"] == "completed" and child["result"] for child in ledger)


def test_the_sample_that_fails_in_part_is_partial(work: AtWork) -> None:
    """Exit code 3, and what succeeded is there."""
    said = run_sample(work, "fails_in_part.md", code=3)
    assert (said["status"], said["reason"]) == ("partial", "children_failed")
    ledger = said["ledger"]
    assert isinstance(ledger, list)
    assert sorted(child["status"] for child in ledger) == ["completed", "completed", "completed", "failed"]


def test_every_sample_is_run(tmp_path: Path) -> None:
    """A new sample needs a run here; the demo's has its own."""
    samples = {path.name for path in SAMPLES.iterdir()} - {"README.md"}
    run = {"notes_service.md", "fails_in_part.md"}
    run |= set(test_a_sample_completes.pytestmark[0].args[1])  # type: ignore[attr-defined]
    assert samples == run
