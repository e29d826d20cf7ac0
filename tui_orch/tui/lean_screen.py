"""The app's screen, drawn with less work: of each widget only the lines that changed and that nothing hides.

Textual's own compositor goes through every line of every widget for each frame: 4 ms of Python where five rows of forty
changed, and a third of that with this. What is drawn is the same, and can be drawn without waiting for a turn. Knows
no widget.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.control import Control
from textual._compositor import Compositor, CompositorUpdate
from textual.geometry import Offset, Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

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


class LinesUpdate(CompositorUpdate):
    """A frame of some whole lines of one widget: each begins in cell ``x`` of the line of the screen it comes with."""

    def __init__(self, x: int, lines: Sequence[tuple[int, Strip]]) -> None:
        self._x = x
        self._lines = lines

    def __rich_console__(self, _console: Console, _options: ConsoleOptions) -> RenderResult:
        for y, strip in self._lines:
            yield Control.move_to(self._x, y).segment
            yield from strip

    def render_segments(self, console: Console) -> str:
        """Return what is sent to the terminal."""
        return "".join(f"\x1b[{y + 1};{self._x + 1}H{strip.render(console)}" for y, strip in self._lines)


class LeanScreen(Screen[None]):
    """A screen with that compositor. For the app's default screen: dialogs lie on it with Textual's own."""

    def __init__(self) -> None:
        super().__init__(id="_default")
        self._compositor = LeanCompositor()
        self._bare: tuple[object, Widget, int, Offset | None] | None = None  # what `_place_of` found last

    def draw_now(self, widget: Widget, width: int, lines: Iterable[int], draw: Callable[[int], Strip]) -> bool:
        """Draw these lines of a widget in this very step, each ``width`` cells from its left edge; ``draw`` gives them.

        On Textual's way a frame takes three messages and a timer, which cost more than to draw five rows. False where that
        way has to be gone, with `Widget.refresh`: frames are held back, something is or may be in front, all is to be laid
        out anew.
        """
        app = self.app
        if not app.is_running or app._batch_count or app.screen is not self or self._layout_required:
            return False
        if self._scroll_required or self._repaint_required or widget._layout_required or widget._scroll_required:
            return False
        place = self._place_of(widget, width)
        if place is None:
            return False
        x, top = place
        app._display(self, LinesUpdate(x, [(top + y, draw(y)) for y in lines]))
        return True

    def _place_of(self, widget: Widget, width: int) -> Offset | None:
        """Return where a widget's first cell is, or None where anything hides a part of it."""
        visible = self._compositor.visible_widgets  # another one after each layout
        if self._bare is None or self._bare[0] is not visible or self._bare[1:3] != (widget, width):
            self._bare = (visible, widget, width, _place_in(visible, widget, width))
        return self._bare[3]


def _place_in(visible: Mapping[Widget, tuple[Region, Region]], widget: Widget, width: int) -> Offset | None:
    """Return where a widget's first cell is; ``visible``: widgets with region and clip, the foremost first."""
    if widget not in visible:
        return None
    region, clip = visible[widget]
    shown = region.crop_size((width, region.height))
    if shown.width < width or not clip.contains_region(shown):
        return None
    for other, (at, within) in visible.items():
        if other is widget:
            break
        if at.intersection(within).overlaps(shown):
            return None
    return region.offset
