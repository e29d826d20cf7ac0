"""Reads server-sent events: bytes as they come in, events as they are whole.

Follows the standard (`text/event-stream`): a line ends in LF, CRLF or CR and nowhere else (not at U+2028), a block at an
empty line, a line that begins with a colon says nothing. Pure; knows nothing of connections or of jobs.
"""

import re
from dataclasses import dataclass

#: Bytes that one event may have before the stream is taken for something else.
MOST_BYTES = 8 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"
_END_OF_LINE = re.compile(rb"\r\n|\n|\r")


class NotEvents(ValueError):
    """What comes in is no stream of events."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``name`` is ``message`` where the stream names none; ``id`` is the last that was given, or ""."""

    name: str
    id: str
    data: str


class EventReader:
    """Holds what of the stream is not whole yet."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False
        self._name = ""
        self._id = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """Take what has come in and return the events that are whole by now. Raises NotEvents."""
        data = self._rest + chunk
        if not self._begun and (len(data) >= len(_BOM) or not _BOM.startswith(data)):
            self._begun = True
            data = data.removeprefix(_BOM)
        events = []
        start = 0
        for end in _END_OF_LINE.finditer(data):
            if end[0] == b"\r" and end.end() == len(data):
                break  # perhaps the first half of CRLF
            if (event := self._line(data[start : end.start()])) is not None:
                events.append(event)
            start = end.end()
        self._rest = data[start:]
        if len(self._rest) + self._size > MOST_BYTES:
            raise NotEvents(f"one event of more than {MOST_BYTES} bytes")
        return events

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._dispatch()
        try:
            name, _, value = line.decode().partition(":")
        except UnicodeDecodeError as error:
            raise NotEvents(f"not UTF-8: {error}") from error
        value = value.removeprefix(" ")
        match name:
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
                self._size += len(value)
            case "id" if "\0" not in value:
                self._id = value
        return None

    def _dispatch(self) -> Event | None:
        event = Event(self._name or "message", self._id, "\n".join(self._data)) if self._data else None
        self._name, self._data, self._size = "", [], 0
        return event
