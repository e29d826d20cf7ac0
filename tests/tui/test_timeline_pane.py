"""The timeline on the screen: rows, axis, keys, what it reads, and what happens while the tree grows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from detail_stores import Made, at, until
from textual.app import App, ComposeResult
from textual.widgets import Static

from store.errors import StoreBusy
from store.models import Job
from store.tree import get_job
from tui_orch.tui import timeline_model
from tui_orch.tui.detail.source import StoreDetailSource
from tui_orch.tui.timeline_model import TimelineModel
from tui_orch.tui.timeline_pane import TimelinePane
from tui_orch.tui.timeline_view import TimelineView


class TimeApp(App[None]):
    """The pane alone, at a moment that stands still unless a test moves it."""

    def __init__(self, made: Made, *, ascii_only: bool = False) -> None:
        super().__init__()
        self._ascii_only = ascii_only
        self.animation_level = "none"
        self.second = 60.0
        self.chosen: list[int] = []
        self.source = StoreDetailSource(made.store)

    def compose(self) -> ComposeResult:
        yield TimelinePane(
            self.source, lambda: at(self.second), settle_s=0.02, again_s=0.05, ascii_only=self._ascii_only
        )

    def on_timeline_pane_chosen(self, message: TimelinePane.Chosen) -> None:
        self.chosen.append(message.job_id)

    @property
    def pane(self) -> TimelinePane:
        return self.query_one(TimelinePane)

    @property
    def view(self) -> TimelineView:
        return self.query_one(TimelineView)

    def rows(self) -> list[str]:
        return [self.view.render_line(y).text.rstrip() for y in range(self.view.size.height)]

    def said(self, where: str) -> str:
        return str(self.query_one(f"#timeline-{where}", Static).content)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    found = Made(tmp_path)
    yield found
    found.store.close()


def job(made: Made, job_id: int) -> Job:
    with made.store.read() as reader:
        return get_job(reader, job_id)


def grown(made: Made) -> tuple[int, int, int]:
    """A root that waits for two children, of which the second one still runs."""
    root = made.root("the root 日本語")
    fence = made.start(root, 10)
    first, second = made.spawn(fence, "first [/x]", "second", second=15)
    made.suspend(fence, 20)
    made.run(first, 20, 40)
    made.start(second, 30)
    return root, first, second


async def test_jobs_are_drawn_over_time(made: Made) -> None:
    """Running, waiting and queued by different signs, and who holds the root up by a mark."""
    root, first, second = grown(made)
    app = TimeApp(made)
    async with app.run_test(size=(79, 16)):
        app.pane.show(root)
        await until(lambda: len(app.pane.model.lives) == 3)
        top, one, two = app.rows()[:3]
        width = app.view.label_cells - 1  # a character of two cells counts as one
        assert top.startswith(f"◆◌ #{root} the root 日本語")
        assert one.startswith(f"  ✔ #{first} first [/x]")
        assert two.startswith(f"◆ ● #{second} second")
        assert {sign: top.count(sign) for sign in "·█░"} == {"·": 9, "█": 8, "░": 35}
        assert one[width + 1 :].strip() == "·" * 4 + "█" * 18
        assert two.endswith("█" * 25)
        assert app.said("head") == f" tree #{root} waiting  3 jobs  1 at work  1m00s  the root 日本語"
        assert app.said("holds") == f" ◆ held up now by #{second} second: running for 30s"
        assert "│0s" in app.said("axis")
        assert app.said("spark").startswith(" at work, most 2")


async def test_a_tree_that_has_ended_tells_what_took_the_longest(made: Made) -> None:
    """Of the critical path, not of all jobs."""
    root, _, second = grown(made)
    made.finish(made.start(root, 55) if job(made, root).status == "queued" else job(made, second).fence, 50)
    made.finish(made.start(root, 55), 58)
    app = TimeApp(made)
    async with app.run_test(size=(79, 16)):
        app.pane.show(second)
        await until(lambda: app.pane.model.lives)
        assert app.said("holds") == f" ◆ held up the longest by #{second} second: running for 20s"
        assert app.view.cursor_id == second


async def test_zoom_and_scroll_by_key(made: Made) -> None:
    """In around the middle, out again, to all of it; never so far that nothing is left to see."""
    root, _, _ = grown(made)
    app = TimeApp(made)
    async with app.run_test(size=(79, 16)) as pilot:
        app.pane.show(root)
        app.pane.focus_content()
        await until(lambda: app.pane.model.lives)
        whole = app.view.scale
        await pilot.press("plus")
        assert app.view.scale.ms == whole.ms / 2
        assert app.view.scale.start_ms > whole.start_ms
        closer = app.said("axis")
        await pilot.press("left")
        assert app.said("axis") != closer
        for _ in range(20):
            app.view.action_pan(-1)
        assert app.view.scale.start_ms == whole.start_ms
        await pilot.press("right")
        assert app.view.scale.start_ms > whole.start_ms
        for _ in range(30):
            app.view.action_pan(1)
        assert app.view.scale.start_ms < at(60)
        await pilot.press("minus")
        assert app.view.scale.ms == whole.ms
        for _ in range(9):
            app.view.action_zoom(-1)
        assert app.view.scale.ms * app.view.scale.cells <= 4 * 60_000
        await pilot.press("0")
        assert app.view.scale == whole


async def test_the_cursor_goes_to_a_job(made: Made) -> None:
    """By key and by a double click."""
    root, first, second = grown(made)
    app = TimeApp(made)
    async with app.run_test(size=(79, 16)) as pilot:
        app.pane.show(root)
        app.pane.focus_content()
        await until(lambda: app.pane.model.lives)
        await pilot.press("down", "enter", "end", "enter", "home", "enter")
        assert app.chosen == [first, second, root]
        await pilot.click(TimelineView, offset=(5, 1), times=2)
        await until(lambda: app.chosen[-1:] == [first])
        app.pane.show(second)
        await until(lambda: app.view.cursor_id == second)


async def test_what_changes_is_drawn(made: Made) -> None:
    """New jobs, ended ones, and the time that passes; another tree's changes are not read."""
    root, _, second = grown(made)
    other = made.root("other")
    app = TimeApp(made)
    async with app.run_test(size=(79, 16)):
        app.pane.show(root)
        await until(lambda: len(app.pane.model.lives) == 3)
        app.pane.apply([job(made, other)])
        assert app.pane._refreshing is None
        (third,) = made.spawn(job(made, second).fence, "third", second=45)
        app.pane.apply([job(made, second), job(made, third)])
        await until(lambda: len(app.pane.model.lives) == 4)
        assert app.rows()[3].startswith(f"   ○ #{third} third")
        app.second = 600
        await until(lambda: "10m00s" in app.said("head"))
        assert app.view.scale.end_ms == at(600)


