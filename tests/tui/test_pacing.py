"""Over a terminal that takes nothing, an app goes on; over one that does, nothing is held back."""

import os
import pty
import signal
import sys
import time
from pathlib import Path

import pytest
from textual.app import App

from tui_orch.tui.pacing import Pacer

_CHILD = """
import sys
from pathlib import Path
from textual.app import App
from textual.widgets import Static
from tui_orch.tui.pacing import Pacer

class Busy(App):
    updates = 0
    def compose(self):
        yield Static(id="text")
    def on_mount(self):
        self.pacer = Pacer(self)
        self.set_interval(0.01, self.change)
    def change(self):
        self.updates += 1
        self.query_one("#text").update(chr(97 + self.updates % 26) * 1500)
        if self.updates == 150:
            Path(sys.argv[1]).write_text(f"{self.pacer.is_holding}")
            self.exit()
    def post_display_hook(self):
        if self.is_running and hasattr(self, "pacer"):
            self.pacer.after_frame()

Busy().run()
"""


_ORCH = """
import sys
from pathlib import Path
from store.home import Home
from tui_orch.tui.access import LocalAccess
from tui_orch.tui.app import OrchApp, Outside

class Busy(OrchApp):
    updates = 0
    def on_mount(self):
        self.set_interval(0.01, self.change)
    def change(self):
        self.updates += 1
        self.say(chr(97 + self.updates % 26) * 90)
        if self.updates == 150:
            Path(sys.argv[1]).write_text(f"{self._pacer.is_holding}")
            self.exit()

home = Home(Path(sys.argv[1]).parent / ".orch")
outside = Outside(lambda: 1, lambda: True, lambda: None, {})
Busy(LocalAccess(home, outside.now_ms), outside).run()
"""


@pytest.mark.parametrize("script", [_CHILD, _ORCH], ids=["some app", "orch"])
def test_an_app_whose_terminal_takes_nothing_goes_on(tmp_path: Path, script: str) -> None:
    """Without the pacer the 31st frame blocks the loop, and the file is never written."""
    told = tmp_path / "told"
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
        os.execv(sys.executable, [sys.executable, "-c", script, str(told)])
    try:
        end = time.monotonic() + 30
        while not told.exists() or not told.read_text():
            assert time.monotonic() < end, "the app stands still"
            time.sleep(0.02)
        assert told.read_text() == "True"
        _drain(terminal)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
    assert status == 0


def _drain(terminal: int) -> None:
    try:
        while os.read(terminal, 65_536):
            pass
    except OSError:  # its other end is closed
        return


async def test_a_held_frame_is_drawn_when_the_terminal_is_ready_again() -> None:
    ready = False

    class Fast(App[None]):
        frames = 0

        @property
        def is_headless(self) -> bool:
            return False if self.pretends else super().is_headless

        pretends = False

        def post_display_hook(self) -> None:
            self.frames += 1

    app = Fast()
    async with app.run_test() as pilot:
        pacer = Pacer(app, lambda: ready)
        pacer.after_frame()
        assert not pacer.is_holding, "there is no terminal"
        app.pretends = True
        pacer.after_frame()
        app.pretends = False
        assert pacer.is_holding
        await pilot.pause()
        before = app.frames
        app.screen.refresh()
        await pilot.pause(0.1)
        assert app.frames == before
        ready = True
        await pilot.pause(0.2)
        assert not pacer.is_holding
        assert app.frames > before
