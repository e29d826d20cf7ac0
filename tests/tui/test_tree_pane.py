"""The tree on a screen: keys, mouse, sorting, filter and what is drawn."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.events import MouseScrollDown
from tree_pane_stage import Screen, plant, until
from tree_stores import add_job, add_jobs, change, open_store, plant_many, start

from store.database import Store
from store.errors import StoreBusy
from store.models import Job
from tui_orch.tui.messages import CursorMoved, FilterProgressed, RowOpened, StoreTroubled
from tui_orch.tui.sorting import Sort
from tui_orch.tui.source import PAGE
from tui_orch.tui.tree_pane import TreePane


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as store:
        yield store


async def test_keys_move_the_cursor_and_it_tells_where_it_is(store: Store) -> None:
    plant(store)
    app = Screen(store)
    async with app.shown() as pilot:
        await pilot.press("down", "j", "down", "up", "k", "end", "home")
        moves = [message.job_id for message in app.told if isinstance(message, CursorMoved)]
        assert moves == [6, 1, 2, 4, 2, 1, 3, 6]
        await pilot.press("up", "home")
        assert len(app.told) == len(moves)
        assert app.pane.cursor_job is not None
        assert app.pane.cursor_job.id == 6
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.told[-1], RowOpened)


async def test_left_and_right_fold_and_walk_the_levels(store: Store) -> None:
    plant(store)
    app = Screen(store)
    async with app.shown() as pilot:
        app.pane.go_to(5)
        assert app.ids == [6, 1, 2, 4, 5, 3]
        await pilot.press("left")
        assert app.pane.cursor_id == 2
        await pilot.press("left")
        assert app.ids == [6, 1, 2, 3]
        await pilot.press("right")
        assert app.ids == [6, 1, 2, 4, 5, 3]
        await pilot.press("right")
        assert app.pane.cursor_id == 4
        await pilot.press("right")
        assert app.pane.cursor_id == 4
        await pilot.press("home", "left")
        assert app.pane.cursor_id == 6


async def test_space_folds_and_asterisk_unfolds_all_below(store: Store) -> None:
    plant(store)
    app = Screen(store, grow=False)
    async with app.shown() as pilot:
        await pilot.press("down", "space")
        assert app.ids == [6, 1, 2, 3]
        await pilot.press("space")
        assert app.ids == [6, 1]
        await pilot.press("asterisk")
        assert app.ids == [6, 1, 2, 4, 5, 3]
        assert app.pane.unfolded() == [1, 2]


async def test_pages_move_view_and_cursor_together(store: Store) -> None:
    add_jobs(store, None, 100)
    app = Screen(store)
    async with app.shown(height=10) as pilot:
        await pilot.press("down", "down", "pagedown")
        assert (app.ids[0], app.pane.cursor_id, app.cursor_line) == (90, 88, 2)
        await pilot.press("end")
        assert (app.ids[-1], app.pane.cursor_id) == (1, 1)
        await pilot.press("pageup")
        assert (app.ids[0], app.pane.cursor_id) == (20, 11)
        await pilot.press("home")
        assert (app.ids[0], app.pane.cursor_id) == (100, 100)
        await pilot.press(*["down"] * 10)
        assert (app.ids[0], app.cursor_line) == (99, 9)


async def test_a_click_selects_a_click_on_the_mark_folds_and_a_double_click_opens(store: Store) -> None:
    plant(store)
    app = Screen(store)
    async with app.shown() as pilot:
        await pilot.click(TreePane, offset=(20, 3))
        assert app.pane.cursor_id == 4
        await pilot.click(TreePane, offset=(1, 2))
        assert app.ids == [6, 1, 2, 3]
        assert app.pane.cursor_id == 2
        await pilot.click(TreePane, offset=(0, 1))
        assert app.ids == [6, 1]
        await pilot.click(TreePane, offset=(5, 9))
        assert app.pane.cursor_id == 1
        await pilot.double_click(TreePane, offset=(20, 0))
        await pilot.pause()
        assert isinstance(app.told[-1], RowOpened)
        assert app.told[-1].job_id == 6


async def test_the_wheel_scrolls_and_leaves_the_cursor_on_its_job(store: Store) -> None:
    add_jobs(store, None, 100)
    app = Screen(store)
    async with app.shown(height=10) as pilot:
        await pilot._post_mouse_events([MouseScrollDown], widget=TreePane, offset=(5, 5))
        await pilot.pause()
        assert app.ids[0] < 100
        assert app.pane.cursor_id == 100
        await pilot.press("down")
        assert app.pane.cursor_id == 99
        assert 99 in app.ids


async def test_a_sort_keeps_the_cursor_on_its_job_and_line(store: Store) -> None:
    add_jobs(store, None, 30)
    for job_id in (3, 7):
        start(store, job_id)
        change(store, "UPDATE attempts SET cost_usd = ? WHERE job_id = ?", float(job_id), job_id)
    app = Screen(store)
    async with app.shown(height=10) as pilot:
        app.pane.go_to(15)
        app.pane.set_sort(Sort.COST)
        await pilot.pause()
        assert app.pane.cursor_id == 15
        assert 15 in app.ids
        await pilot.press("home")
        assert app.ids[:3] == [7, 3, 30]


async def test_a_filter_shows_matches_with_the_jobs_above_and_gives_the_tree_back(store: Store) -> None:
    plant(store)
    app = Screen(store)
    async with app.shown() as pilot:
        await pilot.press("down", "down")
        app.pane.set_filter(lambda job: job.id in (5, 3))
        await until(pilot, lambda: app.ids == [1, 2, 5, 3], "the matches are not shown")
        await until(
            pilot,
            lambda: any(isinstance(message, FilterProgressed) and message.done for message in app.told),
            "the end was not told",
        )
        assert app.pane.cursor_id in (1, 2)
        app.pane.set_filter(lambda job: False)
        await until(pilot, lambda: any("No job matches" in text for text in app.texts), "no word of no match")
        assert app.pane.cursor_id is None
        assert app.pane.cursor_job is None
        await pilot.press("down", "left", "right", "space", "enter", "asterisk", "pagedown", "end")
        app.pane.set_filter(None)
        await pilot.pause()
        assert app.ids == [6, 1, 2, 4, 5, 3]
        assert app.pane.cursor_id is not None


async def test_following_goes_where_something_happens_until_a_key_is_pressed(store: Store) -> None:
    plant(store)
    app = Screen(store, grow=False)
    async with app.shown() as pilot:
        app.pane.follow = True
        change(store, "UPDATE jobs SET activity = 'x' WHERE id = 5")
        app.catch_up()
        await until(pilot, lambda: app.pane.cursor_id == 5, "the cursor did not follow")
        assert app.ids == [6, 1, 2, 4, 5, 3]
        await pilot.press("up")
        assert not app.pane.follow
        change(store, "UPDATE jobs SET activity = 'y' WHERE id = 5")
        app.catch_up()
        await pilot.pause(0.2)
        assert app.pane.cursor_id == 4


async def test_an_empty_store_says_what_to_do_and_the_first_job_gets_the_cursor(store: Store) -> None:
    app = Screen(store)
    async with app.shown() as pilot:
        said = "\n".join(app.texts)
        assert "No jobs yet." in said
        assert "n   new request" in said
        assert "orch run" in said
        await pilot.press("down", "end", "pageup", "space", "left", "right", "enter", "asterisk")
        assert app.pane.cursor_id is None
        job_id = add_job(store, title="the first")
        app.catch_up()
        await until(pilot, lambda: "the first" in app.texts[0], "the first job is not shown")
        assert app.pane.cursor_id == job_id


async def test_a_store_that_can_not_be_read_is_told_and_the_screen_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_jobs(store, None, 600)
    app = Screen(store)

    def broken(*_: object, **__: object) -> list[int]:
        raise StoreBusy("orch.db is locked")

    async with app.shown() as pilot:
        ids = app.ids
        with monkeypatch.context() as patch:
            for name in ("ids", "jobs", "path", "older"):
                patch.setattr(app.source, name, broken)
            await pilot.press("end", "pagedown", "space")
            assert not app.pane.go_to(3)
            await pilot.pause()
            told = {message.text for message in app.told if isinstance(message, StoreTroubled)}
            assert told == {"orch.db is locked"}
            assert app.ids == ids
        app.pane.go_to(17)
        app.pane.reload()
        await pilot.pause()
        assert app.pane.cursor_id == 17
        assert 17 in app.ids


async def test_another_size_draws_the_rows_of_that_size(store: Store) -> None:
    add_jobs(store, None, 50)
    app = Screen(store)
    async with app.shown(height=10) as pilot:
        await pilot.resize_terminal(120, 20)
        await pilot.pause()
        assert len(app.ids) == 20
        assert all(len(text) == app.pane.scrollable_content_region.width for text in app.texts)
        await pilot.press("end")
        await pilot.resize_terminal(40, 5)
        await pilot.pause()
        assert app.ids[-1] == 1 or 1 not in app.ids


async def test_hostile_titles_stay_within_their_row(store: Store) -> None:
    """Markup is text; escape sequences and bidi marks do not reach the terminal."""
    for title in ("see [/foo] [red]x", "\x1b]52;c;aGk=\x07", "a\u202eb\u200dc", "日本語 🎉" * 30):
        add_job(store, title=title)
    app = Screen(store, ascii_only=True)
    async with app.shown() as pilot:
        await pilot.pause()
        assert "see [/foo] [red]x" in app.texts[3]
        assert not any(char in text for text in app.texts for char in "\x1b\x07\u202e\u200d")
        assert all(app.pane.render_line(y).cell_length == 80 for y in range(4))


async def test_restored_unfolding_is_what_it_was(store: Store) -> None:
    plant(store)
    app = Screen(store, grow=False)
    async with app.shown() as pilot:
        app.pane.restore([1, 2])
        await pilot.pause()
        assert app.ids == [6, 1, 2, 4, 5, 3]


def _matches(_: Job) -> bool:
    return True


async def test_a_filter_over_very_many_jobs_lets_keys_through(store: Store) -> None:
    plant_many(store, 40 * PAGE)
    app = Screen(store)
    async with app.shown() as pilot:
        app.pane.set_filter(_matches)
        await until(pilot, lambda: app.pane.model.rows > 20, "nothing was found")
        sieve = app.pane.model.sieve
        assert sieve is not None
        await pilot.press("end")
        assert app.pane.cursor_id is not None
        app.pane.set_filter(None)
        await pilot.pause()
        assert app.pane.model.rows == 40 * PAGE
