"""The pane of the job under the cursor: what it reads and when, its tabs, its keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from detail_stores import Made, at, grow, returned, said, until
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.pilot import Pilot
from textual.widgets import Static

from store.errors import StoreBusy
from store.models import Job
from store.states import Kind, Status
from store.tree import get_job
from tui_orch.tui.detail.find_bar import FindBar
from tui_orch.tui.detail.pane import DetailPane
from tui_orch.tui.detail.source import StoreDetailSource
from tui_orch.tui.detail.tab_bar import TabBar
from tui_orch.tui.text.view import TextView


class PaneApp(App[None]):
    """The pane alone, at a moment that stands still unless a test moves it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("n", "taken('n')"),
        ("slash", "taken('/')"),
        ("escape", "taken('esc')"),
        ("f", "taken('f')"),
    ]

    def __init__(self, made: Made, *, ascii_only: bool = False) -> None:
        super().__init__()
        self._ascii_only = ascii_only
        self.animation_level = "none"
        self.second = 60.0
        self.taken: list[str] = []
        self.source = StoreDetailSource(made.store)

    def compose(self) -> ComposeResult:
        yield DetailPane(
            self.source, lambda: at(self.second), settle_s=0.05, look_every_s=0.1, ascii_only=self._ascii_only
        )

    def action_taken(self, key: str) -> None:
        self.taken.append(key)

    @property
    def pane(self) -> DetailPane:
        return self.query_one(DetailPane)

    @property
    def view(self) -> TextView:
        (found,) = [view for view in self.query(TextView) if view.display]
        return found

    async def find(self, pilot: Pilot[None], wanted: str) -> None:
        await pilot.press("slash")
        self.query_one(FindBar).value = wanted
        await pilot.press("enter")

    def text(self) -> list[str]:
        return [line.text for line in self.view.text_layout.lines]

    def said(self, where: str) -> str:
        return str(self.query_one(f"#detail-{where}", Static).content)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    found = Made(tmp_path)
    yield found
    found.store.close()


def job(made: Made, job_id: int) -> Job:
    with made.store.read() as reader:
        return get_job(reader, job_id)


async def test_a_cursor_that_moves_reads_nothing(made: Made) -> None:
    """Only the job on which it comes to rest is read, and of it the tab in view alone."""
    jobs = [made.root(f"request {number}") for number in range(30)]
    app = PaneApp(made)
    async with app.run_test(size=(60, 20)):
        for job_id in jobs:
            app.pane.show(job_id)
        assert app.pane.reads == 0
        await until(lambda: app.pane.job_id == jobs[-1])
        assert app.pane.reads == 1
        assert app.said("head") == f"#{jobs[-1]} ○ queued  request 29"
        app.pane.show(jobs[0])
        app.pane.show(jobs[-1])
        await until(lambda: app.pane._settling is None)
        assert app.pane.reads == 1


async def test_every_tab_opens_by_its_key(made: Made) -> None:
    """And by the arrows, around the end; the keyboard stays in the pane."""
    root = made.root("the request")
    app = PaneApp(made)
    async with app.run_test(size=(70, 20)) as pilot:
        app.pane.show(root)
        app.pane.focus_content()
        await until(lambda: app.pane.job_id == root)
        for key, tab in zip("123456", ("output", "request", "result", "attempts", "limits", "changes"), strict=True):
            await pilot.press(key)
            assert app.pane.tab == tab
            assert app.view.has_focus
            assert app.text() != ["No job is selected."]
        await pilot.press("right")
        assert app.pane.tab == "output"
        await pilot.press("left", "left")
        assert app.pane.tab == "limits"


async def test_a_tab_opens_by_the_mouse(made: Made) -> None:
    """It takes the keyboard."""
    root = made.root("the request")
    app = PaneApp(made)
    async with app.run_test(size=(70, 20)) as pilot:
        app.pane.show(root)
        await until(lambda: app.pane.job_id == root)
        await pilot.click(TabBar, offset=(12, 0))
        await until(lambda: app.pane.tab == "request" and app.view.has_focus)
        assert "the request" in app.text()


