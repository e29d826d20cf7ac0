"""The editor of a request: its fields, its estimate as one types, its errors in place, and the tree it returns."""

from pathlib import Path

import pytest
from dialog_stage import (
    NARROW,
    NOW_MS,
    SETTINGS,
    WIDE,
    Stage,
    assert_fits,
    assert_plain,
    enter_text,
    open_store,
    prose,
    staged,
    text,
)
from textual.pilot import Pilot
from textual.widgets import Input, Select, TextArea

from store.settings import get_settings
from store.states import Kind
from store.submit import submit_tree
from store.tree import children, get_tree
from tui_orch.tui.dialogs.new_request import AT_ONCE_CHARS, NewRequest
from tui_orch.tui.dialogs.request_draft import Draft


def dialog(tmp_path: Path, draft: Draft | None = None, problem: str = "") -> NewRequest:
    return NewRequest(SETTINGS, tmp_path, draft=draft, problem=problem)


async def fill(app: Stage, pilot: Pilot[None], name: str, value: str) -> None:
    app.screen.query_one(f"#{name}", Input).value = value
    await pilot.pause()


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_everything_fits_and_the_defaults_are_shown(size: tuple[int, int], tmp_path: Path) -> None:
    async with staged(dialog(tmp_path), size) as (app, _):
        seen = text(app)
        for expected in ("max_depth", "max_children", "budget_usd", "allowed_tools", "at worst 200 jobs, 5 processes"):
            assert expected in seen
        assert app.screen.query_one(TextArea).has_focus
        assert app.screen.query_one(TextArea).size.height >= 5
        assert_fits(app)


async def test_the_estimate_follows_what_is_typed(tmp_path: Path) -> None:
    """Five children on three levels are 156 jobs."""
    async with staged(dialog(tmp_path)) as (app, pilot):
        await pilot.press("d", "tab", "3", "tab", "5", "tab")
        await enter_text(pilot, "999")
        await pilot.pause()
        assert "one worker, which may split it; at worst 156 jobs" in text(app)
        await fill(app, pilot, "budget_usd", "7")
        assert "$7.00" in text(app)


async def test_what_is_handed_in_is_what_the_store_takes(tmp_path: Path) -> None:
    """A list becomes a group of commands with the limits of the form."""
    with open_store(tmp_path) as store:
        with store.read() as reader:
            settings = get_settings(reader)
        async with staged(NewRequest(settings, tmp_path)) as (app, pilot):
            await enter_text(pilot, "1. ls\n2. pwd")
            app.screen.query_one("#kind", Select).value = "command"
            await fill(app, pilot, "max_workers", "2")
            await pilot.press("ctrl+s")
            await pilot.pause()
            (new,) = app.results
        with store.write() as tx:
            root = submit_tree(tx, new, NOW_MS)
            assert [(job.kind, job.request) for job in children(tx, root)] == [
                (Kind.COMMAND, "ls"),
                (Kind.COMMAND, "pwd"),
            ]
            assert get_tree(tx, root).max_workers == 2


async def test_enter_in_a_field_and_the_button_hand_in_too(tmp_path: Path) -> None:
    async with staged(dialog(tmp_path, Draft("do it"))) as (app, pilot):
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert app.results[0].root.request == "do it"
    async with staged(dialog(tmp_path, Draft("do it"))) as (app, pilot):
        await pilot.click("#submit")
        await pilot.pause()
        assert app.results[0].root.request == "do it"


async def test_an_empty_request_is_no_mistake_until_it_is_handed_in(tmp_path: Path) -> None:
    async with staged(dialog(tmp_path)) as (app, pilot):
        assert "empty" not in text(app)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "the request is empty; say what is to be done" in text(app)
        assert app.results == []


async def test_a_mistake_is_told_where_it_is_made_and_goes_when_it_is_gone(tmp_path: Path) -> None:
    async with staged(dialog(tmp_path, Draft("do it"))) as (app, pilot):
        await fill(app, pilot, "max_depth", "9")
        assert "max_depth must be a whole number from 0 to 5, not 9" in text(app)
        assert_fits(app)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.results == []
        await fill(app, pilot, "max_depth", "")
        assert "must be" not in text(app)


async def test_a_folder_that_is_not_there_is_told_before_it_is_handed_in(tmp_path: Path) -> None:
    async with staged(dialog(tmp_path, Draft("---\nwork_dir: nowhere\n---\ndo it"))) as (app, pilot):
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.results == []
        assert "is no folder; workers run in one that is there" in prose(app)


async def test_esc_closes_and_what_was_written_is_not_lost(tmp_path: Path) -> None:
    """The dialog opens with it again, and with what the store said."""
    first = dialog(tmp_path)
    async with staged(first) as (app, pilot):
        await enter_text(pilot, "long")
        await pilot.press("enter", "t")
        await fill(app, pilot, "max_jobs", "7")
        await pilot.press("escape")
        await pilot.pause()
        assert app.results == [None]
    assert (first.draft.text, first.draft.fields["max_jobs"]) == ("long\nt", "7")
    async with staged(dialog(tmp_path, first.draft, "the store says [/no]")) as (app, pilot):
        assert "the store says [/no]" in text(app)
        assert app.screen.query_one(TextArea).text == "long\nt"
        await pilot.press("x")
        await pilot.pause()
        assert "[/no]" not in text(app)


async def test_what_is_pasted_is_plain_text_with_its_lines(tmp_path: Path) -> None:
    """Terminals send a line end as a carriage return; joined emoji stay joined."""
    async with staged(dialog(tmp_path)) as (app, pilot):
        await enter_text(pilot, "a\rb\x1b]52;c;AAAA\x07 \u202e日本 👩\u200d💻")
        assert app.screen.query_one(TextArea).text == "a\nb␛]52;c;AAAA␇ 日本 👩\u200d💻"
        field = app.screen.query_one("#allowed_tools", Input)
        field.focus()
        await pilot.pause()
        await enter_text(pilot, "Read\x1b[2J")
        assert field.value == "Read␛[2J"
        assert_plain(app)


async def test_a_long_text_is_read_when_nobody_types(tmp_path: Path) -> None:
    """Each key stays quick; handing in reads it at once."""
    async with staged(dialog(tmp_path)) as (app, pilot):
        area = app.screen.query_one(TextArea)
        area.text = "do it\n" + "x" * AT_ONCE_CHARS
        await pilot.pause()
        assert "nothing yet" in text(app)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.results[0].root.title == "do it"
