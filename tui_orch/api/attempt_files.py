"""The files of attempts on other machines: what their workers write comes here in parts, and a session goes back to them.

Each part says where it begins, so one that is sent again changes nothing.
"""

import base64
import binascii
import os
from pathlib import Path as FilePath
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from store.claim import require_running
from store.database import Reader
from store.errors import BadInput, IllegalChange
from store.home import FILE_MODE, Home, private_dir
from store.models import Fence
from store.settings import get_settings
from store.tree import attempts, get_job
from tui_orch.api.calls import Called
from tui_orch.api.problems import documented

router = APIRouter(prefix="/attempt", tags=["attempt"])

#: What a worker may send. The session is Claude Code's own file: the next attempt, elsewhere, goes on with it.
FileName = Literal["output", "transcript.jsonl", "worker.log", "setup.log", "session.jsonl"]
SESSION: FileName = "session.jsonl"
#: Bytes that a part may hold, and those of a file beyond what the settings let a worker write.
PART_BYTES = 524_288
ROOM_BYTES = 67_108_864
_PART_CHARS = 4 * (PART_BYTES // 3 + 1)


class Part(BaseModel):
    """A part of a file in base64, and at which byte it begins."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    offset: Annotated[int, Field(ge=0, le=10**15)]
    data: Annotated[str, Field(max_length=_PART_CHARS)]


class Size(BaseModel):
    """How much of the file is here (bytes): the next part begins there."""

    size: int


class SessionPart(BaseModel):
    """A part of a session's file in base64, and the whole file's size (bytes); 0 where none is kept."""

    data: str
    size: int


@router.post("/files/{name}", responses=documented(404, 409))
def put_part(call: Called, name: FileName, body: Part) -> Size:
    """Append a part to a file of the attempt; 409 where what comes before it is missing."""
    fence = call.caller.require_worker("a file of an attempt")
    try:
        data = base64.b64decode(body.data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(f"data is not base64: {error}") from error
    with call.stores.read() as reader:
        require_running(reader, fence)
        most = round(get_settings(reader).output_cap_mb * 1e6) + ROOM_BYTES
    if body.offset + len(data) > most:
        raise BadInput(f"{name} is too large; allowed: {most} bytes")
    home = call.stores.home
    folder = private_dir(home.attempt_dir(fence.job_id, fence.attempt), home.root)
    return Size(size=_append(folder / name, body.offset, data))


@router.get("/session", responses=documented(404))
def session(call: Called, offset: Annotated[int, Query(ge=0, le=10**15)] = 0) -> SessionPart:
    """Return a part of the file of the session that the attempt's job goes on with, as the last attempt left it."""
    fence = call.caller.require_worker("a session")
    with call.stores.read() as reader:
        require_running(reader, fence)
        path = _session_file(reader, call.stores.home, fence)
    if path is None:
        return SessionPart(data="", size=0)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(min(offset, size))
        return SessionPart(data=base64.b64encode(file.read(PART_BYTES)).decode(), size=size)


def _session_file(reader: Reader, home: Home, fence: Fence) -> FilePath | None:
    session_id = get_job(reader, fence.job_id).session_id
    for attempt in reversed(attempts(reader, fence.job_id)):
        path = home.attempt_dir(fence.job_id, attempt.number) / SESSION
        if session_id is not None and attempt.session_id == session_id and path.is_file() and not path.is_symlink():
            return path
    return None


def _append(path: FilePath, offset: int, data: bytes) -> int:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    try:
        size = os.fstat(file).st_size
        if offset > size:
            raise IllegalChange(f"{path.name} has {size} bytes here, and the part begins at {offset}; send from there")
        new = data[size - offset :]
        done = 0
        while done < len(new):
            done += os.pwrite(file, new[done:], size + done)
        return size + len(new)
    finally:
        os.close(file)
