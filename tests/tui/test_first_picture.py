"""What comes with the first picture and what after it, and that a person who is faster than that loses no key."""

import gc
import subprocess
import sys

import pytest
from app_stage import Garden, app_over
from detail_stores import until
from dialog_stage import text

LATER = ("detail.pane", "timeline_pane", "dialogs.inbox", "dialogs.dialog", "dialogs.palette", "steering", "focus")


def test_the_app_starts_without_what_nobody_sees_yet() -> None:
    """To import it takes as long as everything up to the first picture."""
    later = [f"tui_orch.tui.{name}" for name in LATER] + ["pydantic", "yaml", "watchfiles", "anyio"]
    program = f"import sys, tui_orch.tui.app\nprint([name for name in {later} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.strip() == "[]"


async def test_keys_pressed_before_the_app_is_whole_are_obeyed_in_their_order(stage: Garden) -> None:
    app = app_over(stage.made)
    assert not app.is_whole
    app.do("detail")
    app.do("timeline")
    async with app.run_test(size=(160, 40)):
        await until(lambda: app.is_whole)
        await until(lambda: app.side == "timeline")
        await until(lambda: "holds the root" in text(app))


async def test_closing_it_at_once_is_no_trouble(stage: Garden) -> None:
    app = app_over(stage.made)
    async with app.run_test():
        app.exit()
    assert app.return_code == 0


@pytest.mark.parametrize("hurry", [True, False])
async def test_garbage_is_collected_again_once_it_is_whole(stage: Garden, hurry: bool) -> None:
    app = app_over(stage.made)
    if hurry:
        gc.disable()
    try:
        async with app.run_test():
            await until(lambda: app.is_whole)
            assert gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
