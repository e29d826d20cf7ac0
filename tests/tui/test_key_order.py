"""What a person types ahead is done in its order: letters, and keys that a field has bound."""

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Input, TextArea

from tui_orch.tui.detail.find_bar import FindBar
from tui_orch.tui.dialogs.dialog import PlainInput
from tui_orch.tui.dialogs.plain_area import PlainArea


class Fields(App[None]):
    """One field of each kind."""

    def compose(self) -> ComposeResult:
        yield PlainInput(id="line")
        yield PlainArea(id="area")
        yield FindBar()


def ahead(app: Fields, *keys: str) -> None:
    """Type without waiting for anything, as a terminal does that was stuck for a moment."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


@pytest.mark.parametrize("kind", [PlainInput, PlainArea, FindBar])
async def test_backspace_and_arrows_come_in_their_turn(kind: type[Input] | type[TextArea]) -> None:
    app = Fields()
    async with app.run_test() as pilot:
        field = app.query_one(kind)
        field.add_class("-open")
        field.focus()
        await pilot.pause()
        ahead(app, "b", "a", "backspace", "c", "left", "x", "end", "d", "home", "e")
        for _ in range(5):
            await pilot.pause()
        assert (field.value if isinstance(field, Input) else field.text) == "ebxcd"


async def test_enter_comes_in_its_turn_too() -> None:
    """What is typed behind it is not part of what was sent."""
    sent: list[str] = []

    class Sending(Fields):
        def on_input_submitted(self, event: Input.Submitted) -> None:
            sent.append(event.value)

    app = Sending()
    async with app.run_test() as pilot:
        app.query_one("#line").focus()
        await pilot.pause()
        ahead(app, "a", "backspace", "b", "enter", "c")
        for _ in range(5):
            await pilot.pause()
        assert sent == ["b"]


async def test_a_key_that_the_field_has_not_bound_is_left_to_others() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        app.query_one("#line").focus()
        await pilot.press("tab")
        assert app.focused is app.query_one("#area")
