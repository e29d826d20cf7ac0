"""The lines at the top: the totals of the whole store, and below them what holds it up, if anything does.

`header_text` is pure; `StoreHeader` draws it and lets its clocks run. As the screen gets narrower the totals go in this
order, the first one first:

    the store's name, the rate of dollars, waiting, queued, dollars, the words (``● 5/8`` instead of ``● 5/8 running``)

How many run of how many slots, and the asks, stay. What holds the store up is cut at the end.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from store.states import Status
from store.tree import StoreState
from tui_orch.client.cells import cut
from tui_orch.client.measures import clock, duration, moment
from tui_orch.client.text import one_line
from tui_orch.tui.figures import amount, dollars
from tui_orch.tui.row import UNICODE, Cell, Glyphs, Role

_GAP = "  "
_SHOWN_CHARS = 600
_TICK_S = 1.0
_NEAR_MS = 12 * 3_600_000
_STYLES = {
    Role.RUNNING: "$text-primary",
    Role.QUEUED: "$text-muted",
    Role.WAITING: "$text-accent",
    Role.ASKING: "bold $warning reverse",
    Role.PARTIAL: "bold $warning",
    Role.FAILED: "bold $error",
    Role.TITLE: "bold",
}


@dataclass(frozen=True, slots=True)
class Totals:
    """What the header tells. ``usd_per_minute`` None: not known yet; ``trouble``: why the store can not be read;
    ``opening``: what is being done before it can be read for the first time.
    """

    state: StoreState
    spent_usd: float = 0.0
    usd_per_minute: float | None = None
    supervisor: bool = True
    name: str = ""
    trouble: str | None = None
    opening: str | None = None


def header_text(totals: Totals, now_ms: int, width: int, glyphs: Glyphs = UNICODE) -> list[list[Cell]]:
    """Return one line or two, each of at most ``width`` cells."""
    lines = [_totals(totals, width, glyphs)]
    notice = _notice(totals, now_ms)
    if notice is not None:
        lines.append([Cell(cut(notice.text, width, glyphs.ellipsis), notice.role)])
    return lines


def until(ms: int, now_ms: int) -> str:
    """Return a time of day of this machine's time zone, with its date where it is not near."""
    return moment(ms) if abs(ms - now_ms) > _NEAR_MS else clock(ms)


def _totals(totals: Totals, width: int, glyphs: Glyphs) -> list[Cell]:
    state, signs = totals.state, glyphs.states
    rate = totals.usd_per_minute
    named = {
        "name": Cell(one_line(totals.name[:_SHOWN_CHARS]), Role.TITLE),
        "running": Cell(f"{signs[Status.RUNNING]} {state.using_slots}/{state.slots} running", Role.RUNNING),
        "queued": Cell(f"{signs[Status.QUEUED]} {amount(state.counts[Status.QUEUED])} queued", Role.QUEUED),
        "waiting": Cell(f"{signs[Status.WAITING]} {amount(state.counts[Status.WAITING])} waiting", Role.WAITING),
        "dollars": Cell(dollars(totals.spent_usd), Role.FIGURE),
        "rate": Cell("" if rate is None else f"{dollars(rate)}/min", Role.FIGURE),
        "asks": Cell(_asks(state.open_asks, glyphs), Role.ASKING),
    }
    shown = {name: cell for name, cell in named.items() if cell.text}
    for name in ("name", "rate", "waiting", "queued", "dollars"):
        if _width(shown.values()) <= width:
            break
        shown.pop(name, None)
    found = list(shown.values())
    if _width(found) > width:
        found = [Cell(cell.text.removesuffix(" running").removesuffix(" asks ").rstrip(), cell.role) for cell in found]
    spaced = [found[0]]
    for cell in found[1:]:
        spaced += [Cell(_GAP, Role.FIGURE), cell]
    return spaced if _width(found) <= width else [Cell(cut(found[0].text, width, glyphs.ellipsis), found[0].role)]


def _asks(count: int, glyphs: Glyphs) -> str:
    return f" {glyphs.asking} {count} {'ask' if count == 1 else 'asks'} " if count else ""


def _width(cells: Collection[Cell]) -> int:
    return sum(cell_len(cell.text) for cell in cells) + len(_GAP) * (len(cells) - 1)


def _notice(totals: Totals, now_ms: int) -> Cell | None:
    """Return what holds the store up: only the gravest, since nothing goes on before that is gone."""
    state = totals.state
    if totals.trouble is not None:
        return Cell(f"the store can not be read: {one_line(totals.trouble[:_SHOWN_CHARS])}", Role.FAILED)
    if totals.opening is not None:
        return Cell(one_line(totals.opening), Role.QUEUED)
    if not totals.supervisor:
        return Cell("no supervisor runs, so nothing goes on: S starts one", Role.FAILED)
    if state.brake_until_ms is not None and state.brake_until_ms > now_ms:
        left = duration(state.brake_until_ms - now_ms + 999)
        why = one_line((state.brake_reason or "")[:_SHOWN_CHARS])
        return Cell(
            f"nothing starts until {until(state.brake_until_ms, now_ms)} (in {left}); P takes it back: {why}",
            Role.PARTIAL,
        )
    if state.paused_ms is not None and state.brake_reason:
        why = one_line(state.brake_reason[:_SHOWN_CHARS])
        return Cell(f"stopped {duration(now_ms - state.paused_ms)} ago; mend it, then P goes on: {why}", Role.FAILED)
    if state.paused_ms is not None:
        return Cell(f"paused for {duration(now_ms - state.paused_ms)}: nothing new starts; P goes on", Role.PARTIAL)
    return None


class StoreHeader(Static):
    """The lines at the top. ``show`` gives it what to tell; in between its clocks go on by themselves."""

    DEFAULT_CSS = """
    StoreHeader {
        dock: top;
        width: 100%;
        height: auto;
        max-height: 2;
        padding: 0 1;
        background: $panel;
    }
    """

    def __init__(self, now_ms: Callable[[], int], *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, markup=False)
        self._now_ms = now_ms
        self._glyphs = glyphs
        self._totals: Totals | None = None
        self._drawn: list[list[Cell]] = []

    def show(self, totals: Totals) -> None:
        """Tell these totals from now on."""
        self._totals = totals
        self._redraw()

    def on_mount(self) -> None:
        """Let the clocks go on."""
        self.set_interval(_TICK_S, self._redraw)

    def on_resize(self) -> None:
        """Show as much as there is room for."""
        self._redraw()

    def _redraw(self) -> None:
        width = self.container_size.width - 2
        if self._totals is None or width <= 0:
            return
        lines = header_text(self._totals, self._now_ms(), width, self._glyphs)
        if lines != self._drawn:
            self._drawn = lines
            other_height = len(lines) != self.content_size.height
            self.update(Content("\n").join(_content(line) for line in lines), layout=other_height)


def _content(line: list[Cell]) -> Content:
    return Content.assemble(*((cell.text, _STYLES.get(cell.role, "")) for cell in line))
