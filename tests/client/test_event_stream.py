"""Server-sent events, whole from however they come in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orch.client.event_stream import MOST_BYTES, Event, EventReader, NotEvents

STREAM = (
    "\ufeff: a comment\n\nid: 7\nevent: state\ndata: {}\n\n"
    "id:8\r\nevent:job\r\ndata: 1行目\u2028\x85\r\ndata:2\r\n\r\n"
    "retry: 10\rdata:  two spaces\r\revent: nothing\n\nid: a\0b\ndata\n\n"
).encode()
EVENTS = [
    Event("state", "7", "{}"),
    Event("job", "8", "1行目\u2028\x85\n2"),
    Event("message", "8", " two spaces"),
    Event("message", "8", ""),
]


def read(pieces: list[bytes]) -> list[Event]:
    reader = EventReader()
    return [event for piece in pieces for event in reader.feed(piece)]


def test_a_stream_is_read_as_the_standard_says() -> None:
    """Line ends are LF, CRLF and CR, and no other: JSON may hold U+2028 as it is."""
    assert read([STREAM]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_where_it_is_cut_makes_no_difference(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    assert read([STREAM[a:b] for a, b in pairwise(places)]) == EVENTS


def test_byte_by_byte_is_the_same() -> None:
    assert read([bytes([byte]) for byte in STREAM]) == EVENTS


def test_half_an_event_is_none() -> None:
    assert read([b"data: half\n"]) == []


def test_what_never_ends_is_no_event() -> None:
    lines = [b"data: " + b"x" * 500_000 + b"\n"] * (MOST_BYTES // 500_000 + 1)
    with pytest.raises(NotEvents, match="more than"):
        read(lines)


def test_what_is_no_text_is_no_event() -> None:
    with pytest.raises(NotEvents, match="not UTF-8"):
        EventReader().feed(b"data: \xff\n\n")
