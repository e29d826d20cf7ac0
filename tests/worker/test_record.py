"""An ending goes into the store, or through a file that comes back just as it was written."""

from pathlib import Path

import pytest

from store.models import Outcome, Usage
from store.states import Status
from tui_orch.worker.lock import AttemptLock, lock_path
from tui_orch.worker.record import OUTCOME_FILE, Left, leave, left, line_of
from tui_orch.worker.work import Ending, Finished, Released, Suspended

USAGE = Usage(0.25, 100, 20, 3, 4, 5, 0.75)
FULL = Outcome(
    Status.FAILED,
    "exit_code",
    result="結果\n",
    error="exit code 3",
    data={"files": ["a", "b"]},
    denials=({"tool": "Bash"},),
    exit_code=3,
    session_id="s1",
    usage=USAGE,
    retry=False,
)


@pytest.mark.parametrize(
    "ending",
    [
        Finished(Outcome(Status.COMPLETED)),
        Finished(FULL, (4, 5)),
        Suspended("children", "s1", USAGE, (7,)),
        Released("api_error", "overloaded", "s2", USAGE, 123, (8,)),
    ],
    ids=lambda ending: type(ending).__name__,
)
def test_what_is_left_in_a_file_comes_back_whole(tmp_path: Path, ending: Ending) -> None:
    """Every kind of ending, with every field."""
    leave(tmp_path, ending)
    assert left(tmp_path) == Left(ending)
    assert (tmp_path / OUTCOME_FILE).stat().st_mode & 0o777 == 0o600


def test_no_file_is_no_ending(tmp_path: Path) -> None:
    """Most attempts leave none."""
    assert left(tmp_path) is None


@pytest.mark.parametrize("token_sha256", [None, "ab" * 32])
def test_what_is_left_with_the_lock_comes_back_whole(tmp_path: Path, token_sha256: str | None) -> None:
    """It is there when the lock is free, and says of which attempt it is."""
    found = Left(Finished(FULL, (4, 5)), token_sha256)
    with AttemptLock(tmp_path) as lock:
        assert lock.hold(begin=True)
        lock.leave(line_of(found))
    assert left(tmp_path) == found


@pytest.mark.parametrize("cut", [1, 20])
def test_half_a_line_is_no_ending(tmp_path: Path, cut: int) -> None:
    """A worker that was killed in the middle of it has left nothing."""
    with AttemptLock(tmp_path) as lock:
        assert lock.hold(begin=True)
        lock.leave(line_of(Left(Finished(FULL))))
    path = lock_path(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    assert left(tmp_path) is None


@pytest.mark.parametrize("line", [b"{}", b"[]", b"\xff"])
def test_another_kind_of_line_with_the_lock_is_refused_with_its_path(tmp_path: Path, line: bytes) -> None:
    lock_path(tmp_path).write_bytes(b"12 begun\n" + line + b"\n")
    with pytest.raises(ValueError, match="lock is not an outcome"):
        left(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"kind": "Finished"}', '{"kind": "Odd", "ending": {"delivered": []}}']
)
def test_a_file_that_is_no_outcome_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    """A half-written or foreign file is never taken for an outcome."""
    (tmp_path / OUTCOME_FILE).write_text(text)
    with pytest.raises(ValueError, match="outcome"):
        left(tmp_path)
