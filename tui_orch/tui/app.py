"""The app: puts the parts on one screen, hands them what the feed tells, and turns keys into actions.

Reads the store in short transactions and changes nothing itself: what a person does is in ``steering``. Closing it stops
nothing. The parts are where their names say: header, tree_pane, detail, timeline_pane, footer, dialogs.
"""

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen

from store.errors import StoreError
from store.models import Job, Tree
from store.tree import StoreState, get_tree
from tui_orch.tui.access import Access
from tui_orch.tui.edges import Edges
from tui_orch.tui.feed import Feed
from tui_orch.tui.footer import KeyFooter
from tui_orch.tui.keys import ACTIONS, Around, hints
from tui_orch.tui.later import commands, import_later
from tui_orch.tui.lean_screen import LeanScreen
from tui_orch.tui.messages import CursorMoved, FilterProgressed, JobsChanged, RowOpened, StoreRecovered, StoreTroubled
from tui_orch.tui.notify import AskTeller, Notice, tell
from tui_orch.tui.pacing import Pacer
from tui_orch.tui.pane_keys import Keyboard
from tui_orch.tui.row import ASCII, UNICODE
from tui_orch.tui.side import Side
from tui_orch.tui.source import Readable
from tui_orch.tui.spending import Spending
from tui_orch.tui.tree_canvas import NO_JOBS, NOT_YET
from tui_orch.tui.tree_pane import TreePane

if TYPE_CHECKING:  # what the first picture can do without: see ``later``
    from tui_orch.tui.detail.pane import DetailPane
    from tui_orch.tui.dialogs.filter_bar import FilterBar
    from tui_orch.tui.dialogs.inbox import Inbox
    from tui_orch.tui.steering import Steering
    from tui_orch.tui.timeline_pane import TimelinePane

