"""The end of a log of any size and content is read as lines, in small steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orch.tui.detail import log_tail
from tui_orch.tui.detail.log_tail import STEP_BYTES, LogTail, RawLine, Step


class MemoryLog:
    """A log in memory that counts what is read of it."""

    def __init__(self, content: bytes | None = b"") -> None:
        self.content = content
        self.read_bytes = 0
        self.longest_read = 0

    def size(self) -> int | None:
        return None if self.content is None else len(self.content)

    def read(self, start: int, most: int) -> bytes:
        found = (self.content or b"")[start : start + most]
        self.read_bytes += len(found)
        self.longest_read = max(self.longest_read, most)
        return found

    def close(self) -> None:
        self.content = b""


def steps(tail: LogTail) -> list[Step]:
    """Take steps until there is nothing more to read at once."""
    found = [tail.step()]
    while found[-1].more:
        found.append(tail.step())
    return found


def texts(found: list[Step]) -> list[str]:
    return [raw.text for step in found for raw in step.lines]


@given(st.lists(st.binary(max_size=30).filter(lambda text: b"\n" not in text), max_size=20), st.integers(1, 40))
def test_lines_are_the_same_however_the_log_grows(parts: list[bytes], piece: int) -> None:
    """A step may end anywhere: in a line, in a character."""
    whole = b"".join(part + b"\n" for part in parts) + b"rest"
    log = MemoryLog()
    tail = LogTail(log, 1_000_000, 1_000_000)
    found: list[str] = []
    for end in range(0, len(whole) + piece, piece):
        log.content = whole[:end]
        found += texts(steps(tail))
    assert found == [part.removesuffix(b"\r").decode("utf-8", "replace") for part in parts]
    assert tail.step().unfinished == b"rest"


def test_a_log_that_is_not_there_yet_has_no_size() -> None:
    """And it is read once it is there."""
    log = MemoryLog(None)
    tail = LogTail(log, 100, 100)
    assert tail.step() == Step()
    log.content = b"one\n"
    step = tail.step()
    assert (step.size, step.lines, step.afresh) == (4, (RawLine("one"),), True)


def test_only_the_end_of_a_huge_log_is_read() -> None:
    """From the first line that is whole; what is left out is told."""
    log = MemoryLog(b"".join(b"line %d\n" % number for number in range(1_000_000)))
    found = steps(LogTail(log, 300_000, 10_000))
    assert texts(found)[-1] == "line 999999"
    assert texts(found)[0].startswith("line ")
    assert found[-1].skipped == len(log.content or b"") - sum(len(text) + 1 for text in texts(found))
    assert log.read_bytes < 300_000 + 2 * STEP_BYTES
    assert log.longest_read <= STEP_BYTES
    assert all(sum(len(raw.text) for raw in step.lines) <= STEP_BYTES for step in found)


def test_a_line_without_an_end_comes_in_pieces() -> None:
    """It is never held in one piece, however long it is; no character is torn."""
    log = MemoryLog("é".encode() * 500_000)
    tail = LogTail(log, 400_000, 10_001)
    found = steps(tail)
    raws = [raw for step in found for raw in step.lines]
    assert raws
    assert all(not raw.whole and len(raw.text.encode()) <= 10_001 for raw in raws)
    assert all(set(raw.text) == {"é"} for raw in raws)
    assert len(found[-1].unfinished) <= 10_001
    log.content = (log.content or b"") + b"\nnext\n"
    assert [(raw.text[-1:], raw.whole) for raw in tail.step().lines] == [("é", False), ("t", True)]


def test_a_line_whose_beginning_is_not_read_is_not_whole() -> None:
    """It is no entry of a transcript, whatever its rest looks like."""
    log = MemoryLog(b"x" * 500_000 + b"\nwhole\n")
    found = [raw for step in steps(LogTail(log, 100_000, 1_000_000)) for raw in step.lines]
    assert [raw.whole for raw in found] == [False, True]


def test_a_log_that_becomes_shorter_is_read_afresh() -> None:
    """Somebody emptied it."""
    log = MemoryLog(b"one\ntwo\n")
    tail = LogTail(log, 100, 100)
    steps(tail)
    log.content = b"new\n"
    step = tail.step()
    assert step.afresh
    assert step.lines == (RawLine("new"),)


def test_who_is_far_behind_goes_to_the_end() -> None:
    """A log that grows faster than anyone reads is shown at its end, not from where it was."""
    log = MemoryLog(b"old\n")
    tail = LogTail(log, 1_000, 100)
    steps(tail)
    log.content = b"old\n" + b"more\n" * 10_000 + b"end\n"
    found = steps(tail)
    assert found[0].afresh
    assert texts(found)[-1] == "end"
    assert len(texts(found)) < 300


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    """Invalid UTF-8 and NUL do not stop anything."""
    log = MemoryLog(b"a\xff\xfeb\x00c\r\n\xc3\n")
    assert texts(steps(LogTail(log, 100, 100))) == ["a\ufffd\ufffdb\x00c", "\ufffd"]


@pytest.mark.parametrize("longest", [1, 2, 3, 4, 5, 7])
def test_no_piece_ends_within_a_character(longest: int) -> None:
    """Unless the piece is shorter than the character."""
    pieces = log_tail._pieces("🙂日éx".encode() * 3, longest)
    assert b"".join(pieces) == "🙂日éx".encode() * 3
    assert all(len(piece) <= max(longest, 1) for piece in pieces)
    if longest >= 4:
        assert all(piece.decode() for piece in pieces)
