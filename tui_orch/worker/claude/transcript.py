"""Writes everything that passes between us and Claude Code into the attempt's ``transcript.jsonl``, a line each.

A line is bounded: long texts in it are cut, saying by how much. The file belongs to its owner alone (0600) and every
line is flushed, so that ``orch logs -f`` and a crash both find what was said until then.
"""

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from store.home import FILE_MODE
from tui_orch.worker.masking import Mask

FILE = "transcript.jsonl"
#: Longest text and longest line (characters) that are written.
TEXT_CHARS = 65_536
LINE_CHARS = 524_288
#: Characters of content that are tried; JSON's escapes make at most six of one, so the second always fits.
_ROOMS = (LINE_CHARS // 2, LINE_CHARS // 16)
#: What a value takes of the room beside its text: quotes, commas, brackets, the note that something is missing.
_LEAST = 8
_DEPTH = 40


class Transcript:
    """The open file of one attempt. Raises OSError where it can not be made.

    A line that can not be written (a full disk) costs that line and never the turn that it tells of; the next one that can
    says how many are missing.
    """

    def __init__(self, folder: Path, mask: Mask | None = None) -> None:
        self._mask = mask or Mask()
        fd = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
        self._file = os.fdopen(fd, "wb", buffering=0)
        self._missing = 0
        self._torn = False  # the last line is there in part

    def write(self, now_ms: int, kind: str, content: Any) -> None:
        """Write one line: the time, the kind of message, and its content."""
        if self._missing and self._put(line(now_ms, "Missing", {"lines": self._missing})):
            self._missing = 0
        if not self._put(self._mask.text(line(now_ms, kind, content))):
            self._missing += 1

    def _put(self, text: str) -> bool:
        data = ("\n" if self._torn else "").encode() + f"{text}\n".encode(errors="backslashreplace")
        try:
            written = self._file.write(data) or 0
        except OSError:
            return False
        self._torn = written < len(data) if written else self._torn
        return written == len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def line(now_ms: int, kind: str, content: Any) -> str:
    """Return one line of JSON, at most ``LINE_CHARS`` characters."""
    head = {"at_ms": now_ms, "type": kind}
    text = ""
    for room in _ROOMS:
        text = json.dumps(head | _Walk(TEXT_CHARS, room).of(_members(content), _DEPTH), ensure_ascii=False)
        if len(text) <= LINE_CHARS:
            break
    return text


def bounded(value: Any, limit: int) -> Any:
    """Return ``value`` as JSON values, every text in it cut to ``limit`` characters, ``LINE_CHARS`` in all."""
    return _Walk(limit, LINE_CHARS).of(value, _DEPTH)


class _Walk:
    """Copies a value until its room (characters) is used up; costs what it copies, not what there is."""

    def __init__(self, limit: int, room: int) -> None:
        self._limit = limit
        self._room = room

    def of(self, value: Any, depth: int) -> Any:
        self._room -= _LEAST
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth == 0:
            return "… [nested too deep]"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {"block": type(value).__name__, **self.of(_fields(value), depth)}
        if isinstance(value, dict):
            return self._map(value, depth)
        if isinstance(value, list | tuple):
            return self._list(value, depth)
        return self._text(repr(value))

    def _text(self, text: str) -> str:
        limit = min(self._limit, max(self._room, 0))
        self._room -= min(len(text), limit)
        return text if len(text) <= limit else f"{text[:limit]}… [{len(text) - limit} more characters]"

    def _map(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, inner in value.items():
            if self._room <= 0:
                return kept | {"…": f"[{len(value) - len(kept)} more items]"}
            name = self._text(str(key))
            kept[name] = self.of(inner, depth - 1)
        return kept

    def _list(self, value: Sequence[Any], depth: int) -> list[Any]:
        kept: list[Any] = []
        for inner in value:
            if self._room <= 0:
                return [*kept, f"… [{len(value) - len(kept)} more items]"]
            kept.append(self.of(inner, depth - 1))
        return kept


def _fields(record: Any) -> dict[str, Any]:
    found = {one.name: getattr(record, one.name) for one in dataclasses.fields(record)}
    return {name: value for name, value in found.items() if value is not None}


def _members(content: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(content) and not isinstance(content, type):
        return _fields(content)
    return content if isinstance(content, dict) else {"content": content}
