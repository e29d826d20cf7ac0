"""The keys for the screen itself: filter, follow, jump, timeline, sort, help, palette, quit."""

import pytest
from app_stage import Garden, footer, gone, seen, shown
from detail_stores import at, until
from dialog_stage import enter_text, text

from store.claim import set_activity
from store.states import Status
from tui_orch.tui import steering
from tui_orch.tui.dialogs.filter_bar import FilterBar
from tui_orch.tui.messages import CursorMoved, JobsChanged, StoreRecovered
from tui_orch.tui.sorting import Sort


async def test_slash_filters_and_keeps_what_is_above_a_match(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("slash")
        await until(lambda: app.query_one(FilterBar).is_open)
        await enter_text(pilot, "south")
        await gone(app, "Water the basil")
        await seen(app, "Rebuild the herb garden", "Dig the beds", "Dig the south bed")
        await pilot.press("enter")
        await until(lambda: app.focused is app.pane)
        assert "Water the basil" not in text(app)
        await pilot.press("escape")
        await seen(app, "Water the basil")


async def test_esc_in_the_line_of_the_filter_shows_all_jobs_again(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("slash")
        await enter_text(pilot, "state:failed")
        await gone(app, "Prune the sage")
        await pilot.press("escape")
        await seen(app, "Prune the sage")
        assert app.focused is app.pane


async def test_esc_closes_the_detail_before_it_takes_the_filter_away(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("slash")
        await enter_text(pilot, "south")
        await gone(app, "Water the basil")
        await seen(app, "Dig the south bed")
        await pilot.press("enter")
        await until(lambda: app.focused is app.pane)
        await pilot.press("enter")
        await seen(app, "Attempts")
        await pilot.press("escape")
        await seen(app, "Dig the south bed")
        assert "Water the basil" not in text(app)
        await pilot.press("escape")
        await seen(app, "Water the basil")


async def test_f_follows_what_happens_until_it_is_pressed_again(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("f")
        await seen(app, "follows the newest activity")
        _works(stage, stage.pruning, "Read beds/sage.md")
        await until(lambda: app.pane.cursor_id == stage.pruning)
        await pilot.press("f")
        await seen(app, "stays where it is")
        _works(stage, stage.digs[0], "Bash dig")
        await seen(app, "Bash dig ")
        assert app.pane.cursor_id == stage.pruning


async def test_upper_j_goes_from_one_job_that_calls_to_the_next(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        found = []
        for _ in range(4):
            await pilot.press("J")
            await pilot.pause()
            found.append(app.pane.cursor_id)
        assert found == [stage.watered, stage.asking, stage.pruning, stage.counted]


async def test_t_shows_the_timeline_and_esc_takes_it_away(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("t")
        await until(lambda: app.side == "timeline")
        await seen(app, "holds the root")
        await pilot.press("escape")
        await until(lambda: app.side is None)
        assert app.focused is app.pane


async def test_s_sorts_siblings_by_what_is_chosen(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("s")
        await seen(app, "Sort by")
        await pilot.press("s")
        await until(lambda: app.pane.model.forest.sort is Sort.STATE)
        screen = text(app)
        assert screen.index("Talk to the neighbour") < screen.index("Water the basil") < screen.index("Plan the beds")


async def test_more_siblings_than_are_sorted_are_told_of(stage: Garden, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before one chooses, and after it where some are in view."""
    async with shown(stage.made) as (app, pilot):
        await pilot.press("s")
        await seen(app, "more than 10,000 siblings stay in the order of their ids")
        await pilot.press("c")
        await until(lambda: app.pane.model.forest.sort is Sort.COST)
        await gone(app, "stay in the order of their ids")
        monkeypatch.setattr(steering, "MOST_SORTED", 3)
        await pilot.press("s", "s")
        await until(lambda: "stay in the order of their ids" in footer(app))
        await pilot.press("s", "i")
        await until(lambda: app.pane.model.forest.sort is Sort.ID)


async def test_question_mark_shows_the_keys_and_does_what_is_picked(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("question_mark")
        await seen(app, "Keys and commands")
        await enter_text(pilot, "sort siblings")
        await pilot.press("enter")
        await seen(app, "Sort by")


async def test_ctrl_p_finds_an_action_by_its_name(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("ctrl+p")
        await until(lambda: app.screen is not app.default_screen)
        await enter_text(pilot, "timeline")
        await seen(app, "timeline (t)")
        await pilot.press("down", "enter")
        await until(lambda: app.side == "timeline")


async def test_the_palette_changes_the_colours(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        before = app.theme
        app.do("theme")
        await seen(app, "Theme", "TEXTUAL_THEME")
        await pilot.press("home", "enter")
        await until(lambda: app.theme not in ("", before))
        assert app.screen is app.default_screen


async def test_q_ends_the_app_well_and_what_runs_goes_on(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("q")
    assert app.return_code == 0
    assert stage.job(stage.pruning).status is Status.RUNNING


async def test_what_the_feed_tells_while_the_app_closes_does_no_harm(stage: Garden) -> None:
    """The parts are taken away before the app's last messages are handled."""
    async with shown(stage.made) as (app, pilot):
        await app.default_screen.remove_children()
        app.post_message(JobsChanged((stage.job(stage.root),), app.state))
        app.post_message(CursorMoved(stage.root))
        app.post_message(StoreRecovered())
        app.say("the last word")
        await pilot.pause()
    assert app.return_code in (None, 0)


def _works(stage: Garden, job_id: int, words: str) -> None:
    fence = stage.job(job_id).fence
    with stage.made.store.write() as tx:
        set_activity(tx, fence, words, at(700))
