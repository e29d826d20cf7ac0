"""The app: puts the parts on one screen, hands them what the feed tells, and turns keys into actions.

Reads the store in short transactions and changes nothing itself: what a person does is in ``steering``. Closing it stops
nothing. The parts are where their names say: header, tree_pane, detail, timeline_pane, footer, dialogs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from store.database import Store
from store.errors import StoreError
from store.home import Home
from store.models import Job, Tree
from store.tree import StoreState, get_tree
from tui_orch.client.watch import StoreWatch
from tui_orch.tui.control import Control
from tui_orch.tui.detail.pane import DetailPane
from tui_orch.tui.detail.source import StoreDetailSource
from tui_orch.tui.dialogs.filter_bar import FilterBar
from tui_orch.tui.dialogs.inbox import Inbox
from tui_orch.tui.dialogs.palette import ActionCommands
from tui_orch.tui.feed import Feed
from tui_orch.tui.footer import KeyFooter
from tui_orch.tui.header import StoreHeader, Totals
from tui_orch.tui.keys import ACTIONS, Around, hints
from tui_orch.tui.messages import CursorMoved, FilterProgressed, JobsChanged, RowOpened, StoreRecovered, StoreTroubled
from tui_orch.tui.notify import AskTeller, Notice, tell
from tui_orch.tui.row import ASCII, UNICODE
from tui_orch.tui.source import StoreSource
from tui_orch.tui.spending import Sample, usd_per_minute, with_sample
from tui_orch.tui.steering import Steering
from tui_orch.tui.timeline_pane import TimelinePane
from tui_orch.tui.tree_pane import TreePane

#: Cells of a screen that shows tree and detail beside each other; a narrower one shows them one at a time.
WIDE_CELLS = 140
_LOOK_S = 1.0
_SPENDING_S = 5.0


@dataclass(frozen=True, slots=True)
class Outside:
    """What the app needs of its surroundings, given by whoever starts it."""

    now_ms: Callable[[], int]
    has_supervisor: Callable[[], bool]
    start_supervisor: Callable[[], None]
    environ: dict[str, str]
    ascii_only: bool = False
    read_only: bool = False
    notice: Notice = Notice.BELL


class OrchApp(App[None]):
    """Watches one store and steers it."""

    TITLE = "orch"
    CSS = """
    #main { height: 1fr; }
    #side { display: none; width: 1fr; border-left: solid $panel; }
    #side.-open { display: block; }
    #main.-narrow #side.-open { border-left: none; }
    #main.-narrow.-side TreePane { display: none; }
    #side DetailPane, #side TimelinePane { display: none; }
    #side.-detail DetailPane, #side.-timeline TimelinePane { display: block; }
    """
    COMMANDS: ClassVar = {ActionCommands}
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(action.key, f"do('{action.name}')", action.label, show=False)
        for action in ACTIONS
        if action.key and action.name != "palette"
    ]

    def __init__(self, home: Home, outside: Outside) -> None:
        super().__init__()
        self.home = home
        self.outside = outside
        self._store = Store.open(home, create=True)
        self._source = StoreSource(self._store)
        self._details = StoreDetailSource(self._store)
        watch = partial(StoreWatch, home, self._source.data_version)
        # What is shown is read after this, so nothing that changes in between is missed.
        self._feed = Feed(self._source, watch, self.post_message, since=self._source.newest_seq())
        self._state: StoreState = self._source.state()
        self._supervisor = outside.has_supervisor()
        self._samples: tuple[Sample, ...] = ()
        self._trouble: str | None = None
        self._teller = AskTeller()
        self.notice = outside.notice
        self.steering = Steering(self, Control(home, outside.now_ms))

    def compose(self) -> ComposeResult:
        """Put the screen together."""
        glyphs = ASCII if self.outside.ascii_only else UNICODE
        yield StoreHeader(self.outside.now_ms, glyphs=glyphs)
        with Horizontal(id="main"):
            yield TreePane(self._source, self.outside.now_ms, ascii_only=self.outside.ascii_only, id="tree")
            with Horizontal(id="side"):
                yield DetailPane(self._details, self.outside.now_ms, ascii_only=self.outside.ascii_only, id="detail")
                yield TimelinePane(
                    self._details, self.outside.now_ms, ascii_only=self.outside.ascii_only, id="timeline"
                )
        yield FilterBar(id="filter")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Start the feed and the clocks."""
        self.pane.focus()
        self._sample()
        self.set_interval(_LOOK_S, self._look_around)
        self.set_interval(_SPENDING_S, self._sample)
        self.run_worker(self._feed.run(), name="feed", exit_on_error=True)
        self.refresh_around()

    def on_unmount(self) -> None:
        """Let go of the store."""
        self._store.close()

    # The parts

    @property
    def pane(self) -> TreePane:
        """The tree."""
        return self.query_one(TreePane)

    @property
    def detail(self) -> DetailPane:
        """The detail."""
        return self.query_one(DetailPane)

    @property
    def store(self) -> Store:
        """The store, for short reads on the screen's thread."""
        return self._store

    @property
    def state(self) -> StoreState:
        """The store's totals as the feed told them last."""
        return self._state

    @property
    def is_closing(self) -> bool:
        """Whether the parts are gone already: messages, timers and changes in a thread may still come then."""
        return not self.query(KeyFooter) or not self.query(TreePane)

    def say(self, text: str) -> None:
        """Tell the person one line."""
        if not self.is_closing:
            self.query_one(KeyFooter).say(text)

    # What the feed and the parts tell

    def on_jobs_changed(self, message: JobsChanged) -> None:
        """Hand what has changed to every part."""
        self._state = message.state
        if self.is_closing:
            return
        self.pane.apply(message.jobs)
        self.detail.apply(message.jobs)
        self.query_one(TimelinePane).apply(message.jobs)
        if self._teller.news(message.state.open_asks, self.outside.now_ms()):
            tell(self, self.notice, message.state.open_asks, self.outside.environ)
        self.steering.asks_changed()
        self.refresh_around()

    def on_store_troubled(self, message: StoreTroubled) -> None:
        """Say so where the totals stand."""
        self._trouble = message.text
        self.refresh_around()

    def on_store_recovered(self, _: StoreRecovered) -> None:
        """Take that back."""
        self._trouble = None
        if not self.is_closing:
            self.pane.reload()
        self.refresh_around()

    def on_cursor_moved(self, message: CursorMoved) -> None:
        """Show what the cursor stands on."""
        if self.is_closing:
            return
        if self.side == "detail":
            self.detail.show(message.job_id)
        elif self.side == "timeline":
            self.query_one(TimelinePane).show(message.job_id)
        self.refresh_around()

    def on_row_opened(self, _: RowOpened) -> None:
        """Show the detail."""
        self.do("detail")

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Filter while the person types."""
        self.steering.set_filter(message.wanted)

    def on_filter_bar_closed(self, message: FilterBar.Closed) -> None:
        """Back to the tree, with the filter in force."""
        self.steering.set_filter(message.wanted)
        self.pane.focus()

    def on_filter_progressed(self, message: FilterProgressed) -> None:
        """Tell how far the filter has come."""
        more = "" if message.done else " so far"
        self.query_one(FilterBar).say(f"{message.matches} of {message.searched} jobs{more}")

    def on_key_footer_chosen(self, message: KeyFooter.Chosen) -> None:
        """A click on a hint does what its key does."""
        self.do(message.name)

    def on_inbox_answered(self, message: Inbox.Answered) -> None:
        """Hand an answer to the store."""
        self.steering.answered(message)

    def on_timeline_pane_chosen(self, message: TimelinePane.Chosen) -> None:
        """Go to the job of a bar."""
        self.pane.go_to(message.job_id)

    # The side

    @property
    def side(self) -> str | None:
        """What is shown beside the tree: detail, timeline or nothing."""
        side = self.query_one("#side")
        return next((name for name in ("detail", "timeline") if side.has_class(f"-{name}")), None)

    def show_side(self, name: str | None) -> None:
        """Show the detail, the timeline or nothing beside the tree, or instead of it on a narrow screen."""
        side, main = self.query_one("#side"), self.query_one("#main")
        for each in ("detail", "timeline"):
            side.set_class(each == name, f"-{each}")
        side.set_class(name is not None, "-open")
        main.set_class(name is not None, "-side")
        job_id = self.pane.cursor_id
        if name == "detail":
            self.detail.show(job_id)
            self.detail.focus_content()
        elif name == "timeline":
            self.query_one(TimelinePane).show(job_id)
            self.query_one(TimelinePane).focus_content()
        else:
            self.pane.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Decide whether tree and side stand beside each other; ``self.size`` is still the old one here."""
        self.query_one("#main").set_class(event.size.width < WIDE_CELLS, "-narrow")

    # Actions

    def situation(self) -> tuple[Job | None, Tree | None, Around]:
        """Return the job under the cursor, its tree, and what is around them."""
        job = self.pane.cursor_job
        tree = self._tree_of(job) if job is not None else None
        around = Around(
            self._state,
            supervisor=self._supervisor,
            read_only=self.outside.read_only,
            unfolded=job is not None and self.pane.model.view.is_unfolded(job.id),
            following=self.pane.follow,
            filtered=self.pane.model.sieve is not None,
        )
        return job, tree, around

    def do(self, name: str) -> None:
        """Do an action by name, or say why it can not be done."""
        self.steering.do(name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enter and space that the tree leaves are told why; anywhere else they belong to what has the focus."""
        if action == "do" and parameters in (("detail",), ("fold",)):
            return isinstance(self.focused, TreePane)
        return super().check_action(action, parameters)

    def action_do(self, name: str) -> None:
        """A key was pressed. Esc closes what is beside the tree before it takes a filter away."""
        if name == "clear_filter" and self.side is not None:
            self.show_side(None)
        else:
            self.do(name)

    def refresh_around(self) -> None:
        """Bring header and footer up to date."""
        if self.is_closing:
            return
        totals = Totals(
            self._state,
            self._samples[-1].usd if self._samples else 0.0,
            usd_per_minute(self._samples, self.outside.now_ms()),
            self._supervisor,
            self.home.project.name,
            self._trouble,
        )
        self.query_one(StoreHeader).show(totals)
        self.query_one(KeyFooter).show(hints(*self.situation()))

    def _tree_of(self, job: Job) -> Tree | None:
        try:
            with self._store.read() as reader:
                return get_tree(reader, job.root_id)
        except StoreError:
            return None  # the feed tells the trouble; without its limits a tree can only be looked at

    def _look_around(self) -> None:
        supervisor = self.outside.has_supervisor()
        if supervisor != self._supervisor:
            self._supervisor = supervisor
            self.refresh_around()

    def _sample(self) -> None:
        try:
            spent = self._source.spent_usd()
        except StoreError:
            return  # the feed tells the trouble
        self._samples = with_sample(self._samples, Sample(self.outside.now_ms(), spent))
        self.refresh_around()