async def test_a_later_moment_stays_in_view(made: Made) -> None:
    """Zoomed in, the view goes along with now where now was in it."""
    root, _, _ = grown(made)
    app = TimeApp(made)
    async with app.run_test(size=(79, 16)) as pilot:
        app.pane.show(root)
        app.pane.focus_content()
        await until(lambda: app.pane.model.lives)
        await pilot.press("plus", *["right"] * 5)
        before = app.view.scale
        assert before.start_ms <= at(60) < before.end_ms
        app.second = before.end_ms / 1_000 - at(0) / 1_000 + 1
        await until(lambda: app.view.scale != before)
        assert app.view.scale.start_ms <= at(app.second) < app.view.scale.end_ms


async def test_only_rows_in_view_are_drawn_of_a_large_tree(made: Made) -> None:
    """And no more jobs are read than a picture can show, those nearest to the root; that is said."""
    root = made.root("many", max_children=5_000, max_jobs=10_000)
    made.start(root)
    with made.store.write() as tx:
        for number in range(3_500):
            tx.insert("INSERT INTO jobs(parent_id, request) VALUES (?, ?)", (root, f"child {number}"))
    app = TimeApp(made)
    async with app.run_test(size=(79, 16)) as pilot:
        app.pane.show(root)
        app.pane.focus_content()
        await until(lambda: app.pane.model.lives)
        assert len(app.pane.model.lives) == timeline_model.MOST_JOBS
        assert "the first 3000 jobs" in app.said("head")
        app.view.rows_drawn = 0
        await pilot.press("pagedown")
        await pilot.pause()
        assert 11 <= app.view.rows_drawn <= 60


def test_a_tree_is_read_in_pages_level_by_level(made: Made) -> None:
    """And is cut at the bottom."""
    root, _, second = grown(made)
    (third,) = made.spawn(job(made, second).fence, "third", second=45)
    source = StoreDetailSource(made.store)
    for most, ids in ((10, [root, 2, second, third]), (3, [root, 2, second]), (1, [root])):
        model = TimelineModel(source, most=most)
        list(model.load(root))
        model.arrange()
        assert [one.id for one in model.lives] == ids
        assert model.cut == (most < 4)


async def test_without_a_job_there_is_nothing_to_draw(made: Made) -> None:
    """Which it says; and a store that can not be read is told too."""
    root, _, _ = grown(made)
    app = TimeApp(made)
    async with app.run_test(size=(79, 16)):
        assert app.said("head").startswith("No job is selected")
        app.pane.show(root)
        await until(lambda: app.pane.model.lives)
        app.pane.show(None)
        await until(lambda: not app.pane.model.lives)
        assert app.said("head").startswith("No job is selected")

        def busy(job_id: int) -> int:
            raise StoreBusy("another program holds the store")

        app.source.root_of = busy  # type: ignore[method-assign]
        app.pane.show(root)
        await until(lambda: app.said("head") == "It can not be read: another program holds the store")


@pytest.mark.parametrize("size", [(20, 8), (40, 12), (200, 50)])
async def test_it_fits_any_screen(made: Made, size: tuple[int, int]) -> None:
    """Every row is as wide as the screen, whatever the titles."""
    root, _, _ = grown(made)
    app = TimeApp(made)
    async with app.run_test(size=size):
        app.pane.show(root)
        await until(lambda: app.pane.model.lives)
        strips = [app.view.render_line(y) for y in range(app.view.size.height)]
        assert {strip.cell_length for strip in strips} == {size[0] - 1}


async def test_a_hidden_pane_reads_nothing(made: Made) -> None:
    """Until it is shown again, when the whole tree is read anew."""
    root, _, second = grown(made)
    app = TimeApp(made)
    async with app.run_test(size=(79, 16)):
        app.pane.show(root)
        await until(lambda: len(app.pane.model.lives) == 3)
        app.pane.display = False
        (third,) = made.spawn(job(made, second).fence, "third", second=45)
        app.pane.apply([job(made, third)])
        assert app.pane._refreshing is None
        app.pane.display = True
        app.pane.show(root)
        await until(lambda: len(app.pane.model.lives) == 4)


async def test_ascii_alone_is_enough(made: Made) -> None:
    """For every sign of ours."""
    root, _, _ = grown(made)
    app = TimeApp(made, ascii_only=True)
    async with app.run_test(size=(79, 16)):
        app.pane.show(root)
        await until(lambda: len(app.pane.model.lives) == 3)
        assert "".join(app.rows()[1:]).isascii()
        assert app.rows()[2].endswith("###")
        assert all(app.said(where).isascii() for where in ("spark", "axis", "holds", "keys"))
