"""When each job of a tree waited, queued and ran, and what holds the root up. Pure: from the history, without a clock.

A job's spans are told by the changes of its state. The critical path goes back from the root's end, or from now, through
the child that ended last wherever a job waited for its children: what it holds is what made the tree take this long.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from store.models import Change
from store.states import FINAL, Reason, Status
from store.timed import TimedJob

#: Children that are looked at for one critical path. A tree that needs more was not made by workers.
_MOST_LOOKS = 50_000


class Phase(StrEnum):
    """What a job does in a span of time."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start_ms`` up to ``end_ms``; None: still. ``for_children``: it waits for them, not for an answer."""

    phase: Phase
    start_ms: int
    end_ms: int | None
    for_children: bool = False

    def until(self, now_ms: int) -> int:
        """Return its end, or now; never before its start."""
        return max(self.start_ms, now_ms if self.end_ms is None else self.end_ms)


@dataclass(frozen=True, slots=True)
class Life:
    """A job over time. ``ends_ms``: each time it ended, more than one if it was retried."""

    id: int
    parent_id: int | None
    title: str
    status: Status
    spans: tuple[Span, ...]
    ends_ms: tuple[int, ...]
    level: int = 0  # below the root, as drawn

    @property
    def start_ms(self) -> int:
        """When it was made."""
        return self.spans[0].start_ms if self.spans else self.ends_ms[0] if self.ends_ms else 0

    def lives_at(self, moment_ms: int) -> bool:
        """Tell whether it had begun and not ended then."""
        return any(
            span.start_ms < moment_ms and (span.end_ms is None or span.end_ms >= moment_ms) for span in self.spans
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the critical path: the job that held the root up from ``start_ms`` to ``end_ms``."""

    job_id: int
    phase: Phase
    start_ms: int
    end_ms: int


def life(job: TimedJob) -> Life:
    """Return a job's spans."""
    spans, ends = spans_of(job.changes)
    if job.lending and spans and spans[-1].phase is Phase.RUNNING:
        spans = (*spans[:-1], replace(spans[-1], for_children=True))
    return Life(job.id, job.parent_id, job.title, job.status, spans, ends)


def spans_of(changes: Sequence[Change]) -> tuple[tuple[Span, ...], tuple[int, ...]]:
    """Return the spans that changes of a state, the oldest first, stand for, and the times at which the job ended."""
    spans: list[Span] = []
    ends: list[int] = []
    for at, change in enumerate(changes):
        if change.status in FINAL:
            ends.append(change.at_ms)
            continue
        end_ms = max(changes[at + 1].at_ms, change.at_ms) if at + 1 < len(changes) else None
        waits = change.status is Status.WAITING
        spans.append(Span(Phase(change.status.value), change.at_ms, end_ms, waits and change.reason != Reason.ASK))
    return tuple(spans), tuple(ends)


def in_order(lives: Iterable[Life], root_id: int) -> list[Life]:
    """Return the jobs of a tree as they are drawn, each below its parent; what hangs on nothing is left out."""
    below: dict[int | None, list[Life]] = {}
    root: Life | None = None
    for one in lives:
        if one.id == root_id:
            root = one
        else:
            below.setdefault(one.parent_id, []).append(one)
    found: list[Life] = []
    stack = [(root, 0)] if root is not None else []
    while stack:
        one, level = stack.pop()
        found.append(Life(one.id, one.parent_id, one.title, one.status, one.spans, one.ends_ms, level))
        children = sorted(below.pop(one.id, ()), key=lambda child: child.id, reverse=True)
        stack += [(child, level + 1) for child in children]
    return found


def critical_path(lives: Sequence[Life], root_id: int, now_ms: int) -> list[Piece]:
    """Return what holds or held the root up, from its beginning to its end or to now, each moment of it once."""
    by_id = {one.id: one for one in lives}
    below: dict[int | None, list[Life]] = {}
    for one in lives:
        below.setdefault(one.parent_id, []).append(one)
    if root_id not in by_id:
        return []
    root = by_id[root_id]
    walk = _Walk(below, now_ms)
    walk.from_end(root, root.ends_ms[-1] if root.status in FINAL and root.ends_ms else now_ms)
    return walk.pieces[::-1]


def at_work(lives: Iterable[Life], now_ms: int) -> list[tuple[int, int]]:
    """Return how many jobs had a process at once: from each moment (ms) on so many, until the next one."""
    steps: dict[int, int] = {}
    for one in lives:
        for span in one.spans:
            if span.phase is Phase.RUNNING and span.until(now_ms) > span.start_ms:
                steps[span.start_ms] = steps.get(span.start_ms, 0) + 1
                steps[span.until(now_ms)] = steps.get(span.until(now_ms), 0) - 1
    found: list[tuple[int, int]] = []
    count = 0
    for moment_ms in sorted(steps):
        count += steps[moment_ms]
        found.append((moment_ms, count))
    return found


class _Walk:
    """Goes back in time: in a job from span to span, and into a child where the job waited for it."""

    def __init__(self, below: Mapping[int | None, Sequence[Life]], now_ms: int) -> None:
        self.pieces: list[Piece] = []
        self._below = below
        self._now_ms = now_ms
        self._used: set[int] = set()
        self._looks = _MOST_LOOKS

    def from_end(self, root: Life, end_ms: int) -> None:
        """Collect the pieces, the last one first."""
        frames = [_Frame(root, end_ms, len(root.spans) - 1)]
        self._used.add(root.id)
        while frames:
            frame = frames[-1]
            if frame.at < 0:
                frames.pop()
                if frames:
                    frames[-1].until_ms = min(frames[-1].until_ms, frame.until_ms, frame.one.start_ms)
                continue
            span = frame.one.spans[frame.at]
            until_ms = min(frame.until_ms, span.until(self._now_ms))
            if span.start_ms >= until_ms:
                frame.at -= 1
                continue
            child = self._held_by(frame.one, span.start_ms, until_ms) if span.for_children else None
            if child is None:
                self._add(frame.one, span.phase, span.start_ms, until_ms)
                frame.until_ms = span.start_ms
                continue
            one, end_ms = child
            self._used.add(one.id)
            self._add(frame.one, span.phase, end_ms, until_ms)
            frame.until_ms = end_ms
            frames.append(_Frame(one, end_ms, len(one.spans) - 1))

    def _add(self, one: Life, phase: Phase, start_ms: int, end_ms: int) -> None:
        if end_ms > start_ms:
            self.pieces.append(Piece(one.id, phase, start_ms, end_ms))

    def _held_by(self, parent: Life, since_ms: int, moment_ms: int) -> tuple[Life, int] | None:
        """Return the child that ended last between two moments, and when; of those that lived on the oldest."""
        best: tuple[int, int, int] | None = None
        found: Life | None = None
        children = self._below.get(parent.id, ()) if self._looks > 0 else ()
        self._looks -= len(children)
        for child in children:
            if child.id in self._used:
                continue
            ended = [end for end in child.ends_ms if since_ms < end <= moment_ms]
            end_ms = moment_ms if child.lives_at(moment_ms) else ended[-1] if ended else None
            if end_ms is not None and (best is None or (end_ms, -child.start_ms, -child.id) > best):
                best, found = (end_ms, -child.start_ms, -child.id), child
        return None if best is None or found is None else (found, best[0])


@dataclass(slots=True)
class _Frame:
    one: Life
    until_ms: int
    at: int  # of its spans
