"""The pane beside the tree: everything about the job under the cursor, in tabs.

Owns which job and which tab is shown and when either is read again: not before the cursor has come to rest, the tab in
view alone, and the less often the longer it takes. What a tab shows is decided in its own file.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from store.closeup import Closeup
from store.errors import StoreError
from store.models import Job
from store.states import FINAL
from tui_orch.client.text import one_line
from tui_orch.tui.detail import output_tab
from tui_orch.tui.detail.find_bar import FindBar
from tui_orch.tui.detail.head import head
from tui_orch.tui.detail.output_view import LOOK_EVERY_S, OutputView
from tui_orch.tui.detail.parts import hint
from tui_orch.tui.detail.source import DetailSource
from tui_orch.tui.detail.tab_bar import TabBar
from tui_orch.tui.detail.tabs import BY_NAME, LIMITS, OUTPUT, TABS, Tab, job_of
from tui_orch.tui.seen import is_seen
from tui_orch.tui.text.line import Line, Tone, line
from tui_orch.tui.text.view import TextView

#: Seconds that the cursor rests on a job before anything of it is read.
SETTLE_S = 0.06
#: Seconds between two readings of the same tab, and how many times as long as a reading takes.
AGAIN_S = 0.25
_AGAIN_TIMES = 20
_TICK_S = 1.0


class DetailPane(Widget):
    """Tabs about one job. Tell it which with ``show``, and of every change with ``apply``."""

    DEFAULT_CSS = """
    DetailPane {
        layout: vertical;
        width: 1fr;
        height: 1fr;
        background: $surface;
        & > .detail--line { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & > #detail-status { color: $text-muted; }
        & > TextView { display: none; }
        & > TextView.-open { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(at), f"open_tab('{tab.name}')", tab.title, show=False) for at, tab in enumerate(TABS, 1)),
        Binding("right,right_square_bracket", "turn(1)", "next tab", show=False),
        Binding("left,left_square_bracket", "turn(-1)", "previous tab", show=False),
        Binding("less_than_sign", "attempt(-1)", "earlier attempt", show=False),
        Binding("greater_than_sign", "attempt(1)", "later attempt", show=False),
        Binding("slash", "find", "find", show=False),
        Binding("escape", "end_find", "end finding", show=False),
    ]

    def __init__(
        self,
        source: DetailSource,
        now_ms: Callable[[], int],
        *,
        settle_s: float = SETTLE_S,
        look_every_s: float = LOOK_EVERY_S,
        ascii_only: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's word
    ) -> None:
        super().__init__(id=id)
        self.job_id: int | None = None
        self.reads = 0  # so that a test can prove that a cursor that moves reads nothing
        self._source = source
        self._now_ms = now_ms
        self._settle_s = settle_s
        self._look_every_s = look_every_s
        self._ascii_only = ascii_only
        self._tab = OUTPUT
        self._wanted: int | None = None
        self._settling: Timer | None = None
        self._again: Timer | None = None
        self._stale = False  # something changed while nobody saw it
        self._read_took_s = 0.0
        self._found: dict[str, Any] = {}  # by tab, as long as it is true
        self._job: Closeup | None = None
        self._shown: output_tab.Shown | None = None
        self._attempt: int | None = None  # which a person chose
        self._find_told = ""
        self._tops: dict[str, int] = {}  # the first row in view, by tab

    def compose(self) -> ComposeResult:
        """Make the head, the tabs, the line below them and the one to find with."""
        yield Static(id="detail-head", classes="detail--line", markup=False)
        yield TabBar(TABS)
        yield OutputView(look_every_s=self._look_every_s, ascii_only=self._ascii_only, id="detail-output")
        yield TextView(ascii_only=self._ascii_only, id="detail-text")
        yield Static(id="detail-status", classes="detail--line", markup=False)
        yield FindBar()

    def on_mount(self) -> None:
        """Let the times run."""
        self.set_interval(_TICK_S, self._tick)
        self._turn_to(OUTPUT)
        self._show_nothing()

    # Which job

    def show(self, job_id: int | None) -> None:
        """Show a job, None for none, once this has not been called for a moment. Costs nothing until then.

        To be called when the pane comes into view too: while nobody sees it, it reads nothing.
        """
        self._wanted = job_id
        if self._settling is not None:
            self._settling.stop()
            self._settling = None
        if job_id != self.job_id or self._stale:
            self._settling = self.set_timer(self._settle_s, self._settle)

    def apply(self, jobs: Iterable[Job]) -> None:
        """Take in that jobs have changed: what is shown is read again if they have to do with it."""
        if self._job is None:
            return
        for job in jobs:
            of_tree = self._tab is LIMITS and job.root_id == self._job.root_id
            if of_tree or self._job.id in (job.id, job.parent_id):
                self._read_again_soon()
                return

    def _settle(self) -> None:
        self._settling = None
        self._stale = False
        if self._wanted == self.job_id:
            self._read_again()
            return
        self.job_id = self._wanted
        self._job = self._shown = self._attempt = None
        self._found.clear()
        self._tops.clear()
        self._look_for("")
        self.query_one(OutputView).let_go()
        if self.job_id is None:
            self._show_nothing()
        else:
            self._show_tab(keep_place=False)

    def _show_nothing(self) -> None:
        self._say("detail-head", Content(""))
        self._put(hint("No job is selected."))
        self._show_status()

    # Reading

    def _read_again_soon(self) -> None:
        if self._again is None:
            self._again = self.set_timer(max(AGAIN_S, _AGAIN_TIMES * self._read_took_s), self._read_again)

    def _read_again(self) -> None:
        self._again = None
        self._stale = not is_seen(self)
        if not self._stale:
            self._found.clear()
            self._show_tab(keep_place=True)

    def _show_tab(self, *, keep_place: bool) -> None:
        """Show the tab in view, read anew where it is not known any more."""
        if self.job_id is None:
            self._show_nothing()
            return
        tab = self._tab
        if tab.name not in self._found:
            started = time.perf_counter()
            try:
                self._found[tab.name] = tab.read(self._source, self.job_id)
            except StoreError as error:
                self._put([line(one_line(f"It can not be read: {error}"), Tone.WARN)])
                return
            self.reads += 1
            self._read_took_s = time.perf_counter() - started
        found = self._found[tab.name]
        self._job = job_of(found)
        self._say("detail-head", head(self._job, ascii_only=self._ascii_only))
        if tab is OUTPUT:
            self._show_output(self._job)
        else:
            self._put(tab.lines(found, self._now_ms()), keep_place=keep_place)
        self._show_status()

    def _show_output(self, job: Closeup) -> None:
        view = self.query_one(OutputView)
        log = output_tab.choose(job, self._attempt)
        before, self._shown = self._shown, log
        if log is None:
            self._put(output_tab.lines(job, self._now_ms()), keep_place=True)
        elif before is None or (before.job_id, before.attempt) != (log.job_id, log.attempt):
            view.show_log(self._source.log(log.job_id, log.attempt, log.kind), log.kind, live=log.live)
        elif not log.live:
            view.end()

    def _put(self, lines: list[Line], *, keep_place: bool = False) -> None:
        """Show lines in the tab in view."""
        view = self._view
        if keep_place and view.text_layout.lines == lines:
            return
        if isinstance(view, OutputView):
            view.show_note(lines)
        else:
            view.set_lines(lines, keep_place=keep_place)

    def _tick(self) -> None:
        """Let the times of the tab in view run."""
        found = self._found.get(self._tab.name) if is_seen(self) else None
        if found is None or not self._tab.ticks or job_of(found).status in FINAL:
            return
        if self._tab is not OUTPUT or self._shown is None:
            self._put(self._tab.lines(found, self._now_ms()), keep_place=True)

    # Tabs and attempts

    @property
    def _view(self) -> TextView:
        """What the tab in view is shown with: the log has its own, the others share one."""
        return self.query_one("#detail-output" if self._tab is OUTPUT else "#detail-text", TextView)

    @property
    def tab(self) -> str:
        """The name of the tab in view."""
        return self._tab.name

    @property
    def output(self) -> output_tab.Shown | None:
        """Whose log the tab of the output shows, if any."""
        return self._shown

    def focus_content(self) -> None:
        """Give the keyboard to the tab in view."""
        self._view.focus()

    def action_open_tab(self, name: str) -> None:
        """Show a tab: output, request, result, attempts, limits or changes."""
        tab = BY_NAME[name]
        if tab is not self._tab:
            self._look_for("")
            self._tops[self._tab.name] = self._view.scroll_offset.y
            self._turn_to(tab)
            self._show_tab(keep_place=False)
            if tab is not OUTPUT:
                self._view.scroll_to(y=self._tops.get(name, 0), animate=False)

    def _turn_to(self, tab: Tab) -> None:
        inside = self.has_focus_within
        self._tab = tab
        for view in self.query(TextView):
            view.set_class(view is self._view, "-open")
        self.query_one(TabBar).show(tab)
        if inside:
            self.focus_content()

    def action_turn(self, by: int) -> None:
        """Show the next tab, or the previous one."""
        self.action_open_tab(TABS[(TABS.index(self._tab) + by) % len(TABS)].name)

    def on_tab_bar_clicked(self, event: TabBar.Clicked) -> None:
        """Show the tab that was clicked."""
        event.stop()
        self.action_open_tab(event.tab.name)
        self.focus_content()

    def action_attempt(self, by: int) -> None:
        """Show the output of an earlier or later attempt; the newest one goes on to newer ones."""
        if self._job is None or self._shown is None:
            return
        number = self._shown.attempt + by
        self._attempt = None if number >= self._job.attempt else max(1, number)
        self._show_tab(keep_place=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave keys to others that do nothing here now."""
        match action:
            case "attempt":
                return (
                    self._tab is OUTPUT and self._shown is not None and self._job is not None and self._job.attempt > 1
                )
            case "end_find":
                return self.query_one(FindBar).is_open or bool(self._view.wanted)
        return super().check_action(action, parameters)

    # Finding

    def action_find(self) -> None:
        """Ask what to find in the tab."""
        self.query_one(FindBar).open()

    def action_end_find(self) -> None:
        """Look for nothing any more."""
        self._look_for("")
        self.focus_content()

    def on_find_bar_asked(self, event: FindBar.Asked) -> None:
        """Find it."""
        event.stop()
        self.focus_content()
        self._look_for(event.wanted)

    def _look_for(self, wanted: str) -> None:
        self.query_one(FindBar).shut()
        if wanted or self._view.wanted:
            self._view.look_for(wanted)

    def on_text_view_found(self, event: TextView.Found) -> None:
        """Tell whether it is there."""
        event.stop()
        wanted = one_line(event.wanted)
        self._find_told = f"/{wanted}  n N Esc" if event.there else f"/{wanted} is nowhere here" if wanted else ""
        self._show_status()

    def on_output_view_altered(self, event: OutputView.Altered) -> None:
        """Tell how far the log is read, and whether it is followed."""
        event.stop()
        self._show_status()

    def _show_status(self) -> None:
        said = ""
        if self._tab is OUTPUT and self._shown is not None and self._job is not None:
            view = self.query_one(OutputView)
            said = output_tab.status(self._shown, self._job.attempt, view.reading, following=view.following)
        self._say("detail-status", Content("  ".join(text for text in (said, self._find_told) if text)))

    def _say(self, where: str, what: Content) -> None:
        self.query_one(f"#{where}", Static).update(what)

    def on_click(self, event: events.Click) -> None:
        """Take the keyboard."""
        if not self.query_one(FindBar).has_focus:
            self.focus_content()
