"""What the whole app tells of what can not be done, and shows of what happens elsewhere."""

import pytest
from app_stage import Garden, footer, job, seen, shown, to
from detail_stores import Made, until
from dialog_stage import text

from store import asks
from tui_orch.tui.app import OrchApp


@pytest.mark.parametrize(
    ("where", "key", "why"),
    [
        ("planned", "c", "has ended (completed); there is nothing to cancel"),
        ("pruning", "r", "is running; only what failed"),
        ("planned", "R", "nothing is below"),
        ("painting", "space", "has no children"),
        ("painting", "o", "has not started yet, so it has no output"),
        ("root", "escape", "no filter is on"),
        ("root", "S", "a supervisor runs already"),
    ],
)
async def test_a_key_that_does_nothing_says_why(stage: Garden, where: str, key: str, why: str) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, getattr(stage, where))
        await pilot.press(key)
        await until(lambda: why in footer(app))


@pytest.mark.parametrize("key", ["c", "r", "R", "l", "p", "o", "y", "enter", "space", "slash", "f", "J", "t", "s", "a"])
async def test_a_store_without_jobs_tells_what_to_do_first(nothing: Made, key: str) -> None:
    async with shown(nothing) as (app, pilot):
        before = footer(app)
        await pilot.press(key)
        await until(lambda: footer(app) != before)
        assert app.screen is app.default_screen


async def test_watching_only_changes_nothing(stage: Garden) -> None:
    async with shown(stage.made, read_only=True) as (app, pilot):
        for key in ("c", "l", "p", "P", "n", "a"):
            app.say("")
            await pilot.press(key)
            await until(lambda: "this screen only watches" in footer(app))


# What happens elsewhere


async def test_new_children_appear_without_moving_the_cursor(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.painting)
        at_line = _line(app, "Paint the fence")
        new = stage.made.spawn(stage.job(stage.digs[0]).fence, "Loosen the clay", second=700)
        await seen(app, "Loosen the clay")
        assert app.pane.cursor_id == stage.painting
        assert _line(app, "Paint the fence") == at_line + 1
        assert _line(app, "Loosen the clay") == _line(app, "Dig the north bed") + 1
        assert job(stage.made, new[0]).parent_id == stage.digs[0]


async def test_an_open_inbox_takes_in_a_new_ask(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("a")
        await seen(app, "Inbox: 1 ask waits")
        fence = stage.job(stage.pruning).fence
        with stage.made.store.write() as tx:
            asks.ask(tx, fence, kind="question", question="how short?", now_ms=app.outside.now_ms())
        await seen(app, "Inbox: 2 asks wait")


async def test_a_narrow_and_a_wide_screen_show_tree_and_detail_one_at_a_time_or_beside_each_other(
    stage: Garden,
) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("enter")
        await seen(app, "Attempts")
        assert "Plan the beds" not in text(app)
        await pilot.resize_terminal(160, 40)
        await seen(app, "Attempts", "Plan the beds")


def _line(app: OrchApp, words: str) -> int:
    return next(at for at, line in enumerate(text(app).split("\n")) if words in line)
