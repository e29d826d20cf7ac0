"""An ending goes into the store, or through a file that comes back just as it was written."""

from pathlib import Path

import pytest

from store.models import Outcome, Usage
from store.states import Status
from tui_orch.worker.record import OUTCOME_FILE, leave, left
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
    assert left(tmp_path) == ending
    assert (tmp_path / OUTCOME_FILE).stat().st_mode & 0o777 == 0o600


def test_no_file_is_no_ending(tmp_path: Path) -> None:
    """Most attempts leave none."""
    assert left(tmp_path) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"kind": "Finished"}', '{"kind": "Odd", "ending": {"delivered": []}}']
)
def test_a_file_that_is_no_outcome_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    """A half-written or foreign file is never taken for an outcome."""
    (tmp_path / OUTCOME_FILE).write_text(text)
    with pytest.raises(ValueError, match="outcome"):
        left(tmp_path)
