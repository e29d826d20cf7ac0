"""What a command's exit code and output become."""

from pathlib import Path

import pytest

from store.settings import Settings
from store.states import Reason, Status
from tui_orch.worker.command import RESULT_BYTES, beyond_limits, tail, verdict


def written(tmp_path: Path, content: bytes) -> Path:
    output = tmp_path / "output"
    output.write_bytes(content)
    return output


def test_exit_code_0_completes_with_the_output_as_result(tmp_path: Path) -> None:
    """The result is what it printed."""
    outcome = verdict(0, written(tmp_path, b"one\ntwo\n"))
    assert (outcome.status, outcome.result, outcome.exit_code) == (Status.COMPLETED, "one\ntwo\n", 0)


@pytest.mark.parametrize(("code", "said"), [(3, "exit code 3"), (-15, "ended by signal 15")])
def test_any_other_code_fails_and_says_which_with_the_last_output(tmp_path: Path, code: int, said: str) -> None:
    """The error is enough to see what went wrong."""
    outcome = verdict(code, written(tmp_path, b"boom\n"))
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.EXIT_CODE)
    assert outcome.error == f"{said}; last output:\nboom"


def test_a_failure_without_output_says_so(tmp_path: Path) -> None:
    """No empty quotation."""
    assert verdict(1, written(tmp_path, b" \n")).error == "exit code 1, without output"


def test_only_the_end_of_a_long_output_is_the_result(tmp_path: Path) -> None:
    """How much was left out stands in its first line; the file has it all."""
    text = tail(written(tmp_path, b"x" * (RESULT_BYTES + 5)), RESULT_BYTES)
    assert text.startswith("[... the first 5 bytes are in the output file]\n")
    assert text.endswith("x" * RESULT_BYTES)


def test_bytes_that_are_no_text_do_not_break_it(tmp_path: Path) -> None:
    """Invalid UTF-8 and NUL bytes are shown as replacement characters."""
    assert tail(written(tmp_path, b"a\xff\x00b"), 100) == "a\ufffd\ufffdb"


def test_output_beyond_the_cap_ends_for_good_and_says_who_raises_it() -> None:
    found = beyond_limits(2_000_001, 0, settings(output_cap_mb=2.0))
    assert found is not None
    assert (found.status, found.reason, found.retry) == (Status.FAILED, Reason.OUTPUT_LIMIT, False)
    assert "orch settings output_cap_mb" in (found.error or "")
    assert beyond_limits(2_000_000, 1e9, settings(output_cap_mb=2.0)) is None


def test_silence_counts_only_where_a_person_has_set_a_limit() -> None:
    assert beyond_limits(0, 1e9, settings(idle_timeout_s=0.0)) is None
    found = beyond_limits(0, 5.1, settings(idle_timeout_s=5.0))
    assert found is not None
    assert (found.reason, found.retry) == (Reason.IDLE, True)


def settings(**given: float) -> Settings:
    whole = dict.fromkeys(Settings.__dataclass_fields__, 0) | {"output_cap_mb": 1_000.0} | given
    return Settings(**whole)  # type: ignore[arg-type]
