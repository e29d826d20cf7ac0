"""Stores, logs and waiting for the tests of the detail and of the timeline; times are seconds after ``T0_MS``."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store import claim, finish, submit
from store.database import Store
from store.home import Home, private_dir
from store.models import Fence, Limits, NewJob, NewTree, Outcome, Usage
from store.states import Kind, Status

T0_MS = 1_700_000_000_000
DEEP = "[" * 100_000 + "]" * 100_000


def at(seconds: float) -> int:
    """Return a moment (ms)."""
    return T0_MS + round(seconds * 1_000)


class Made:
    """A new store, and short words for what happens in it."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(Home(folder / ".orch"), create=True)
        self.store._connection.pragma("synchronous", "OFF")  # no wait for the disk

    def root(self, request: str = "do it", kind: Kind = Kind.COMMAND, second: float = 0, **limits: Any) -> int:
        with self.store.write() as tx:
            new = NewTree(NewJob(request, kind), limits=Limits(**{"max_workers": 8, **limits}))
            return submit.submit_tree(tx, new, at(second))

    def group(self, *requests: str, second: float = 0) -> int:
        items = tuple(NewJob(request, Kind.COMMAND) for request in requests)
        with self.store.write() as tx:
            return submit.submit_tree(tx, NewTree(NewJob("all of it", Kind.GROUP), items), at(second))

    def start(self, job_id: int, second: float = 1, pid: int = 4242) -> Fence:
        with self.store.write() as tx:
            fence = claim.start_attempt(tx, job_id, claim.token_hash(f"{job_id} {second}"), at(second))
            claim.claim(tx, fence, pid, at(second))
            return fence

    def spawn(self, fence: Fence, *requests: str, second: float = 2) -> tuple[int, ...]:
        with self.store.write() as tx:
            tasks = [NewJob(request, Kind.COMMAND) for request in requests]
            return submit.spawn(tx, fence, tasks, at(second)).job_ids

    def suspend(self, fence: Fence, second: float = 3, waiting_for: str = "children") -> Status:
        with self.store.write() as tx:
            return finish.suspend(tx, fence, waiting_for, "session-1", Usage(), at(second))

    def finish(self, fence: Fence, second: float = 4, **outcome: Any) -> Status:
        with self.store.write() as tx:
            return finish.finish(tx, fence, Outcome(**{"status": Status.COMPLETED, **outcome}), at(second))

    def run(self, job_id: int, start: float, end: float, **outcome: Any) -> None:
        """Let a job run from one second to another."""
        self.finish(self.start(job_id, start), end, **outcome)

    def log(self, job_id: int, content: bytes | str, attempt: int = 1, name: str = "output") -> Path:
        """Write what an attempt put out."""
        path = private_dir(self.store.home.attempt_dir(job_id, attempt)) / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def transcript(self, job_id: int, *entries: dict[str, Any], rest: str = "", attempt: int = 1) -> Path:
        """Write what passed between an attempt and Claude Code."""
        text = "".join(json.dumps(entry) + "\n" for entry in entries)
        return self.log(job_id, text + rest, attempt, "transcript.jsonl")


def said(text: str) -> dict[str, Any]:
    return {"type": "AssistantMessage", "content": [{"text": text}]}


def called(name: str, **given: Any) -> dict[str, Any]:
    return {"type": "AssistantMessage", "content": [{"name": name, "input": given, "id": "1"}]}


def returned(text: str, *, is_error: bool = False) -> dict[str, Any]:
    return {"type": "UserMessage", "content": [{"tool_use_id": "1", "content": text, "is_error": is_error}]}


def grow(path: Path, text: str) -> None:
    """Let more come to a log."""
    with path.open("a") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


async def until(condition: Callable[[], object], otherwise: str = "it did not come to that") -> None:
    """Let the app go on until something holds."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, otherwise
        await asyncio.sleep(0.005)
