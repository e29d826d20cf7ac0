"""A conversation with the API for a test of a flow: what comes of each step is written down, and so is the time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tui_orch.client.api_errors import Answer
from tui_orch.client.api_steps import Call, Feed, Flow, Hear, Heard, Listen, Lost, Pause, Step, Tell
from tui_orch.client.backoff import Terms

T = TypeVar("T")
URL = "http://127.0.0.1:8000"
LOST = Lost("nothing answers")


def good(value: Any) -> Answer:
    return Answer(200, {"content-type": "application/json"}, json.dumps(value).encode(), URL)


def problem(status: int, code: str = "code", **members: Any) -> Answer:
    body = {
        "type": f"urn:tui-orch:{code}",
        "title": "t",
        "status": status,
        "detail": "said why",
        "code": code,
        **members,
    }
    return Answer(status, {"content-type": "application/problem+json"}, json.dumps(body).encode(), URL)


def stream() -> Answer:
    return Answer(200, {"content-type": "text/event-stream; charset=utf-8"}, b"", URL)


def event(name: str, seq: int, **job: Any) -> bytes:
    return f"id: {seq}\nevent: {name}\ndata: {json.dumps({'seq': seq, **job})}\n\n".encode()


@dataclass
class Conversation:
    """Sends a flow what ``answers`` hold, in turn; a number lets so many seconds pass and goes on to the next."""

    answers: list[Heard | float]
    patience_s: float = 60.0
    now: float = 1000.0
    said: list[Step] = field(default_factory=list)

    @property
    def terms(self) -> Terms:
        return Terms(self.patience_s, lambda: self.now, lambda: 1.0)

    @property
    def calls(self) -> list[str]:
        return [
            f"{step.method} {step.path}" if isinstance(step, Call) else "listen"
            for step in self.said
            if isinstance(step, Call | Listen)
        ]

    @property
    def pauses(self) -> list[float]:
        return [step.seconds for step in self.said if isinstance(step, Pause)]

    def run(self, flow: Flow[T]) -> T:
        heard: Heard = None
        while True:
            try:
                step = flow.send(heard)
            except StopIteration as end:
                value: T = end.value
                return value
            heard = self._do(step)

    def told(self, feed: Feed) -> Sequence[Tell]:
        """Return what a feed tells until the answers are used up."""
        told: list[Tell] = []
        heard: Heard = None
        while True:
            try:
                step = feed.send(heard)
            except StopIteration:
                return told
            heard = None
            if isinstance(step, Tell):
                told.append(step)
            elif isinstance(step, Call | Listen | Hear) and not self.answers:
                return told
            else:
                heard = self._do(step)

    def _do(self, step: Step) -> Heard:
        self.said.append(step)
        if isinstance(step, Pause):
            self.now += step.seconds
        if not isinstance(step, Call | Listen | Hear):
            return None
        while self.answers:
            heard = self.answers.pop(0)
            if not isinstance(heard, float):
                return heard
            self.now += heard
        raise AssertionError(f"nothing is written down for {step}")
