"""What asks before it is done, and what lets one pick: the safe answer has the focus, and text is text."""

from pathlib import Path

import pytest
from dialog_stage import (
    HOSTILE,
    NARROW,
    NOW_MS,
    WIDE,
    a_job,
    assert_fits,
    assert_plain,
    open_store,
    running_tree,
    staged,
    text,
)

from store.control import cancel
from store.states import Status
from store.tree import get_job
from store.use import subtree_counts
from tui_orch.tui.clipboard import Copyable
from tui_orch.tui.dialogs.choices import choose_copy, choose_notice, choose_sort, choose_theme
from tui_orch.tui.dialogs.choose import Choose
from tui_orch.tui.dialogs.confirm import Confirm, cancel_lines, confirm_cancel
from tui_orch.tui.notify import Notice
from tui_orch.tui.sorting import Sort


def counts(**many: int) -> dict[Status, int]:
    return {status: many.get(status.value, 0) for status in Status}


def test_the_count_of_what_would_end_is_told() -> None:
    lines = cancel_lines(a_job(), counts(running=3, queued=1_200, waiting=1, completed=2))
    assert lines[1] == "This ends 1,204 jobs with all that their workers started: 3 running, 1,200 queued, 1 waiting."
    assert lines[2] == "2 jobs have ended already and stay."
    assert "This ends 1 job with" in cancel_lines(a_job(), counts(queued=1))[1]
    assert cancel_lines(a_job(), counts(failed=1))[1:3] == [
        "Nothing of it is open any more.",
        "1 job has ended already and stays.",
    ]


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_cancel_says_what_it_ends_and_does_what_was_said(size: tuple[int, int], tmp_path: Path) -> None:
    """`y` is the second key."""
    with open_store(tmp_path) as store:
        root, _ = running_tree(store, HOSTILE, children=2)
        with store.read() as reader:
            dialog = confirm_cancel(get_job(reader, root.job_id), subtree_counts(reader, root.job_id))
        async with staged(dialog, size) as (app, pilot):
            assert "This ends 3 jobs" in text(app)
            assert "[/foo] [bold]x[/]" in text(app)
            assert_fits(app)
            assert_plain(app)
            await pilot.press("y")
            await pilot.pause()
            assert app.results == [True]
        with store.write() as tx:
            assert cancel(tx, root.job_id, NOW_MS).stopping == 3


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], False),
        (["escape"], None),
        (["n"], False),
        (["y"], True),
        (["tab", "enter"], True),
        (["right", "left", "enter"], False),
    ],
)
async def test_the_safe_answer_has_the_focus(keys: list[str], answer: bool | None) -> None:
    async with staged(Confirm("Sure?", ["really"], "Do it", "Keep")) as (app, pilot):
        await pilot.press(*keys)
        await pilot.pause()
        assert app.results == [answer]


@pytest.mark.parametrize(("button", "answer"), [("#yes", True), ("#no", False)])
async def test_the_mouse_answers_too(button: str, answer: bool) -> None:
    async with staged(Confirm("Sure?", ["really"], "Do it", "Keep")) as (app, pilot):
        await pilot.click(button)
        await pilot.pause()
        assert app.results == [answer]


def copy_dialog() -> Choose[Copyable]:
    return choose_copy(a_job(result=HOSTILE, session_id="abc-def"))


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_letter_picks_at_once(size: tuple[int, int]) -> None:
    async with staged(copy_dialog(), size) as (app, pilot):
        assert "[/foo] [bold]x[/]" in text(app)
        assert_fits(app)
        assert_plain(app)
        await pilot.press("s")
        await pilot.pause()
        assert [found.text for found in app.results] == ["abc-def"]


async def test_cursor_and_enter_pick_and_esc_does_not() -> None:
    async with staged(copy_dialog()) as (app, pilot):
        await pilot.press("down", "enter")
        await pilot.pause()
        assert [found.text for found in app.results] == ["Build it"]
    async with staged(copy_dialog()) as (app, pilot):
        await pilot.press("escape")
        await pilot.pause()
        assert app.results == [None]


async def test_the_cursor_starts_on_what_holds_now() -> None:
    async with staged(choose_notice(Notice.NOTIFICATION)) as (app, pilot):
        assert "● n" in text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert app.results == [Notice.NOTIFICATION]
    async with staged(choose_sort(Sort.COST)) as (app, pilot):
        assert "● c" in text(app)
        await pilot.press("a")
        await pilot.pause()
        assert app.results == [Sort.ACTIVITY]


async def test_a_theme_is_picked_by_the_cursor_from_that_which_holds() -> None:
    """The names have no letters of their own."""
    async with staged(choose_theme(["light", "dark", "grey"], "dark")) as (app, pilot):
        assert "Enter picks one, Esc none" in text(app)
        assert "TEXTUAL_THEME" in text(app)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert app.results == ["grey"]
