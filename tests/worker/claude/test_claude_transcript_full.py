"""A transcript on a full disk: what can not be written is missing and counted, and nothing else is lost for it.

A file that may not grow (RLIMIT_FSIZE) stands for the disk: writes are cut short, then fail, as they do there.
"""

import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tui_orch.worker.claude.transcript import FILE, Transcript


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_lines_without_room_are_counted_and_the_next_ones_are_whole(tmp_path: Path) -> None:
    with Transcript(tmp_path) as transcript:
        transcript.write(1, "Said", {"text": "before"})
        with files_of_at_most((tmp_path / FILE).stat().st_size + 10):
            for _ in range(3):
                transcript.write(2, "Said", {"text": "no room for this"})
        transcript.write(3, "Said", {"text": "after"})
    before, torn, missing, after = (tmp_path / FILE).read_text().splitlines()
    assert (json.loads(before)["text"], json.loads(after)["text"]) == ("before", "after")
    assert len(torn) == 10
    assert json.loads(missing) == {"at_ms": 3, "type": "Missing", "lines": 3}


def test_a_transcript_is_never_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        Transcript(tmp_path)
    assert not (tmp_path / "elsewhere").exists()
