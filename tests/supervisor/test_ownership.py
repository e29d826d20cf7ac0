"""One supervisor per store: the folder's lock decides, and a look at it stops nobody."""

import fcntl
import json
import os
import threading
import time
from pathlib import Path

import pytest

from store.home import Home, create_home
from tui_orch.supervisor.ownership import Holder, SupervisorError, holder, own


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / ".orch")
    create_home(home)
    return home


def test_who_holds_the_store_is_told_and_a_second_is_refused(home: Home) -> None:
    assert holder(home) is None
    with own(home, 5):
        assert holder(home) == Holder(os.getpid(), 5)
        with pytest.raises(SupervisorError, match=f"process {os.getpid()}; stop it with: orch down"), own(home, 6):
            raise AssertionError("two at once")
    assert holder(home) is None
    assert not home.supervisor_note.exists()


def test_a_look_at_who_holds_the_store_refuses_no_supervisor_that_starts(home: Home) -> None:
    """Found by a test under load: whoever looks has the lock for a moment, and `orch up` looks all the time."""
    looking = os.open(home.root, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(looking, fcntl.LOCK_SH)

    def look_away() -> None:
        time.sleep(0.1)
        os.close(looking)

    looker = threading.Thread(target=look_away)
    looker.start()
    with own(home, 5):
        assert holder(home) == Holder(os.getpid(), 5)
    looker.join()


def test_the_note_of_a_dead_supervisor_is_believed_by_nobody(home: Home) -> None:
    home.supervisor_note.write_text(json.dumps({"pid": 1, "since_ms": 1}))
    assert holder(home) is None
    with own(home, 7):
        assert holder(home) == Holder(os.getpid(), 7)


def test_a_note_that_can_not_be_written_is_told_in_one_line(home: Home) -> None:
    """A full disk, say: without the note nobody could stop it."""
    home.supervisor_note.mkdir()
    (home.supervisor_note / "x").touch()
    with (
        pytest.raises(SupervisorError, match=r"the supervisor can not write in .*; mend that, then: orch up"),
        own(home, 5),
    ):
        raise AssertionError("it began all the same")
    assert holder(home) is None