#: Cells of a screen that shows tree and detail beside each other; a narrower one shows them one at a time.
WIDE_CELLS = 140


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
    #main.-narrow Side.-open { border-left: none; }
    #main.-narrow.-side TreePane { display: none; }
    """
    COMMANDS: ClassVar = {commands}
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(action.key, f"do('{action.name}')", action.label, show=False)
        for action in ACTIONS
        if action.key and action.name != "palette"
    ]

    def __init__(self, access: Access, outside: Outside) -> None:
        super().__init__()
        self.access = access
        self.outside = outside
        self._source = access.source
        # What is shown is read after this, so nothing that changes in between is missed.
        since = self._source.newest_seq() if access.opening is None else None
        self._feed = Feed(self._source, access.watch, self.post_message, take=self.on_jobs_changed, since=since)
        self._state: StoreState = self._source.state()
        self._teller = AskTeller()
        self._pacer = Pacer(self)
        self._tree = TreePane(self._source, outside.now_ms, ascii_only=outside.ascii_only, id="tree")
        if access.opening is not None:
            self._tree.empty = NOT_YET
        self._side = Side(id="side")
        self._edges = Edges(
            self,
            Spending(self._source, outside.now_ms),
            name=access.name,
            now_ms=outside.now_ms,
            glyphs=ASCII if outside.ascii_only else UNICODE,
            state=lambda: self._state,
            hints=lambda: hints(*self.situation()),
            has_supervisor=outside.has_supervisor,
            opening=lambda: access.opening,
        )
        self._early: list[str] | None = []  # what a person wanted before the app was whole
        self.notice = outside.notice
        self.steering: Steering  # from when the app is whole

    def compose(self) -> ComposeResult:
        """Put the screen together."""
        yield self._edges.header
        with Horizontal(id="main"):
            yield self._tree
            yield self._side
        yield self._edges.footer

    def on_mount(self) -> None:
        """Start the feed and the clocks."""
        self.pane.focus()
        self.watch(self.default_screen, "focused", self._focus_moved, init=False)
        self._edges.start()
        self.call_after_refresh(lambda: self.run_worker(self._become_whole(), name="rest", exit_on_error=True))

    async def _become_whole(self) -> None:
        """Add what the first picture can do without, which takes longer than all before; then follow the store."""
        await import_later()
        from tui_orch.tui.dialogs.filter_bar import FilterBar  # noqa: PLC0415
        from tui_orch.tui.steering import Steering  # noqa: PLC0415

        if self.is_closing:
            return
        self.steering = Steering(self, self.access.controls())
        await self._side.fill(self.access.details(), self.outside.now_ms, ascii_only=self.outside.ascii_only)
        await self.default_screen.mount(FilterBar(id="filter"), before=self._edges.footer)
        if not gc.isenabled():  # whoever started the app was in a hurry
            gc.freeze()  # what is here now stays, and need not be gone through for garbage again and again
            gc.enable()
        early, self._early = self._early or [], None
        for name in early:
            self.do(name)
        await self._feed.run()

    def on_unmount(self) -> None:
        """Let go of the terminal and of the store."""
        self._pacer.release()
        self.access.close()

    def post_display_hook(self) -> None:
        """Textual has drawn a frame."""
        super().post_display_hook()
        self._pacer.after_frame()

    def get_default_screen(self) -> Screen[None]:
        """Draw on a screen that does so with little work."""
        return LeanScreen()

    # The parts

    @property
    def pane(self) -> TreePane:
        """The tree."""
        return self._tree

    @property
    def is_whole(self) -> bool:
        """Whether everything is there; at first only what the first picture shows is."""
        return self._early is None

    @property
    def detail(self) -> "DetailPane":
        """The detail."""
        return self._side.detail

    @property
    def filter_bar(self) -> "FilterBar":
        """The line in which a filter is written."""
        return cast("FilterBar", self.default_screen.get_child_by_id("filter"))

    @property
    def store(self) -> Readable:
        """The store, for short reads on the screen's thread."""
        return self.access.store

    @property
    def state(self) -> StoreState:
        """The store's totals as the feed told them last."""
        return self._state

    @property
    def is_closing(self) -> bool:
        """Whether the parts are gone already: messages, timers and changes in a thread may still come then."""
        return not (self._tree.is_attached and self._edges.are_there)

    def say(self, text: str) -> None:
        """Tell the person one line."""
        if not self.is_closing:
            self._edges.footer.say(text)

    # What the feed and the parts tell

    def on_jobs_changed(self, message: JobsChanged) -> None:
        """Hand what has changed to every part."""
        before, self._state = self._state, message.state
        if self.is_closing:
            return
        self.pane.apply(message.jobs)
        self._side.apply(message.jobs)
        if self._teller.news(message.state.open_asks, self.outside.now_ms()):
            tell(self, self.notice, message.state.open_asks, self.outside.environ)
        self.steering.asks_changed()
        self._edges.changed(message.jobs)
        job = self.pane.cursor_job
        around_cursor = job is not None and any(changed.id in (job.id, job.root_id) for changed in message.jobs)
        if around_cursor or (before is not self._state and replace(before, seq=self._state.seq) != self._state):
            self._edges.refresh_soon()

    def on_store_troubled(self, message: StoreTroubled) -> None:
        """Say so where the totals stand."""
        self._edges.trouble = message.text
        self.refresh_around()

    def on_store_recovered(self, _: StoreRecovered) -> None:
        """Take that back."""
        self._edges.recovered()
        self.pane.empty = NO_JOBS
        if not self.is_closing:
            self.pane.reload()
        self.refresh_around()

    def on_cursor_moved(self, message: CursorMoved) -> None:
        """Show what the cursor stands on."""
        if self.is_closing:
            return
        self._side.turn_to(message.job_id)
        self.call_after_refresh(self.refresh_around)  # the cursor first

    def on_row_opened(self, _: RowOpened) -> None:
        """Show the detail."""
        self.do("detail")

    def on_filter_bar_changed(self, message: "FilterBar.Changed") -> None:
        """Filter while the person types."""
        self.steering.set_filter(message.wanted)

    def on_filter_bar_closed(self, message: "FilterBar.Closed") -> None:
        """Back to the tree, with the filter in force."""
        self.steering.set_filter(message.wanted)
        self.pane.focus()

    def on_filter_progressed(self, message: FilterProgressed) -> None:
        """Tell how far the filter has come."""
        more = "" if message.done else " so far"
        self.filter_bar.say(f"{message.matches} of {message.searched} jobs{more}")

    def on_key_footer_chosen(self, message: KeyFooter.Chosen) -> None:
        """A click on a hint does what its key does."""
        if message.name:
            self.do(message.name)
        else:
            self.simulate_key(message.key)

    def on_inbox_answered(self, message: "Inbox.Answered") -> None:
        """Hand an answer to the store."""
        self.steering.answered(message)

    def on_timeline_pane_chosen(self, message: "TimelinePane.Chosen") -> None:
        """Go to the job of a bar."""
        self.pane.go_to(message.job_id)

    # The side

    @property
    def side(self) -> str | None:
        """What is shown beside the tree: detail, timeline or nothing."""
        return self._side.shown

    def show_side(self, name: str | None) -> None:
        """Show the detail, the timeline or nothing beside the tree, or instead of it on a narrow screen."""
        self.query_one("#main").set_class(name is not None, "-side")
        self._side.show(name, self.pane.cursor_id)
        if name is None:
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
            supervisor=self._edges.supervisor,
            read_only=self.outside.read_only,
            no_pager=self.access.no_pager,
            unfolded=job is not None and self.pane.model.view.is_unfolded(job.id),
            following=self.pane.follow,
            filtered=self.pane.model.sieve is not None,
            side=self.side,
            keyboard=self._keyboard(job),
        )
        return job, tree, around

    def do(self, name: str) -> None:
        """Do an action by name, or say why it can not be done; as soon as the app is whole."""
        if self._early is None:
            self.steering.do(name)
        else:
            self._early.append(name)

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
        if not self.is_closing:
            self._edges.refresh()

    def _focus_moved(self) -> None:
        """Let the footer fit what has the keyboard, once that is as it will be."""
        self.call_after_refresh(self.refresh_around)

    def _keyboard(self, job: Job | None) -> Keyboard:
        if not self.is_whole:
            return Keyboard()
        from tui_orch.tui.focus import keyboard  # noqa: PLC0415 - brings all that can have the keyboard

        return keyboard(self.default_screen.focused, job)

    def _tree_of(self, job: Job) -> Tree | None:
        try:
            with self.access.store.read() as reader:
                return get_tree(reader, job.root_id)
        except StoreError:
            return None  # the feed tells the trouble; without its limits a tree can only be looked at
