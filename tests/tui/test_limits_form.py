"""The form of limits: what is used, what a value would allow, and the change that the store takes."""

from pathlib import Path

import pytest
from dialog_stage import NARROW, TREE, WIDE, assert_fits, assert_plain, open_store, running_tree, staged, text

from store.control import set_limits
from store.models import Limits
from store.settings import get_settings
from store.tree import get_tree
from store.use import TreeUse, tree_use
from tui_orch.tui.dialogs.limits_form import LimitsForm

USE = TreeUse(deepest=2, most_children=7, running=3, spent_usd=4.2)


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_every_limit_stands_with_its_use_and_what_it_allows(size: tuple[int, int]) -> None:
    async with staged(LimitsForm(TREE, USE, 10), size) as (app, _):
        seen = text(app)
        for expected in (
            "max_depth",
            "deepest 2",
            "1 more level below",
            "57 there",
            "143 more jobs",
            "$4.20 spent",
            "$5.80 more",
        ):
            assert expected in seen
        assert_fits(app)
        assert_plain(app)


async def test_a_change_is_told_as_one_types_and_taken_by_the_store(tmp_path: Path) -> None:
    """Raised max_depth, through to the store."""
    with open_store(tmp_path) as store:
        root, _ = running_tree(store)
        with store.read() as reader:
            tree, use = get_tree(reader, root.job_id), tree_use(reader, root.job_id)
            ceiling = get_settings(reader).max_workers_ceiling
        async with staged(LimitsForm(tree, use, ceiling)) as (app, pilot):
            await pilot.press("5")
            await pilot.pause()
            assert "→ 4 more levels below" in text(app)
            await pilot.press("enter")
            await pilot.pause()
            assert app.results == [Limits(max_depth=5)]
        with store.write() as tx:
            assert set_limits(tx, root.job_id, app.results[0]).max_depth == 5


async def test_a_wrong_value_keeps_the_form_open_and_goes_to_its_field() -> None:
    async with staged(LimitsForm(TREE, USE, 10)) as (app, pilot):
        await pilot.press("9", "tab", "enter")
        await pilot.pause()
        assert app.results == []
        assert "max_depth: a whole number from 0 to 5, not 9" in text(app)
        assert app.focused is not None
        assert app.focused.id == "max_depth"
        await pilot.press("3", "ctrl+s")
        await pilot.pause()
        assert app.results == [None]


async def test_what_is_typed_takes_the_place_of_the_old_value() -> None:
    """In every field that one comes to: 3 and 200 are there."""
    async with staged(LimitsForm(TREE, USE, 10)) as (app, pilot):
        await pilot.press("4", "tab", "3", "0", "0", "enter")
        await pilot.pause()
        assert app.results == [Limits(max_depth=4, max_jobs=300)]


async def test_nothing_changed_is_no_change() -> None:
    async with staged(LimitsForm(TREE, USE, 10)) as (app, pilot):
        await pilot.press("enter")
        await pilot.pause()
        assert app.results == [None]


async def test_esc_and_the_button_leave_all_as_it_is() -> None:
    for how in ("esc", "button"):
        async with staged(LimitsForm(TREE, USE, 10)) as (app, pilot):
            await pilot.press("5")
            if how == "esc":
                await pilot.press("escape")
            else:
                await pilot.click("#leave")
            await pilot.pause()
            assert app.results == [None]


async def test_the_mouse_saves_too_and_arrows_move() -> None:
    async with staged(LimitsForm(TREE, USE, 10)) as (app, pilot):
        await pilot.press("down", "down", "up", "end", "backspace", "5")
        await pilot.click("#save")
        await pilot.pause()
        assert app.results == [Limits(max_jobs=205)]


async def test_a_refusal_of_the_store_is_shown_when_the_form_opens_again() -> None:
    """With what was typed, until something else is."""
    first = LimitsForm(TREE, USE, 10)
    async with staged(first) as (_, pilot):
        await pilot.press("5", "enter")
        await pilot.pause()
    async with staged(LimitsForm(TREE, USE, 10, typed=first.typed, problem="max_depth [/foo] no")) as (app, pilot):
        assert "max_depth [/foo] no" in text(app)
        assert "→ 3 more levels" in text(app)
        await pilot.press("4")
        await pilot.pause()
        assert "[/foo]" not in text(app)
