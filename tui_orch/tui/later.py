"""What the first picture can do without: imported after it, since that takes as long as everything before.

Imports, and does nothing else.
"""

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_orch.tui.dialogs.palette import ActionCommands

_LATER = (
    "tui_orch.tui.dialogs.filter_bar",
    "tui_orch.tui.detail.source",
    "tui_orch.tui.detail.pane",
    "tui_orch.tui.timeline_pane",
    "tui_orch.tui.focus",
    "tui_orch.tui.control",
    "tui_orch.tui.dialogs.inbox",
    "tui_orch.tui.steering",
)


async def import_later() -> None:
    """Import one after the other, with room for keys in between."""
    for name in _LATER:
        import_module(name)
        await asyncio.sleep(0)


def commands() -> "type[ActionCommands]":
    """Return what the palette asks for when it is opened, for ``App.COMMANDS``."""
    from tui_orch.tui.dialogs.palette import ActionCommands  # noqa: PLC0415

    return ActionCommands
