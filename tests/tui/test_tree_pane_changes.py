"""The tree on a screen while everything changes: what is redrawn, what stays where it is, and what that costs."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tree_pane_stage import Screen, plant, until
from tree_stores import add_job, add_jobs, change, open_store, plant_many, start

from store.database import Store
from tui_orch.tui import tree_canvas
from tui_orch.tui.source import PAGE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as store:
        yield store


async def test_a_job_s_change_redraws_its_row_alone(store: Store) -> None:
    plant(store)
    app = Screen(store)
    async with app.shown() as pilot:
        await pilot.pause()
        before = app.pane.rows_drawn
        change(store, "UPDATE jobs SET activity = 'Edit src/auth.py' WHERE id = 2")
        app.catch_up()
        await pilot.pause()
        assert "Edit src/auth.py" in app.texts[2]
        assert app.pane.rows_drawn == before + 1


async def test_new_children_appear_where_they_belong_and_the_cursor_stays_on_its_line(store: Store) -> None:
    add_jobs(store, None, 40)
    start(store, 38)
    add_jobs(store, 38, 3)
    app = Screen(store)
    async with app.shown(height=10) as pilot:
        app.pane.go_to(20)
        line, ids = app.cursor_line, app.ids
        for _ in range(3):
            add_jobs(store, 38, 5)
            add_job(store)
            app.catch_up()
            await pilot.pause(tree_canvas.FRAME_S)
        await until(pilot, lambda: app.pane.virtual_size.height == 40 + 3 + 18, "the rows did not come")
        assert (app.pane.cursor_id, app.cursor_line, app.ids) == (20, line, ids)
        await pilot.press("down")
        assert (app.pane.cursor_id, app.cursor_line) == (19, line + 1)
        await pilot.press("home")
        assert app.ids[:7] == [61, 55, 49, 40, 39, 38, 41]


async def test_at_the_very_top_new_root_jobs_come_in_above_until_the_cursor_would_leave(store: Store) -> None:
    add_jobs(store, None, 20)
    app = Screen(store)
    async with app.shown(height=5) as pilot:
        for expected in ([21, 20, 19, 18, 17], [22, 21, 20, 19, 18]):
            add_job(store)
            app.catch_up()
            await until(pilot, lambda expected=expected: app.ids == expected, "the new job is not shown")
            assert app.pane.cursor_id == 20
        add_jobs(store, None, 9)
        app.catch_up()
        await until(pilot, lambda: app.pane.virtual_size.height == 31, "the rows did not come")
        assert 20 in app.ids


async def test_rows_that_come_in_a_flood_redraw_the_pane_8_times_a_second(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(store)
    app = Screen(store)
    frames = 0
    show = app.pane._show

    def counted(at_once: bool = False) -> None:
        nonlocal frames
        frames += 1
        show(at_once)

    async with app.shown() as pilot:
        monkeypatch.setattr(app.pane, "_show", counted)
        begin = time.monotonic()
        added = [0]
        while time.monotonic() < begin + 0.7:
            added.append(add_job(store, 1))
            app.catch_up()
            await pilot.pause(0.005)
        assert len(added) > 3 * frames
        assert 1 <= frames <= (time.monotonic() - begin) / tree_canvas.FRAME_S + 1
        await until(pilot, lambda: app.pane.virtual_size.height == 6 + len(added) - 1, "the last rows did not come")


async def test_while_a_frame_waits_a_key_is_obeyed_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(store)
    monkeypatch.setattr(tree_canvas, "FRAME_S", 1_000.0)
    app = Screen(store)
    async with app.shown() as pilot:
        app.pane._frame_at = time.monotonic()
        added = add_job(store, 1)
        app.catch_up()
        await pilot.pause()
        assert added not in app.ids
        await pilot.press("end")
        assert app.pane.cursor_id == added
        assert app.ids[-1] == added


async def test_the_clock_redraws_only_what_is_under_way(store: Store) -> None:
    plant(store)
    app = Screen(store)
    async with app.shown() as pilot:
        await pilot.pause()
        before = app.pane.rows_drawn
        app.pane._tick()
        await pilot.pause()
        assert app.pane.rows_drawn == before
        app.now_ms += 5_000
        app.pane._tick()
        await pilot.pause()
        assert app.pane.rows_drawn == before + 2
        assert "5s" in app.texts[1]


async def _a_walk(store: Store) -> tuple[int, int, int]:
    """Do the same things over any store; return the rows drawn, the rows read, and how many rows there are."""
    app = Screen(store)
    async with app.shown(height=24) as pilot:
        for keys in (("down",) * 5, ("pagedown",), ("pagedown",), ("right",), ("left",), ("end",), ("home",)):
            await pilot.press(*keys)
            await pilot.pause()
        with store.read() as reader:
            newest = int(reader.value("SELECT max(id) FROM jobs WHERE parent_id IS NULL"))
        change(store, "UPDATE jobs SET activity = 'x' WHERE id = ?", newest)
        app.catch_up()
        await pilot.pause()
        change(store, "UPDATE jobs SET activity = 'far away' WHERE id = 1")
        app.catch_up()
        await pilot.pause()
        rows = app.pane.model.rows
        new = add_job(store)
        app.catch_up()
        await until(pilot, lambda: new in app.ids, "the new job is not shown")
        assert app.pane.model.rows == rows + 1
        return app.pane.rows_drawn, app.pane.model.fetched, rows


async def test_rows_drawn_and_read_are_the_same_over_1_000_and_over_100_000_jobs(tmp_path: Path) -> None:
    """Nothing costs more than the visible rows and what changed."""
    found = []
    for name, trees in (("small", 2 * PAGE), ("large", 196 * PAGE)):
        (tmp_path / name).mkdir()
        with open_store(tmp_path / name) as store:
            plant_many(store, trees)
            drawn, fetched, rows = await _a_walk(store)
            assert rows == trees
            found.append((drawn, fetched))
    assert found[0] == found[1]
    assert found[0][1] < 2 * PAGE + 6 * 24
