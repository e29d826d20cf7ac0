"""The tree alone with ears, and the feed: what the prototype was from whose figures the targets come."""

import gc
from functools import partial

from ears import Ears
from textual.app import ComposeResult
from textual.screen import Screen

from store.database import Store
from store.home import Home
from tui_orch.client.measures import now_ms
from tui_orch.tui.feed import Feed, store_watch
from tui_orch.tui.lean_screen import LeanScreen
from tui_orch.tui.messages import JobsChanged
from tui_orch.tui.source import StoreSource
from tui_orch.tui.tree_pane import TreePane


class MeasuredPane(Ears):
    """The tree alone, with the feed and nothing else: what the prototype was whose figures became the targets."""

    def __init__(self, home: Home, begin_s: float) -> None:
        super().__init__()
        self.begin_s, self.home = begin_s, home
        self.store = Store.open(home)
        source = StoreSource(self.store)
        watch = partial(store_watch, home, source.data_version)
        self._feed = Feed(source, watch, self.post_message, take=self.on_jobs_changed, since=source.newest_seq())
        self.pane = TreePane(source, now_ms)

    def compose(self) -> ComposeResult:
        """Show the tree."""
        yield self.pane

    def get_default_screen(self) -> Screen[None]:
        """Draw as the app does."""
        return LeanScreen()

    def on_mount(self) -> None:
        """Start the feed, after the first picture."""
        self.pane.focus()
        self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        gc.freeze()  # as the app
        gc.enable()
        self.run_worker(self._feed.run())

    def on_jobs_changed(self, message: JobsChanged) -> None:
        """Hand on what has changed."""
        self.pane.apply(message.jobs)
