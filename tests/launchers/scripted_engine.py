"""An engine that says what a test tells it to say."""

import threading
from collections.abc import Collection, Mapping

from tui_orch.supervisor.engines.engine import EngineJob, EngineState


class ScriptedEngine:
    """Jobs are pending once submitted; all else is the test's."""

    title = "the engine"
    poll_s = 0.005

    def __init__(self) -> None:
        self.states: dict[str, EngineState] = {}
        self.submitted: list[EngineJob] = []
        self.stopped: list[str] = []
        self.looks = 0
        self.silent: Exception | None = None  # what every call raises
        self.refuses: Exception | None = None  # what `submit` raises
        self.accepts_all_the_same = False  # though it raises
        self.gate = threading.Event()  # `submit` waits for it
        self.gate.set()
        self.is_closed = False

    def submit(self, job: EngineJob) -> None:
        self.gate.wait(30)
        if self.silent is None and (self.refuses is None or self.accepts_all_the_same):
            self.submitted.append(job)
            self.states.setdefault(job.name, EngineState("pending"))
        if self.silent or self.refuses:
            raise self.silent or self.refuses  # type: ignore[misc]

    def poll(self, names: Collection[str]) -> Mapping[str, EngineState]:
        self.looks += 1
        if self.silent is not None:
            raise self.silent
        return {name: self.states[name] for name in names if name in self.states}

    def stop(self, names: Collection[str]) -> None:
        if self.silent is not None:
            raise self.silent
        self.stopped += names

    def close(self) -> None:
        self.is_closed = True
