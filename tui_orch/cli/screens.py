"""The three ways in which a tree is shown as it grows: redrawn in place, a line per change, or not at all."""

from collections.abc import Mapping
from typing import TextIO

from store.models import Job
from tui_orch.cli import terminal
from tui_orch.cli.tree_view import event, tree_lines
from tui_orch.client.text import one_line


class Silence:
    """Shows nothing: for ``--json``."""

    pause_s = 0.0

    def show(self, jobs: Mapping[int, Job], notes: list[str], now_ms: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Events:
    """Writes one line when a job's state changes, and one when there is something new to know."""

    pause_s = 0.0

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told: dict[int, tuple[object, ...]] = {}
        self._notes: list[str] = []

    def show(self, jobs: Mapping[int, Job], notes: list[str], now_ms: int) -> None:
        """Write what is new."""
        for job in sorted(jobs.values(), key=lambda job: job.seq):
            state = (job.status, job.reason, job.attempt, job.stop_reason)
            if self._told.get(job.id) != state:
                self._told[job.id] = state
                self._write(event(job))
        for note in notes:
            if note not in self._notes:
                self._write(one_line(note))
        self._notes = notes

    def close(self) -> None:
        """Do nothing; what was written stays."""

    def _write(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class Picture:
    """Redraws the tree in place, and leaves the screen clean behind."""

    pause_s = 1 / 8

    def __init__(self, stream: TextIO) -> None:
        # Imported late, so that commands without a picture start fast.
        from rich.console import Console  # noqa: PLC0415
        from rich.live import Live  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        self._colour = terminal.has_colour(stream)
        self._text = Text
        self._console = Console(file=stream, markup=False, highlight=False, emoji=False, soft_wrap=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def show(self, jobs: Mapping[int, Job], notes: list[str], now_ms: int) -> None:
        """Draw the tree as high as the screen allows, and the notes below it."""
        width, most = self._console.width, max(3, self._console.height - len(notes) - 2)
        ordered = [jobs[job_id] for job_id in sorted(jobs)]
        lines = [line.painted(colour=self._colour) for line in tree_lines(ordered, now_ms, width, most)]
        lines += [one_line(note) for note in notes]
        self._live.update(self._text.from_ansi("\n".join(lines), no_wrap=True, overflow="ellipsis"), refresh=True)

    def close(self) -> None:
        """Take the picture away and show the cursor again."""
        self._live.stop()