async def test_what_changes_is_read_again(made: Made) -> None:
    """The job itself, and a child of it; not what has nothing to do with it."""
    root, other = made.root("mine"), made.root("other")
    app = PaneApp(made)
    async with app.run_test(size=(70, 20)) as pilot:
        app.pane.show(root)
        app.pane.focus_content()
        await until(lambda: app.pane.job_id == root)
        await pilot.press("3")
        fence = made.start(root)
        (child,) = made.spawn(fence, "below")
        reads = app.pane.reads
        app.pane.apply([job(made, other)])
        assert app.pane._again is None
        app.pane.apply([job(made, root)])
        await until(lambda: any(text.startswith("ledger") for text in app.text()))
        assert app.said("head").startswith(f"#{root} ● running")
        made.run(child, 3, 4, result="found it")
        for _ in range(50):
            app.pane.apply([job(made, child)])
        await until(lambda: "    found it" in app.text())
        assert app.pane.reads == reads + 2


async def test_the_limits_follow_every_job_of_the_tree(made: Made) -> None:
    """And the time that passes."""
    root = made.root("x", timeouts_s=(600.0,))
    fence = made.start(root)
    (child,) = made.spawn(fence, "below")
    (deep,) = made.spawn(made.start(child, 3), "deeper", second=4)
    app = PaneApp(made)
    async with app.run_test(size=(90, 20)) as pilot:
        app.pane.show(root)
        app.pane.focus_content()
        await until(lambda: app.pane.job_id == root)
        await pilot.press("5")
        assert any("2 of 8 at work" in text for text in app.text())
        made.start(deep, 5)
        app.pane.apply([job(made, deep)])
        await until(lambda: any("3 of 8 at work" in text for text in app.text()))
        app.second = 301
        await until(lambda: any(text.endswith("in 5m00s") for text in app.text()))


async def test_the_output_is_live_and_ends_with_its_job(made: Made) -> None:
    """The line below it says how far it is."""
    root = made.root()
    fence = made.start(root)
    path = made.log(root, "one\n")
    app = PaneApp(made)
    async with app.run_test(size=(70, 20)):
        app.pane.show(root)
        await until(lambda: app.text() == ["one"])
        await until(lambda: app.said("status") == "4 B  following")
        grow(path, "two\n")
        await until(lambda: app.text() == ["one", "two"])
        grow(path, "three\n")
        made.finish(fence)
        app.pane.apply([job(made, root)])
        await until(lambda: not app.view.workers)
        assert app.text() == ["one", "two", "three"]
        await until(lambda: app.said("status") == "14 B")


async def test_earlier_attempts_are_shown_by_key(made: Made) -> None:
    """And a newer one is shown as soon as it begins, unless an earlier one was chosen."""
    root = made.root("x", max_attempts=5)
    made.run(root, 1, 2, status=Status.FAILED, error="again")
    made.start(root, 30)
    made.log(root, "first\n", 1)
    made.log(root, "second\n", 2)
    app = PaneApp(made)
    async with app.run_test(size=(70, 20)) as pilot:
        app.pane.show(root)
        app.pane.focus_content()
        await until(lambda: app.text() == ["second"])
        await pilot.press("<")
        await until(lambda: app.text() == ["first"])
        assert app.said("status").startswith("attempt 1 of 2 (< >)")
        app.pane.apply([job(made, root)])
        await until(lambda: app.pane._again is None)
        assert app.text() == ["first"]
        await pilot.press(">")
        await until(lambda: app.text() == ["second"])


async def test_a_text_is_found_and_keys_are_given_back(made: Made) -> None:
    """`/` asks, Enter finds, n goes on, Escape ends it; before and after, the keys are the app's."""
    root = made.root("x", Kind.CLAUDE)
    made.start(root)
    made.transcript(root, said("nothing"), *(returned(f"a\nneedle {number}\nb") for number in range(40)))
    app = PaneApp(made)
    async with app.run_test(size=(70, 14)) as pilot:
        app.pane.show(root)
        app.pane.focus_content()
        await until(lambda: len(app.text()) > 40)
        await pilot.press("n", "escape")
        assert app.taken == ["n", "esc"]
        await app.find(pilot, "needle 1")
        assert app.view.has_focus
        assert not app.query_one(FindBar).is_open
        assert app.said("status").endswith("/needle 1  n N Esc")
        assert "    needle 1" in [app.view.render_line(y).text.rstrip() for y in range(app.view.size.height)]
        await pilot.press("n")
        assert "    needle 10" in [app.view.render_line(y).text.rstrip() for y in range(app.view.size.height)]
        await app.find(pilot, "absent")
        assert app.said("status").endswith("/absent is nowhere here")
        await pilot.press("escape")
        assert "/" not in app.said("status")
        await pilot.press("slash", "x", "escape")
        assert app.view.has_focus
        await pilot.press("n", "escape")
        assert app.taken == ["n", "esc", "n", "esc"]


