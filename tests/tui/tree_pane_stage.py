"""An app of a tree alone, for tests of the pane."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from tree_stores import NOW_MS, add_job, add_jobs, start

from store.database import Store
from tui_orch.tui.messages import CursorMoved
from tui_orch.tui.source import StoreSource
from tui_orch.tui.tree_pane import TreePane


class Screen(App[None]):
    """An app of a tree alone, with a clock that stands still."""

    def __init__(self, store: Store, *, grow: bool = True, ascii_only: bool = False) -> None:
        super().__init__()
        self.source = StoreSource(store)
        self.seq = self.source.newest_seq()
        self.now_ms = NOW_MS
        self.pane = TreePane(self.source, lambda: self.now_ms, grow=grow, ascii_only=ascii_only)
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.focus()

    def on_cursor_moved(self, message: CursorMoved) -> None:
        self.told.append(message)

    on_row_opened = on_store_troubled = on_filter_progressed = on_cursor_moved  # type: ignore[assignment]

    def catch_up(self) -> None:
        """Hand the tree what has changed, as the feed does."""
        jobs = self.source.news(self.seq, 10_000)[0]
        self.seq = self.source.newest_seq()
        self.pane.apply(jobs)

    @property
    def texts(self) -> list[str]:
        return [self.pane.render_line(y).text for y in range(self.pane.size.height)]

    @property
    def ids(self) -> list[int]:
        """The jobs on the screen, read from what is drawn."""
        return [int(text.split("#")[1].split()[0]) for text in self.texts if "#" in text]

    @property
    def cursor_line(self) -> int:
        assert self.pane.cursor_id is not None
        return self.ids.index(self.pane.cursor_id)

    def shown(self, height: int = 10, width: int = 80) -> AbstractAsyncContextManager[Pilot[None]]:
        return self.run_test(size=(width, height))


def plant(store: Store) -> None:
    """#1 over 2 and 3; #2 over 4 and 5; #6 beside #1."""
    add_job(store)
    start(store, 1)
    add_jobs(store, 1, 2)
    start(store, 2)
    add_jobs(store, 2, 2)
    add_job(store)


async def until(pilot: Pilot[None], condition: Callable[[], object], otherwise: str) -> None:
    for _ in range(400):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError(otherwise)
