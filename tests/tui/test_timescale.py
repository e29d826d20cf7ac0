"""Time as cells: the axis, bars, the sparkline, zoom and scroll."""

import re

import pytest
from rich.cells import cell_len

from store.states import Status
from tui_orch.tui.timeline import Life, Phase, Piece, Span
from tui_orch.tui.timescale import LONGEST_MS, SHORTEST_MS, Scale, Stretch, axis, bar, fitted, sparkline

SIGNS = {Phase.QUEUED: "q", Phase.RUNNING: "R", Phase.WAITING: "w", None: "."}


def one(*spans: tuple[Phase, int, int | None]) -> Life:
    return Life(1, None, "job", Status.RUNNING, tuple(Span(*span) for span in spans), ())


def drawn(found: Life, scale: Scale, now: int = 1_000_000) -> str:
    return "".join(SIGNS[stretch.phase] * stretch.cells for stretch in bar(found, [], scale, now))


def test_a_scale_that_fits_holds_both_ends() -> None:
    """And never stands for less than a millisecond a cell."""
    scale = fitted(1_000, 11_000, 50)
    assert (scale.start_ms, scale.end_ms, scale.ms) == (1_000, 11_000, 200)
    assert scale.cell(6_000) == 25
    assert fitted(5, 5, 0) == Scale(5, SHORTEST_MS, 1)


def test_zoom_keeps_the_place() -> None:
    """What is in the middle stays there; there is an end to it on both sides."""
    scale = fitted(0, 10_000, 100)
    closer = scale.zoomed(0.5, 50)
    assert closer.ms == 50
    assert closer.start_ms + 50 * closer.ms == scale.start_ms + 50 * scale.ms
    assert scale.zoomed(1e-12, 50).ms == SHORTEST_MS
    assert scale.zoomed(1e12, 50).ms == LONGEST_MS
    assert scale.scrolled(10).start_ms == 1_000


def test_a_bar_shows_each_phase_where_it_was() -> None:
    """Running, waiting and queued, an open span until now, and nothing before or behind."""
    found = one((Phase.QUEUED, 1_000, 3_000), (Phase.RUNNING, 3_000, 5_000), (Phase.WAITING, 5_000, None))
    assert drawn(found, fitted(0, 10_000, 10), now=8_000) == ".qqRRwww.."


def test_what_is_shorter_than_a_cell_is_still_shown() -> None:
    """Even if it took no time."""
    assert drawn(one((Phase.RUNNING, 5_500, 5_501)), fitted(0, 10_000, 10)) == ".....R...."
    assert drawn(one((Phase.RUNNING, 5_500, 5_500)), fitted(0, 10_000, 10)) == ".....R...."


def test_a_cell_shows_what_took_the_most_of_it() -> None:
    """Half of the time each: work."""
    found = one((Phase.QUEUED, 0, 700), (Phase.RUNNING, 700, 1_500), (Phase.WAITING, 1_500, 2_000))
    assert drawn(found, fitted(0, 2_000, 2)) == "qR"


def test_what_is_out_of_view_is_not_drawn() -> None:
    """Before and behind."""
    scale = fitted(10_000, 20_000, 10)
    assert drawn(one((Phase.RUNNING, 0, 9_000)), scale) == "." * 10
    assert drawn(one((Phase.RUNNING, 21_000, None)), scale) == "." * 10
    assert drawn(one((Phase.RUNNING, 0, None)), scale) == "R" * 10


def test_the_critical_part_of_a_bar_is_marked() -> None:
    """Where something is drawn."""
    found = one((Phase.RUNNING, 0, 10_000))
    held = [Piece(1, Phase.RUNNING, 5_000, 10_000)]
    assert bar(found, held, fitted(0, 10_000, 10), 0) == [
        Stretch(5, Phase.RUNNING, False),
        Stretch(5, Phase.RUNNING, True),
    ]


@pytest.mark.parametrize("seconds", [0.02, 1, 7, 60, 1_000, 86_400, 30 * 86_400, 3_000 * 86_400])
@pytest.mark.parametrize("cells", [1, 9, 80, 300])
def test_the_axis_has_ticks_that_do_not_touch(seconds: float, cells: int) -> None:
    """At round times, whatever the scale, as wide as the rows."""
    text = axis(fitted(0, round(seconds * 1_000), cells), 0)
    assert cell_len(text) == cells
    labels = re.findall(r"│([\d.a-z]+)", text)
    if cells >= 80:
        assert 2 <= len(labels) <= cells // 8
        assert labels[0] == "0s"
        assert len(set(labels)) == len(labels)


def test_the_axis_counts_from_the_beginning_of_the_tree() -> None:
    """Wherever the view has been scrolled to; there are no times before it."""
    assert axis(Scale(10_000, 1_000, 30), 0).split() == ["│10s", "│20s", "│30s"]
    assert "│0s" in axis(Scale(-10_000, 1_000, 30), 0)
    assert "-" not in axis(Scale(-10_000, 1_000, 30), 0)


def test_the_sparkline_shows_the_most_of_each_cell() -> None:
    """A peak that is shorter than a cell is not lost."""
    steps = [(0, 1), (2_000, 4), (2_001, 2), (8_000, 0)]
    assert sparkline(steps, fitted(0, 10_000, 10), 4) == "▂▂█▄▄▄▄▄  "
    assert sparkline([], fitted(0, 10_000, 4), 0) == "    "
