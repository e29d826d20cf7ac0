"""Keys that a worker happens to say reach no row, no transcript and no log, with the real Claude Code."""

from pathlib import Path

import pytest
from claude_bench import Bench, python, says

from store import asks
from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import Turn
from tui_orch.worker.masking import Mask
from tui_orch.worker.work import Finished, Suspended

pytestmark = pytest.mark.real_cli

KEY = "made-up-key-of-this-test-0123456789"
TOKEN = "ghp_" + "a1B2" * 9


def holding(folder: Path, *secrets: str) -> list[str]:
    """Return the files of a folder that hold one of these, as they lie on disk."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)]


def test_what_a_worker_says_is_kept_without_its_keys(bench: Bench) -> None:
    bench.env["ANTHROPIC_API_KEY"] = KEY
    root = bench.submit("Work.", allowed_tools=("Bash",))
    show = python("import os; print(os.environ['ANTHROPIC_API_KEY'])")
    script = says("^Work", Turn(text=f"I use {TOKEN}.", tools=(show,)), Turn(text=f"Done with {KEY} and {TOKEN}."))
    with ScriptedModel(script) as model:
        work = bench.start(root)
        ending = bench.finish(work, model)
    assert isinstance(ending, Finished)
    # The attempt masks what is recorded; the runner has masked what it wrote itself.
    masked = Mask.of(work.env).of_any(ending)
    assert masked.outcome.result == "Done with [secret: ANTHROPIC_API_KEY] and [secret: GitHub token]."
    assert "[secret: ANTHROPIC_API_KEY]" in (work.folder / "transcript.jsonl").read_text("utf-8")
    assert holding(work.folder, KEY, TOKEN) == []


def test_an_ask_is_kept_without_keys_and_its_answer_still_finds_the_call(bench: Bench) -> None:
    root = bench.submit("Work.", park_after_s=0.0)
    call = python(f"print('{TOKEN}')")
    with ScriptedModel(says("^Work", Turn(tools=(call,)), Turn(tools=(call,)), Turn(text="Done."))) as model:
        assert isinstance(bench.run(root, model), Suspended)
        with bench.store.write() as tx:
            (ask,) = asks.open_asks(tx)
            assert TOKEN not in f"{ask.question}{ask.input}"
            assert "[secret: GitHub token]" in str(ask.input)
            asks.answer(tx, ask.id, "allow", None, 1)
        assert isinstance(bench.run(root, model), Finished)
    with bench.store.read() as reader:
        assert [each.answer for each in asks.job_asks(reader, root)] == ["allow"], "it is not asked a second time"
