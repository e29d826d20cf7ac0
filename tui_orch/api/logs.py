"""``GET /jobs/{id}/logs``: what an attempt put out, in pieces of bounded size."""

import codecs
import os
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Query, Response

from store.errors import NotFound
from store.models import Job
from store.states import Kind, Status
from tui_orch.api.calls import Call, Called, JobId
from tui_orch.api.names import Named, job_named
from tui_orch.api.problems import documented
from tui_orch.api.told import Log
from tui_orch.client.log_file import FILES, open_plain

router = APIRouter(tags=["jobs"])

Stream = Literal["output", "transcript", "worker"]
_FILES: dict[str, str] = {
    "output": FILES[Kind.COMMAND],
    "transcript": FILES[Kind.CLAUDE],
    "worker": "worker.log",
}
MOST_BYTES = 1_048_576
_MOST_OFFSET = 2**62
RAW = "application/octet-stream"
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes.", "content": {RAW: {"schema": {"type": "string", "format": "binary"}}}}
}

Attempt = Annotated[int | None, Query(ge=1, le=10**9, description="Default: the newest.")]
StreamName = Annotated[Stream | None, Query(description="Default: what a job of its kind puts out.")]
Offset = Annotated[int, Query(ge=0, le=_MOST_OFFSET, description="Bytes to leave out.")]


@router.get("/jobs/{job_id}/logs", responses=documented(404))
def logs(
    call: Called,
    job_id: JobId,
    attempt: Attempt = None,
    stream: StreamName = None,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=4, le=MOST_BYTES, description="Bytes at most.")] = 65_536,
) -> Log:
    """Read a piece of what an attempt put out; go on from `next_offset`. A file that is not there yet is empty."""
    found = _read(call, job_id, attempt, stream, offset, limit)
    job, size = found.job, found.size
    over = job.status is not Status.RUNNING or found.attempt != job.attempt
    text, used = _decoded(found.piece, at_end=over and offset + len(found.piece) >= size)
    return Log(
        job_id=str(job.id),
        attempt=found.attempt,
        stream=found.name,
        offset=offset,
        next_offset=offset + used,
        size=size,
        text=text,
    )


@router.get("/jobs/{job_id}/logs/raw", response_class=Response, responses=_BYTES | documented(404))
def raw_logs(
    call: Called,
    job_id: JobId,
    attempt: Attempt = None,
    stream: StreamName = None,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=0, le=MOST_BYTES, description="Bytes at most.")] = 65_536,
) -> Response:
    """Read a piece of what an attempt put out, byte for byte; the header `X-Log-Size` tells the bytes of the whole file."""
    found = _read(call, job_id, attempt, stream, offset, limit)
    return Response(found.piece, media_type=RAW, headers={"X-Log-Size": str(found.size)})


class _Piece(NamedTuple):
    """What was read, of which log."""

    job: Job
    attempt: int
    name: str
    piece: bytes
    size: int


def _read(call: Call, job_id: str, attempt: int | None, stream: Stream | None, offset: int, limit: int) -> _Piece:
    """Raises NotFound."""
    with call.stores.read() as reader:
        job = call.caller.job(reader, Named(job_named(job_id)))
    wanted = _attempt(job, attempt)
    name = stream or ("output" if job.kind is Kind.COMMAND else "transcript")
    path = call.stores.home.attempt_dir(job.id, wanted) / _FILES[name]
    try:
        file = open_plain(path)
    except OSError as error:
        raise NotFound(f"the {name} of job {job.id}, attempt {wanted}, can not be read: it is no plain file") from error
    if file is None:
        return _Piece(job, wanted, name, b"", 0)
    try:
        return _Piece(job, wanted, name, os.pread(file, limit, offset), os.fstat(file).st_size)
    finally:
        os.close(file)


def _attempt(job: Job, wanted: int | None) -> int:
    if job.kind is Kind.GROUP:
        raise NotFound(f"job {job.id} is a group; it has no process and no log")
    if wanted is not None and wanted > job.attempt:
        raise NotFound(f"job {job.id} has had {job.attempt} attempts; there is no attempt {wanted}")
    return wanted or job.attempt


def _decoded(piece: bytes, *, at_end: bool) -> tuple[str, int]:
    """Return the text and how many bytes it took: a character that the piece cuts in two is left for the next one.

    At the end of an attempt half a character may be all there ever is, so it is not waited for.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(piece, final=at_end)
    kept = 0 if at_end else len(decoder.getstate()[0])
    return text, len(piece) - kept
