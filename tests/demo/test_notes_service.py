"""The demo's scenario holds together without Claude Code: its calls make a program that works, in any order of jobs."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tui_orch.demo import notes_service
from tui_orch.demo.conversation import Conversation, Reply
from tui_orch.demo.script import Cue, Script, next_turn, script_from_json, script_to_json
from tui_orch.request.document import load_file

SPAWN = "mcp__orch__spawn_subtasks"
REPORT = "mcp__orch__report_result"
PROJECT = Path(__file__).parents[2]


class Played:
    """Plays the scenario as the workers would: tools for real, children one after the other in a given order."""

    def __init__(self, cwd: Path, order: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        self.cwd, self.order = cwd, order
        self.script: Script = notes_service.script()
        self.depths: list[int] = []
        self.summaries: list[str] = []
        self.tools: list[str] = []

    def job(self, request: str, depth: int = 0) -> None:
        """One job from its request to its last text."""
        self.depths.append(depth)
        replies: list[Reply] = []
        heard = request
        while (cue := self._cue(request, replies, heard)).turn.tools:
            replies.append(Reply(heard, len(cue.turn.tools)))
            heard = "\n".join([self._tool(call.name, dict(call.input), depth) for call in cue.turn.tools])
        assert cue.turn.text == self.summaries[-1]

    def _cue(self, request: str, replies: list[Reply], heard: str) -> Cue:
        said = Conversation(request, tuple(replies), heard, str(self.cwd), utility=False)
        cue = next_turn(self.script, said, {})
        assert cue.role is not None, request
        return cue

    def _tool(self, name: str, asked: dict[str, Any], depth: int) -> str:
        self.tools.append(name)
        if name == SPAWN:
            assert asked["wait"] is True
            for task in self.order(asked["tasks"]):
                self.job(task["request"], depth + 1)
            return "LEDGER"
        if name == "Write":
            path = Path(asked["file_path"])
            assert not path.exists(), "two jobs write one file"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(asked["content"])
        elif name == "Edit":
            path = Path(asked["file_path"])
            assert path.read_text().count(asked["old_string"]) == 1
            path.write_text(path.read_text().replace(asked["old_string"], asked["new_string"]))
        elif name == "Bash":
            return self._command(asked["command"])
        else:
            assert name == REPORT
            self.summaries.append(asked["summary"])
        return "ok"

    def _command(self, line: str) -> str:
        assert line.startswith("python3 "), "the request allows no other command"
        ended = subprocess.run(["sh", "-c", line], cwd=self.cwd, capture_output=True, text=True, check=False)
        return ended.stdout if ended.returncode == 0 else f"Exit code {ended.returncode}\n{ended.stderr}"


@pytest.mark.parametrize("order", [list, lambda tasks: tasks[::-1]], ids=["in order", "backwards"])
def test_the_jobs_build_a_service_that_works(tmp_path: Path, order: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
    played = Played(tmp_path, order)
    played.job(notes_service.request())
    assert sorted(played.depths) == [0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3]
    assert played.tools.count("Edit") == 2
    assert set(played.summaries) == {part.summary for part in notes_service.parts().values()}
    for path, text in notes_service.final_files().items():
        assert (tmp_path / path).read_text() == text
    check = subprocess.run(["python3", "check.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (check.stdout, check.stderr, check.returncode) == ("all 14 checks passed\n", "", 0)


def test_a_service_that_does_not_work_fails_its_check_and_the_report_says_so(tmp_path: Path) -> None:
    played = Played(tmp_path, lambda tasks: [task for task in tasks if task["title"] != "Search handler"])
    played.job(notes_service.request())
    assert played.summaries[-1] == "The check failed: python3 check.py"


def test_every_shipped_file_is_written_by_a_job() -> None:
    folder = Path(notes_service.__file__).parent / "notes_project"
    shipped = {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {str(path.relative_to(folder)) for path in shipped} == set(notes_service.final_files())


def test_the_request_is_the_sample_request() -> None:
    sample = load_file(PROJECT / "sample_requests" / "notes_service.md")
    assert (sample.request, sample.config) == (notes_service.request(), notes_service.document().config)


def test_the_scenario_fits_into_a_file() -> None:
    play = notes_service.script(pace_s=0.5)
    assert script_from_json(script_to_json(play)) == play


def test_no_request_is_taken_for_another() -> None:
    """Not even where a worker is told its parents' requests before its own."""
    play = notes_service.script()
    parts = notes_service.parts()
    for part in parts.values():
        for child in map(parts.__getitem__, part.parts):
            said = Conversation(
                f"{notes_service.request()}\n{part.request}\n{child.request}", (), "", "/", utility=False
            )
            cue = next_turn(play, said, {})
            assert cue.role is not None
            assert child.title in cue.role.replace("\\", "")
