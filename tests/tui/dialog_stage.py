"""A stage for dialogs: an app with nothing but them, what stands on its screen, and records to show."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual import events
from textual.app import App
from textual.message import Message
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen
from textual.widgets import Button, Input, OptionList, Select, TextArea

from store import asks, claim, submit
from store.database import Store
from store.home import Home
from store.models import Fence, Job, Limits, NewJob, NewTree, Tree
from store.settings import Settings, get_settings
from store.states import Kind, Status
from store.tree import StoreState

NOW_MS = 1_700_000_000_000
NARROW = (80, 24)
WIDE = (120, 40)
#: Markup, an operating system command, a C1 character, a direction override, a tag character, wide characters.
HOSTILE = "[/foo] [bold]x[/] \x1b]52;c;AAAA\x07 \x9b2J \u202eabc\U000e0041 日本語 🎉"


def _settings() -> Settings:
    """Return what a new store has, but for what a test looks at."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(Home(Path(folder) / ".orch"), create=True) as store,
        store.read() as reader,
    ):
        new = get_settings(reader)
    return replace(
        new,
        slots=8,
        max_workers_ceiling=10,
        max_depth=3,
        max_jobs=200,
        max_children=20,
        max_workers=5,
        max_attempts=2,
        timeouts_s=(3600.0, 1200.0, 600.0, 300.0),
    )


SETTINGS = _settings()
TREE = Tree(
    1, 3, 200, 20, 5, 2, (3600.0, 1200.0, 600.0, 300.0), 10.0, "/x", None, "acceptEdits", (), None, 300.0, None, 57
)
_JOB = Job(
    id=1,
    parent_id=None,
    root_id=1,
    depth=0,
    batch=None,
    kind=Kind.CLAUDE,
    title="Build it",
    request="Build it, all of it",
    argv=None,
    model=None,
    priority=0,
    timeout_s=None,
    budget_usd=None,
    status=Status.QUEUED,
    reason=None,
    attempt=0,
    tries=0,
    own_status=None,
    result=None,
    error=None,
    data=None,
    denials=(),
    session_id=None,
    waiting_for=None,
    delivered=False,
    children=0,
    open_children=0,
    open_asks=0,
    lending=False,
    wants_slot=False,
    stop_reason=None,
    stop_requested_ms=None,
    not_before_ms=None,
    deadline_ms=None,
    created_ms=NOW_MS,
    changed_ms=NOW_MS,
    started_ms=None,
    ended_ms=None,
    activity=None,
    activity_ms=None,
    cost_usd=0.0,
    subtree_cost_usd=0.0,
    tokens=0,
    subtree_tokens=0,
    seq=1,
)


def a_job(**changes: Any) -> Job:
    """A queued root job, but for what is given."""
    return replace(_JOB, **changes)


def a_state(**changes: Any) -> StoreState:
    """Totals of a store with one job in each state, but for what is given."""
    state = StoreState(dict.fromkeys(Status, 1), 1, None, None, None, 8, 5, 0)
    return replace(state, **changes)


def open_store(folder: Path) -> Store:
    """A new store."""
    return Store.open(Home(folder / ".orch"), create=True)


def running_tree(store: Store, title: str = "Build it", children: int = 2) -> tuple[Fence, list[Fence]]:
    """A root job that runs, and children of it that run too."""
    with store.write() as tx:
        root_id = submit.submit_tree(
            tx, NewTree(NewJob("Build it", title=title), limits=Limits(max_workers=10)), NOW_MS
        )
        root = claim.start_attempt(tx, root_id, claim.token_hash("root"), NOW_MS)
        tasks = [NewJob(f"part {number}", title=f"{title} {number}") for number in range(children)]
        below = submit.spawn(tx, root, tasks, NOW_MS).job_ids if tasks else ()
        return root, [claim.start_attempt(tx, child, claim.token_hash(f"{child}"), NOW_MS) for child in below]


def ask_to_run(store: Store, fence: Fence, question: str = "run it?", **given: Any) -> int:
    """A worker wants to use Bash."""
    with store.write() as tx:
        return asks.ask(
            tx,
            fence,
            kind="permission",
            question=question,
            tool="Bash",
            input=given or {"command": "ls"},
            now_ms=NOW_MS,
        )


class Stage(App[None]):
    """Keeps what the dialog on it returned, and what it posted."""

    def __init__(self) -> None:
        super().__init__()
        self.results: list[Any] = []
        self.posted: list[Message] = []

    def push(self, dialog: ModalScreen[Any]) -> None:
        """Show a dialog."""
        self.push_screen(dialog, self.results.append)

    def on_event_posted(self, message: Message) -> None:
        """Keep what a dialog posted."""
        self.posted.append(message)


@asynccontextmanager
async def staged(dialog: ModalScreen[Any], size: tuple[int, int] = NARROW) -> AsyncIterator[tuple[Stage, Pilot[None]]]:
    """Show a dialog and wait until it stands."""
    app = Stage()
    async with app.run_test(size=size) as pilot:
        app.push(dialog)
        await pilot.pause()
        yield app, pilot


async def enter_text(pilot: Pilot[None], text: str) -> None:
    """Put text where the cursor is, at once: a pilot takes 50 milliseconds for every key."""
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()


def lines(app: App[Any]) -> list[str]:
    """What stands on the screen, line by line."""
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


def text(app: App[Any]) -> str:
    """What stands on the screen."""
    return "\n".join(lines(app))


def prose(app: App[Any]) -> str:
    """What stands on the screen without its frame, however its lines are broken."""
    return " ".join(text(app).replace("│", " ").split())


def assert_plain(app: App[Any]) -> None:
    """Nothing on the screen could move a cursor, hide, or turn the order round."""
    risky = [
        char
        for char in text(app)
        if char != "\n" and (ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u202e\U000e0041")
    ]
    assert risky == []


def assert_fits(app: App[Any]) -> None:
    """Whatever a person can use stands on the screen as a whole."""
    for widget in controls(app.screen):
        found = app.screen.find_widget(widget)
        assert found.region.area > 0, widget
        assert found.visible_region == found.region, widget


def controls(screen: Screen[Any]) -> Iterator[Any]:
    """What takes keys and clicks on a screen."""
    return (
        widget
        for kind in (Button, Input, Select, TextArea, OptionList)
        for widget in screen.query(kind)
        if widget.display
    )
