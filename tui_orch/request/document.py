"""A request as it lies in a file, a pipe or an option: Markdown with front matter, or JSON.

Reads no more than a request may hold, turns bytes into checked text, and takes request and config apart.
Never changes the request but for its frame: a BOM, CRLF, and blank lines around it go.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from store.models import MAX_REQUEST_BYTES
from tui_orch.request.errors import RequestError, show
from tui_orch.request.front_matter import MAX_FRONT_MATTER_BYTES, cut
from tui_orch.request.limits import Config, read_config

#: Bytes that are read of a file at most. JSON may write each byte of a request as ``\u0041``: six.
MAX_FILE_BYTES = 6 * MAX_REQUEST_BYTES + MAX_FRONT_MATTER_BYTES

_BOM = "\ufeff"
_TOO_LARGE = f"is too large; a request may hold {MAX_REQUEST_BYTES} bytes of UTF-8"


@dataclass(frozen=True, slots=True)
class RequestDocument:
    """One request as written: its text, the config beside it, and where it comes from (for errors)."""

    request: str
    config: Config
    source: str


def load_file(path: Path | str) -> RequestDocument:
    """Read the request in ``path``. Raises RequestError for every way in which that fails."""
    source = os.fspath(path)
    try:
        with open(path, "rb") as stream:
            return load_stream(stream, source)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RequestError(f"{source}: can not be read ({reason}); give a file with a request, or -") from error
    except ValueError as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError(f"{source}: is no name of a file ({error})") from error


def load_stream(stream: BinaryIO, source: str) -> RequestDocument:
    """Read the request in ``stream`` up to its end (standard input, a pipe). Raises RequestError, OSError."""
    data = stream.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise RequestError(f"{source}: the file {_TOO_LARGE}")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{source}: byte {error.start} (0x{data[error.start]:02x}) is not UTF-8; save the file as UTF-8"
        ) from error
    return load_text(text, source)


def load_text(text: str, source: str) -> RequestDocument:
    """Take ``text`` apart. A ``source`` that ends in .json is JSON, as is an object with the key "request".

    Raises RequestError.
    """
    text = text.removeprefix(_BOM).replace("\r\n", "\n")
    if source.lower().endswith(".json") or _looks_like_json(text):
        request, config = _from_json(text, source)
    else:
        values, request = cut(text, source)
        config = read_config(values, source)
    return RequestDocument(checked(request, source), config, source)


def checked(request: str, source: str) -> str:
    """Return a request without its frame of blank lines, if it is one that can be stored. Raises RequestError."""
    try:
        size = len(request.encode())
    except UnicodeEncodeError as error:
        raise RequestError(f"{source}: character {error.start} of the request is half a UTF-16 pair") from error
    if "\0" in request:
        line = request.count("\n", 0, request.index("\0")) + 1
        raise RequestError(f"{source}: line {line} of the request holds a NUL byte; a request is text")
    if size > MAX_REQUEST_BYTES:
        raise RequestError(f"{source}: the request has {size} bytes and {_TOO_LARGE}")
    if not request.strip():
        raise RequestError(f"{source}: the request is empty; say what is to be done")
    first = next(line for line in request.split("\n") if line.strip())
    return request[request.index(first) :].rstrip()


def _looks_like_json(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "request" in found


def _from_json(text: str, source: str) -> tuple[str, Config]:
    values = _json_object(text, source)
    for key in values:
        if key not in ("request", "config"):
            raise RequestError(f"{source}: unknown key {show(key)}; allowed: request, config")
    request = values.get("request")
    if not isinstance(request, str):
        raise RequestError(f'{source}: "request" must be text, not {show(request)}')
    config = values.get("config")
    return request.replace("\r\n", "\n"), read_config({} if config is None else config, source)


def _json_object(text: str, source: str) -> dict[str, Any]:
    try:
        values = json.loads(text, object_pairs_hook=_each_key_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}"
        raise RequestError(f"{source}: is not JSON: {error.msg} ({at})") from error
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{source}: is not JSON that can be read: {error}") from error
    if not isinstance(values, dict):
        raise RequestError(f'{source}: must be an object {{"request": ..., "config": {{...}}}}, not {show(values)}')
    return values


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise ValueError(f"the key {show(key)} is given twice; keep one")
        values[key] = value
    return values


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
