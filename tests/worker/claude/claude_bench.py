"""A store with jobs, a scripted model, and attempts of kind claude run in this process, as a supervisor would have it."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from store import finish as ends
from store.claim import claim, start_attempt, token_hash
from store.database import Store
from store.home import Home, private_dir
from store.models import Job, LedgerEntry, Limits, NewJob, NewTree, Outcome
from store.states import Status
from store.submit import submit_tree
from store.tree import get_job, get_tree, ledger
from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import Role, Script, ToolCall, Turn
from tui_orch.worker import claude
from tui_orch.worker.record import record
from tui_orch.worker.steps.local import LocalSteps
from tui_orch.worker.stop_signal import StopSignal
from tui_orch.worker.work import Ending, Work

PASSED = ("PATH", "LANG", "TMPDIR", "COVERAGE_PROCESS_START")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def orch(tool: str, **given: object) -> ToolCall:
    return ToolCall(f"mcp__orch__{tool}", given)


def python(code: str) -> ToolCall:
    return ToolCall("Bash", {"command": f'python3 -c "{code}"'})


def says(match: str, *turns: Turn) -> Script:
    return Script((Role(match, turns),))


class Bench:
    """One test's store and folders."""

    def __init__(self, root: Path) -> None:
        self.project = root / "project"
        self.project.mkdir()
        (root / "home").mkdir()
        self.home = Home(self.project / ".orch")
        self.store = Store.open(self.home, create=True)
        self.env = {name: os.environ[name] for name in PASSED if name in os.environ} | {
            "HOME": str(root / "home"),
            "CLAUDE_CONFIG_DIR": str(root / "home" / "claude"),
            "ANTHROPIC_API_KEY": "made-up",
            "CLAUDE_CODE_MAX_RETRIES": "0",
        }

    def open_other(self) -> Store:
        """A second connection, for another thread."""
        return Store.open(self.home)

    def submit(self, request: str, limits: Limits | None = None, **ways: object) -> int:
        new = NewTree(NewJob(request), limits=limits or Limits(), work_dir=str(self.project), **ways)  # type: ignore[arg-type]
        with self.store.write() as tx:
            return submit_tree(tx, new, now_ms())

    def start(self, job_id: int) -> Work:
        """What the supervisor and the attempt do before the runner."""
        with self.store.write() as tx:
            fence = start_attempt(tx, job_id, token_hash(f"{job_id}-{now_ms()}"), now_ms())
            job = claim(tx, fence, os.getpid(), now_ms())
            tree = get_tree(tx, job.root_id)
        folder = private_dir(self.home.attempt_dir(job.id, job.attempt))
        return Work(LocalSteps(self.store, job.fence), job, tree, folder, self.env)

    def run(self, job_id: int, model: ScriptedModel) -> Ending:
        """One attempt, recorded."""
        work = self.start(job_id)
        return self.finish(work, model)

    def finish(self, work: Work, model: ScriptedModel) -> Ending:
        env = {**work.env, "ANTHROPIC_BASE_URL": model.url}
        with StopSignal() as stop:
            ending = claude.run(Work(work.steps, work.job, work.tree, work.folder, env), stop)
        self.record(work, ending)
        return ending

    def record(self, work: Work, ending: Ending) -> Status:
        with self.store.write() as tx:
            return record(tx, work.job.fence, ending, now_ms())

    def end_child(self, job_id: int, outcome: Outcome) -> None:
        """Let a child's worker end like this."""
        work = self.start(job_id)
        with self.store.write() as tx:
            ends.finish(tx, work.job.fence, outcome, now_ms())

    def job(self, job_id: int) -> Job:
        with self.store.read() as reader:
            return get_job(reader, job_id)

    def transcript(self, job_id: int, attempt: int) -> list[dict[str, Any]]:
        path = self.home.attempt_dir(job_id, attempt) / "transcript.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def prompt(self, job_id: int, attempt: int) -> str:
        """What the attempt said to Claude Code; the last, where a session had to be begun anew."""
        return str([line["text"] for line in self.transcript(job_id, attempt) if line["type"] == "Prompt"][-1])

    def ledger(self, job_id: int) -> Sequence[LedgerEntry]:
        with self.store.read() as reader:
            return ledger(reader, job_id)


def completed(result: str) -> Outcome:
    return Outcome(Status.COMPLETED, result=result)
