"""Keeps what a person types ahead in its order. Knows neither jobs nor which widget it is for."""

from textual import events
from textual.widget import Widget


async def do_in_order(widget: Widget, event: events.Key) -> None:
    """Do at once what ``widget`` has bound to a key; to be called from its ``on_key``, which Textual's own one follows.

    Textual writes a letter when a field hears of it, but does what Backspace or an arrow is bound to only when the app
    hears of it in turn, after a letter that was typed ahead (Textualize/textual#6605, open with 8.2).
    """
    bound = widget.screen.active_bindings.get(event.key)
    if event.is_printable or bound is None or bound.node is not widget or not bound.enabled:
        return
    if await widget.app.run_action(bound.binding.action, widget):  # not what it leaves to others, as one line does ↑
        event.stop()
        event.prevent_default()
