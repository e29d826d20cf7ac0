"""How time becomes cells: scale and zoom, the axis, the bar of one job, the sparkline of workers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from math import ceil, floor
from typing import NamedTuple

from tui_orch.client.measures import duration
from tui_orch.tui.timeline import Life, Phase, Piece

#: The shortest time that a cell stands for (ms), and the longest: a year on one screen.
SHORTEST_MS = 1.0
LONGEST_MS = 4e8
_LABEL_CELLS = 9
_SECOND = 1_000
_STEPS_MS = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(count * _SECOND for count in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800)),
    *(count * 3_600 * _SECOND for count in (1, 2, 3, 6, 12, 24, 48, 120, 240, 720, 2_400, 8_760)),
)
_TICK = "│"
_SPARKS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Scale:
    """``cells`` cells of ``ms`` milliseconds each, the first beginning at ``start_ms``."""

    start_ms: float
    ms: float
    cells: int

    @property
    def end_ms(self) -> float:
        """Where the last cell ends."""
        return self.start_ms + self.ms * self.cells

    def cell(self, moment_ms: float) -> float:
        """Return where a moment is, in cells from the left."""
        return (moment_ms - self.start_ms) / self.ms

    def zoomed(self, factor: float, at_cell: float) -> "Scale":
        """Return a scale with cells of ``factor`` times as much time; what is at a cell stays there."""
        ms = min(max(self.ms * factor, SHORTEST_MS), LONGEST_MS)
        return replace(self, start_ms=self.start_ms + (self.ms - ms) * at_cell, ms=ms)

    def scrolled(self, cells: float) -> "Scale":
        """Return a scale that begins so many cells later."""
        return replace(self, start_ms=self.start_ms + cells * self.ms)


def fitted(first_ms: int, last_ms: int, cells: int) -> Scale:
    """Return the scale in which two moments are the two ends."""
    cells = max(cells, 1)
    return Scale(first_ms, min(max((last_ms - first_ms) / cells, SHORTEST_MS), LONGEST_MS), cells)


class Stretch(NamedTuple):
    """Some cells alike. ``phase`` None: the job was not there, or had ended."""

    cells: int
    phase: Phase | None
    critical: bool


def bar(one: Life, held: Sequence[Piece], scale: Scale, now_ms: int) -> list[Stretch]:
    """Return a job's cells, each what took the most of it; what is too short for a cell takes one all the same.

    ``held``: the job's own pieces of the critical path.
    """
    phases: list[Phase | None] = [None] * scale.cells
    shared: dict[int, dict[Phase, float]] = {}  # the cells in which something began or ended
    for span in one.spans:
        first, last = scale.cell(span.start_ms), scale.cell(span.until(now_ms))
        touched = _touched(scale, first, last)
        whole = range(max(ceil(first), 0), min(floor(last), scale.cells))
        if whole:
            phases[whole.start : whole.stop] = [span.phase] * len(whole)
        for cell in {*touched[:1], *touched[-1:]}:
            if cell not in whole:
                shares = shared.setdefault(cell, {})
                shares[span.phase] = shares.get(span.phase, 0.0) + max(min(last, cell + 1) - max(first, cell), 0.0)
    for cell, shares in shared.items():
        phases[cell] = max(shares, key=lambda phase: (shares[phase], phase is Phase.RUNNING))
    critical = [False] * scale.cells
    for piece in held:
        touched = _touched(scale, scale.cell(piece.start_ms), scale.cell(piece.end_ms))
        critical[touched.start : touched.stop] = [True] * len(touched)
    cells = [(phase, phase is not None and marked) for phase, marked in zip(phases, critical, strict=True)]
    return [Stretch(len(list(alike)), *found) for found, alike in groupby(cells)]


def axis(scale: Scale, origin_ms: int) -> str:
    """Return the line of times, counted from ``origin_ms``, as wide as the scale."""
    wanted = scale.ms * _LABEL_CELLS
    step = next((step for step in _STEPS_MS if step >= wanted), _STEPS_MS[-1])
    text = [" "] * scale.cells
    nth = ceil((scale.start_ms - origin_ms) / step)
    while (at := floor(scale.cell(origin_ms + nth * step))) < scale.cells:
        if nth >= 0 and at >= 0:
            label = _TICK + _elapsed(nth * step, step)
            text[at : at + len(label)] = list(label)[: scale.cells - at]
        nth += 1
    return "".join(text)[: scale.cells]


def sparkline(steps: Sequence[tuple[int, int]], scale: Scale, most: int) -> str:
    """Return the most workers at once in each cell, ``most`` being the full height. ``steps`` as `at_work` gives them."""
    peaks = [0] * scale.cells
    for (start_ms, count), (end_ms, _) in pairwise(steps):
        for cell in _touched(scale, scale.cell(start_ms), scale.cell(end_ms)) if count else ():
            peaks[cell] = max(peaks[cell], count)
    full = len(_SPARKS) - 1
    return "".join(_SPARKS[min(full, ceil(peak * full / max(most, 1)))] for peak in peaks)


def _touched(scale: Scale, first: float, last: float) -> range:
    """Return the cells that a time from ``first`` to ``last`` touches; a moment touches one."""
    if last < 0 or first >= scale.cells:
        return range(0)
    return range(max(0, floor(first)), min(scale.cells, max(floor(first) + 1, ceil(last))))


def _elapsed(ms: int, step: int) -> str:
    if step >= _SECOND:
        return duration(ms)
    return f"{ms / _SECOND:.3f}".rstrip("0").rstrip(".") + "s"
