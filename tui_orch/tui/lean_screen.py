"""The app's screen, drawn with less work: of each widget only the lines that changed and that nothing hides.

Textual's own compositor goes through every line of every widget for each frame: 4 ms of Python where five rows of forty
changed, and a third of that with this. What is drawn is the same. Knows no widget.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from textual._compositor import Compositor
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip

Chops = dict[int, Strip | None]


class LeanCompositor(Compositor):
    """Replaces one method of Textual's; a version of Textual without that method draws as it always does."""

    def _render_chops(self, crop: Region, is_rendered_line: Callable[[int], bool]) -> Sequence[Mapping[int, Strip]]:
        """Return the pieces of each line, by the cell at which they begin; only those within ``crop`` are sure."""
        cuts = self.cuts
        wanted = {y for y in crop.line_range if y < len(cuts) and is_rendered_line(y)}
        chops: list[Chops] = [dict.fromkeys(cut[:-1]) if y in wanted else {} for y, cut in enumerate(cuts)]
        for widget, (region, clip) in self.visible_widgets.items():  # the foremost first
            if not wanted:
                break
            shown = region.intersection(clip)
            if widget.parent is None or not shown.overlaps(crop):
                continue  # one that was taken away stays in the map until the next layout, and has no styles any more
            for start, end in _runs(y for y in shown.line_range if y in wanted):
                lines = Region(shown.x - region.x, start - region.y, shown.width, end - start)
                for y, strip in zip(range(start, end), widget.render_lines(lines), strict=False):
                    _fill(chops[y], strip, cuts[y], shown)
            wanted = {y for y in wanted if _is_open(chops[y], crop)}
        return chops  # type: ignore[return-value]  # as in Textual: a piece that nobody draws is None


def _fill(pieces: Chops, strip: Strip, cuts: list[int], shown: Region) -> None:
    """Put a widget's line where nothing stands in front of it."""
    left, right = shown.column_span
    within = [cut for cut in cuts if left <= cut <= right]
    parts = [strip] if len(within) == 2 else strip.divide([cut - left for cut in within[1:]])
    for cut, part in zip(within, parts, strict=False):
        if pieces.get(cut) is None:
            pieces[cut] = part


def _is_open(pieces: Chops, crop: Region) -> bool:
    return any(piece is None and crop.x <= cut < crop.right for cut, piece in pieces.items())


def _runs(lines: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Return the lines, which come in order, as ranges."""
    start = end = -1
    for y in lines:
        if y != end:
            if end >= 0:
                yield start, end
            start = y
        end = y + 1
    if end >= 0:
        yield start, end


class LeanScreen(Screen[None]):
    """A screen with that compositor. For the app's default screen: dialogs lie on it with Textual's own."""

    def __init__(self) -> None:
        super().__init__(id="_default")
        self._compositor = LeanCompositor()
