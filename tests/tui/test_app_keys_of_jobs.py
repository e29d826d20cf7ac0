"""The keys for a job and its tree, pressed over a real store: what comes of it stands in the store, or on the screen."""

import pytest
from app_stage import Garden, Surroundings, gone, seen, shown, to
from dialog_stage import enter_text
from textual.widgets import Input

from store.states import Status
from store.tree import children, get_tree
from tui_orch.tui.keys import ACTIONS
from tui_orch.tui.steering import Steering


def test_every_action_can_be_done() -> None:
    """The table of keys and what does them can not drift apart."""
    assert [action.name for action in ACTIONS if not callable(getattr(Steering, action.name, None))] == []


async def test_every_key_of_the_table_is_bound(stage: Garden) -> None:
    async with shown(stage.made) as (app, _):
        bound = {binding.key for binding in (found.binding for found in app.active_bindings.values())}
        # "escape" is bound once on the screen by Textual and once by the app; "?" is Textual's question_mark.
        assert {action.key for action in ACTIONS if action.key} - bound == set()


async def test_c_asks_and_y_cancels_the_subtree(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.digging)
        await pilot.press("c")
        await seen(app, f"Cancel #{stage.digging}?", "This ends 3 jobs")
        await pilot.press("y")
        await seen(app, f"#{stage.digging}:", "being stopped")
        assert stage.job(stage.digs[1]).status is Status.CANCELLED
        assert stage.job(stage.digs[0]).stop_reason == "cancelled"
        assert stage.job(stage.pruning).stop_reason is None


@pytest.mark.parametrize("key", ["escape", "n", "enter"])
async def test_c_changes_nothing_without_a_yes(stage: Garden, key: str) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.painting)
        await pilot.press("c")
        await seen(app, f"Cancel #{stage.painting}?")
        await pilot.press(key)
        await gone(app, f"Cancel #{stage.painting}?")
        await pilot.press("q")
    assert stage.job(stage.painting).status is Status.QUEUED


async def test_r_queues_a_failed_job_again_and_starts_a_supervisor_for_it(stage: Garden) -> None:
    around = Surroundings(supervisor=False)
    async with shown(stage.made, surroundings=around) as (app, pilot):
        await to(app, pilot, stage.watered)
        await pilot.press("r")
        await seen(app, f"queued again: #{stage.watered}")
        assert stage.job(stage.watered).status is Status.QUEUED
        assert around.started == 1


async def test_upper_r_queues_the_failed_leaves(stage: Garden) -> None:
    with stage.made.store.read() as reader:
        pot = children(reader, stage.counted)[0]
    assert pot.status is Status.FAILED
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.counted)
        await pilot.press("R")
        await seen(app, f"queued again: #{pot.id}")
        assert stage.job(pot.id).status is Status.QUEUED
        assert stage.job(stage.counted).status is Status.WAITING


async def test_enter_opens_the_detail_and_esc_closes_it(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("enter")
        await seen(app, "Attempts", "I look at the beds first.")
        await pilot.press("escape")
        await gone(app, "Attempts")
        assert app.side is None
        assert app.focused is app.pane


async def test_space_folds_and_unfolds(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.digging)
        await seen(app, "Dig the north bed")
        await pilot.press("space")
        await gone(app, "Dig the north bed")
        await pilot.press("space")
        await seen(app, "Dig the north bed")


async def test_o_says_what_to_do_where_the_terminal_can_not_be_left(
    stage: Garden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGER", "cat")
    async with shown(stage.made) as (app, pilot):
        await pilot.press("o")
        await seen(app, f"this terminal can not be left; see: orch logs {stage.root}")


async def test_o_names_a_pager_that_is_not_there(stage: Garden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "no-such-pager -R")
    async with shown(stage.made) as (app, pilot):
        await pilot.press("o")
        await seen(app, "there is no pager no-such-pager; set PAGER")


async def test_y_copies_what_is_chosen(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.planned)
        await pilot.press("y")
        await seen(app, f"Copy of #{stage.planned}", "session")
        await pilot.press("s")
        await seen(app, "copied the session: 5e551011")
        assert app.clipboard == "5e551011"


# On a tree


async def test_l_raises_max_depth_at_once(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.pruning)
        await pilot.press("l")
        await seen(app, f"Limits of tree #{stage.root}")
        field = app.screen.query_one("#max_depth", Input)
        field.focus()
        field.value = ""
        await enter_text(pilot, "4")
        await pilot.press("enter")
        await seen(app, f"limits of tree #{stage.root} changed")
        with stage.made.store.read() as reader:
            assert get_tree(reader, stage.root).max_depth == 4


async def test_l_changes_nothing_with_esc(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("l")
        await seen(app, "Limits of tree")
        app.screen.query_one("#max_depth", Input).value = "4"
        await pilot.press("escape")
        await gone(app, "Limits of tree")
        await pilot.press("q")
    with stage.made.store.read() as reader:
        assert get_tree(reader, stage.root).max_depth == 3


async def test_p_pauses_the_tree_and_lets_it_go_on(stage: Garden) -> None:
    def paused() -> int | None:
        with stage.made.store.read() as reader:
            return get_tree(reader, stage.root).paused_ms

    async with shown(stage.made) as (app, pilot):
        await pilot.press("p")
        await seen(app, f"tree #{stage.root} starts nothing new")
        assert paused() is not None
        await pilot.press("p")
        await seen(app, f"tree #{stage.root} goes on")
        assert paused() is None
