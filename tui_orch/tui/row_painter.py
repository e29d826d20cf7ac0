"""Paints rows: gives the cells of a row their colours, and remembers what was painted. Decides nothing about rows.

A painted row is kept until something that is to be seen in it differs, the time included.
"""

from collections.abc import Callable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_orch.tui import row
from tui_orch.tui.row import Glyphs, Role, Row
from tui_orch.tui.tree_model import Line

#: Painted rows that are kept: some screens.
_KEPT = 400


class _Styles(dict[str, Style]):
    """Each style as it was when it was needed first."""

    def __init__(self, style_of: Callable[[str], Style]) -> None:
        super().__init__()
        self._style_of = style_of

    def __missing__(self, name: str) -> Style:
        style = self[name] = self._style_of(name)
        return style


class RowPainter:
    """Paints with the styles that ``style_of`` gives for a role's name, or for ``cursor``."""

    def __init__(self, style_of: Callable[[str], Style], now_ms: Callable[[], int], glyphs: Glyphs) -> None:
        #: Rows composed so far.
        self.painted = 0
        self._now_ms = now_ms
        self._glyphs = glyphs
        self._strips: dict[int, tuple[tuple[object, ...], Strip]] = {}
        self._styles = _Styles(style_of)

    def forget(self) -> None:
        """Forget everything that was painted: the colours are others."""
        self._strips.clear()
        self._styles.clear()

    def row(self, line: Line, width: int) -> Row:
        """Return what stands in a row."""
        if line.job is None:
            return row.blank(line.depth, width, self._glyphs)
        return row.cells(
            line.job, self._now_ms(), width, folded=line.folded, question=line.question, glyphs=self._glyphs
        )

    def paint(self, line: Line, width: int, *, is_cursor: bool) -> Strip:
        """Return a row in colours."""
        if line.job is None:
            return self._compose(line, width, is_cursor)
        moment = row.moment(line.job, self._now_ms())
        painted_for = (line.job.seq, width, is_cursor, line.folded, line.question, moment)
        known = self._strips.get(line.job.id)
        if known is None or known[0] != painted_for:
            if len(self._strips) >= _KEPT:
                self._strips.clear()
            known = self._strips[line.job.id] = (painted_for, self._compose(line, width, is_cursor))
        return known[1]

    def is_stale(self, line: Line) -> bool:
        """Tell whether the time alone has changed a row since it was painted."""
        if line.job is None or line.job.ended_ms is not None:
            return False
        known = self._strips.get(line.job.id)
        return known is not None and known[0][-1] != row.moment(line.job, self._now_ms())

    def text(self, text: str, width: int, ground: Style) -> Strip:
        """Return a line of text that is no row, on ``ground``."""
        return Strip([Segment(text, self._styles[Role.ASIDE])]).adjust_cell_length(width, ground)

    def _compose(self, line: Line, width: int, is_cursor: bool) -> Strip:
        self.painted += 1
        cells, styles = self.row(line, width).cells, self._styles
        if is_cursor:
            style = styles["cursor"]
            return Strip([Segment(text, style) for text, _ in cells], width)
        return Strip([Segment(text, styles[role]) for text, role in cells], width)
