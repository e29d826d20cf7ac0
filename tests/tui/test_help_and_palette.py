"""Help and palette are the table of keys, searched."""

from typing import Any

import pytest
from dialog_stage import NARROW, TREE, WIDE, a_job, a_state, assert_fits, assert_plain, enter_text, staged, text
from textual.app import App
from textual.command import CommandPalette
from textual.content import Content
from textual.widgets import Input, OptionList

from store.models import Job, Tree
from store.states import Status
from tui_orch.tui.dialogs.help import Help, entries, search
from tui_orch.tui.dialogs.palette import ActionCommands
from tui_orch.tui.keys import ACTIONS, Around
from tui_orch.tui.pane_keys import SECTIONS


def test_every_action_and_every_key_of_a_part_has_its_line() -> None:
    names = [entry.name for entry in entries() if entry.name]
    assert sorted(names) == sorted(action.name for action in ACTIONS)
    told = {(part, key.shown) for part, keys in SECTIONS.items() for key in keys}
    assert told <= {(entry.part, entry.shown) for entry in entries()}


def test_a_search_looks_for_every_word_in_key_sentence_and_command() -> None:
    def found(text: str) -> list[str | None]:
        return [entry.name for entry in search(entries(), text)]

    assert found("orch cancel") == ["cancel"]
    assert "retry_leaves" in found("FAILED again")
    assert found("no such thing") == []
    assert len(found("")) == len(entries())


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_help_shows_keys_and_the_command_that_does_the_same(size: tuple[int, int]) -> None:
    async with staged(Help(), size) as (app, pilot):
        assert_fits(app)
        await enter_text(pilot, "cancel the")
        await pilot.pause()
        seen = text(app)
        assert "Cancel the job and all below it; asks first." in seen
        assert "on the command line: orch cancel ID" in seen
        assert_plain(app)


async def test_no_line_of_the_help_is_broken_at_80_cells() -> None:
    async with staged(Help()) as (app, _):
        listed = app.screen.query_one(OptionList)
        assert listed.virtual_size.height == len(entries()) + len({entry.part for entry in entries()})


async def test_enter_does_what_the_cursor_is_on() -> None:
    async with staged(Help()) as (app, pilot):
        await enter_text(pilot, "below")
        await pilot.press("down", "enter")
        await pilot.pause()
        assert app.results == ["cancel"]


@pytest.mark.parametrize("part", SECTIONS)
async def test_the_keys_of_a_part_are_found_below_its_name(part: str) -> None:
    async with staged(Help()) as (app, pilot):
        await enter_text(pilot, part)
        await pilot.pause()
        seen = text(app)
        assert part in seen
        assert all(key.sentence in seen for key in SECTIONS[part])


async def test_the_name_of_a_part_is_never_under_the_cursor() -> None:
    """Whether one comes from above or from below."""
    async with staged(Help()) as (app, pilot):
        await enter_text(pilot, "tree")
        await pilot.pause()
        listed = app.screen.query_one(OptionList)
        for _ in range(listed.option_count + 1):
            assert listed.highlighted is not None
            assert not listed.get_option_at_index(listed.highlighted).disabled
            await pilot.press("down")


async def test_what_is_only_told_does_nothing() -> None:
    async with staged(Help()) as (app, pilot):
        await enter_text(pilot, "cost>1")
        await pilot.press("down", "enter")
        await pilot.pause()
        assert app.results == []
        await pilot.press("escape")
        await pilot.pause()
        assert app.results == [None]


async def test_nothing_found_is_said() -> None:
    async with staged(Help()) as (app, pilot):
        await enter_text(pilot, "zzz")
        await pilot.press("enter")
        await pilot.pause()
        assert "nothing is called that" in text(app)
        assert app.results == []


class Steered(App[None]):
    """An app with nothing but the palette."""

    COMMANDS = {ActionCommands}  # noqa: RUF012 - Textual's own form

    def __init__(self, job: Job | None) -> None:
        super().__init__()
        self.job = job
        self.done: list[str] = []

    def situation(self) -> tuple[Job | None, Tree | None, Around]:
        return self.job, TREE, Around(a_state())

    def do(self, name: str) -> None:
        self.done.append(name)


async def found_in(app: Steered, query: str) -> list[str]:
    """The lines that the palette finds, best first, as text."""
    provider = ActionCommands(app.screen)
    hits = provider.search(query) if query else provider.discover()
    found = [hit async for hit in hits]
    return [f"{_plain(hit.prompt)}: {hit.help}" for hit in sorted(found, key=lambda hit: -hit.score)]


def _plain(prompt: Any) -> str:
    return prompt.plain if isinstance(prompt, Content) else str(prompt)


async def test_the_palette_holds_everything_but_itself() -> None:
    app = Steered(a_job(status=Status.FAILED))
    async with app.run_test():
        found = await found_in(app, "")
    assert len(found) == len(ACTIONS) - 1
    assert not any(line.startswith("commands") for line in found)


async def test_the_palette_says_why_something_can_not_be_done() -> None:
    """And puts it behind what can."""
    app = Steered(a_job(status=Status.COMPLETED))
    async with app.run_test():
        found = await found_in(app, "")
    reasons = ["not now:" in line for line in found]
    assert reasons == sorted(reasons)
    assert "cancel (c): not now: #1 has ended (completed); there is nothing to cancel" in found


async def test_a_command_is_found_by_its_name_whatever_it_would_do_now() -> None:
    app = Steered(a_job())
    async with app.run_test():
        assert (await found_in(app, "limits"))[0].startswith("limits (l): Show and change the limits")
        assert any(line.startswith("pause (p)") for line in await found_in(app, "pause"))
        assert any(line.startswith("quit (q)") for line in await found_in(app, "Close the screen"))


async def test_picking_a_command_does_it() -> None:
    app = Steered(a_job())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        assert isinstance(app.screen, CommandPalette)
        app.screen.query_one(Input).value = "timeline"
        await app.workers.wait_for_complete()
        await pilot.pause()
        while not app.done:
            await pilot.press("enter")
            await pilot.pause(0.02)
    assert app.done == ["timeline"]


async def test_an_app_that_is_not_steered_is_told_so() -> None:
    app: App[None] = App()
    async with app.run_test():
        provider = ActionCommands(app.screen)
        with pytest.raises(TypeError, match="Steered"):
            _ = [hit async for hit in provider.search("x")]
