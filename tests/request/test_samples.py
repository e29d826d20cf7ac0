"""Every sample request loads and composes; the command samples do in a real shell what they say."""

import subprocess
from pathlib import Path

import pytest

from store.models import Limits, NewTree
from store.states import Kind
from tui_orch.request.compose import compose
from tui_orch.request.document import load_file
from tui_orch.request.limits import Config

SAMPLES = Path(__file__).parents[2] / "sample_requests"
FILES = sorted(path for path in SAMPLES.iterdir() if path.name != "README.md")
TREES = {
    "service_in_parts.md": (Kind.GROUP, 3),
    "service_in_parts.json": (Kind.GROUP, 3),
    "front_end.md": (Kind.GROUP, 4),
    "refactor_modules.md": (Kind.GROUP, 3),
    "document_and_translate.md": (Kind.GROUP, 3),
    "process_files.md": (Kind.GROUP, 5),
    "fails_in_part.md": (Kind.GROUP, 4),
    "notes_service.md": (Kind.CLAUDE, 0),
    "four_services.md": (Kind.GROUP, 4),
}


def sample(name: str) -> NewTree:
    return compose(load_file(SAMPLES / name), Config(), Path("/srv/project"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_sample_composes_into_the_tree_that_is_meant(path: Path) -> None:
    found = sample(path.name)
    assert (found.root.kind, len(found.items)) == TREES[path.name]
    assert found.root.title
    assert f"[{path.name}]({path.name})" in (SAMPLES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_sample_runs_as_one_worker_with_recursion_off(path: Path) -> None:
    found = compose(load_file(path), Config(max_depth=0), Path("/srv/project"))
    assert (found.root.kind is Kind.GROUP, found.items) == (False, ())


def test_the_original_example_is_the_same_in_both_forms() -> None:
    markdown, in_json = sample("service_in_parts.md"), sample("service_in_parts.json")
    assert markdown == in_json
    assert markdown.root.request.startswith("大規模プロジェクトを構築:\n")
    assert [str(item.title).split(":")[0] for item in markdown.items] == [
        "バックエンド",
        "フロントエンド",
        "データベース",
    ]
    assert (markdown.limits.max_workers, markdown.limits.max_depth) == (3, 2)
    assert all("できあがりの条件" in item.request for item in markdown.items)


def test_what_is_done_is_no_job_of_the_front_end() -> None:
    found = sample("front_end.md")
    assert not any(str(item.title).startswith("Agree") for item in found.items)
    assert all("- [x] Agree on the record" in item.request for item in found.items)


def test_steps_within_a_part_of_the_refactoring_stay_with_it() -> None:
    first = sample("refactor_modules.md").items[0]
    assert "\n1. Gather the reading" in first.request
    assert "Storage" not in first.request


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_files_are_processed_by_each_command_alone_and_once_more(tmp_path: Path) -> None:
    found = sample("process_files.md")
    assert found.root.title == "Process files"
    assert {item.kind for item in found.items} == {Kind.COMMAND}
    for item in [*found.items, *reversed(found.items)]:
        ended = run(item.request, tmp_path)
        assert (ended.returncode, ended.stderr) == (0, ""), item.title
    made = tmp_path / "processed"
    assert (made / "words/counts.txt").read_text().split() == ["3", "apple", "2", "pear", "1", "fig"]
    assert (made / "log/ERROR.txt").read_text() == "disk full\ndisk full\n"
    assert (made / "table/total.txt").read_text() == "total: 1550\n"
    assert len(list((made / "parts").glob("part-*"))) == 4
    assert "AND " in (made / "text/folded.txt").read_text()


def test_one_command_of_the_failing_sample_fails_until_it_is_mended(tmp_path: Path) -> None:
    found = sample("fails_in_part.md")
    assert found.limits == Limits(max_depth=1, max_workers=2, max_attempts=1, timeouts_s=(60.0,))
    assert [run(item.request, tmp_path).returncode for item in found.items] == [0, 0, 1, 0]
    assert "`mkdir -p checked && echo ok > checked/report.txt`" in found.root.request
    run("mkdir -p checked && echo ok > checked/report.txt", tmp_path)
    assert run(found.items[2].request, tmp_path).returncode == 0