async def test_f_follows_only_where_there_is_an_output(made: Made) -> None:
    """Elsewhere it is the app's."""
    root = made.root()
    made.start(root)
    made.log(root, "one\n")
    app = PaneApp(made)
    async with app.run_test(size=(70, 14)) as pilot:
        app.pane.show(root)
        app.pane.focus_content()
        await until(lambda: app.text() == ["one"])
        await pilot.press("f")
        assert app.said("status").endswith("f or End: follow")
        await pilot.press("2", "f")
        assert app.taken == ["f"]


async def test_without_a_job_every_tab_says_so(made: Made) -> None:
    """And after a job, when there is none any more."""
    root = made.root()
    app = PaneApp(made)
    async with app.run_test(size=(70, 14)) as pilot:
        app.pane.focus_content()
        assert app.text() == ["No job is selected."]
        app.pane.show(root)
        await until(lambda: app.pane.job_id == root)
        app.pane.show(None)
        await until(lambda: app.pane.job_id is None)
        for key in "123456":
            await pilot.press(key)
            assert app.text() == ["No job is selected."]
        assert app.said("head") == ""


async def test_a_store_that_can_not_be_read_is_told_in_the_tab(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read again with the next change; a job that is not there is told the same way."""
    root = made.root()
    app = PaneApp(made)
    async with app.run_test(size=(70, 14)):

        def busy(job_id: int) -> None:
            raise StoreBusy("another program holds the store")

        with monkeypatch.context() as patch:
            patch.setattr(app.source, "closeup", busy)
            app.pane.show(root)
            await until(lambda: app.text() == ["It can not be read: another program holds the store"])
        app.pane.show(999)
        await until(lambda: app.text() == ["It can not be read: there is no job #999; see: orch list"])
        app.pane.show(root)
        await until(lambda: app.text()[0].startswith(f"#{root} has not started"))


async def test_a_title_is_never_markup(made: Made) -> None:
    """Not in the head, not in what is looked for."""
    root = made.root("see [/foo] [bold red]")
    app = PaneApp(made)
    async with app.run_test(size=(70, 14)) as pilot:
        app.pane.show(root)
        app.pane.focus_content()
        await until(lambda: app.pane.job_id == root)
        assert app.said("head").endswith("see [/foo] [bold red]")
        await pilot.press("2")
        await app.find(pilot, "[/foo]")
        assert "/[/foo]" in app.said("status")


async def test_a_hidden_pane_reads_nothing(made: Made) -> None:
    """Until it is shown again, when it tells what has changed since."""
    root = made.root()
    app = PaneApp(made)
    async with app.run_test(size=(70, 14)):
        app.pane.show(root)
        await until(lambda: app.pane.job_id == root)
        app.pane.display = False
        made.start(root)
        reads = app.pane.reads
        app.pane.apply([job(made, root)])
        await until(lambda: app.pane._again is None)
        assert app.pane.reads == reads
        app.pane.display = True
        app.pane.show(root)
        await until(lambda: app.said("head").startswith(f"#{root} ● running"))


async def test_ascii_alone_is_enough(made: Made) -> None:
    """For every sign of ours."""
    root = made.root("x", Kind.CLAUDE)
    made.start(root)
    made.transcript(root, said("text"), returned("a\nb"), {"type": "ResultMessage"})
    app = PaneApp(made, ascii_only=True)
    async with app.run_test(size=(70, 14)) as pilot:
        app.pane.show(root)
        app.pane.focus_content()
        await until(lambda: len(app.text()) > 3)
        for key in "123456":
            await pilot.press(key)
            shown = "".join(app.view.render_line(y).text for y in range(app.view.size.height))
            assert (shown + app.said("head")).isascii()
