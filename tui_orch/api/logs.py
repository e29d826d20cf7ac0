"""``GET /jobs/{id}/logs``: what an attempt put out, in pieces of bounded size."""

import codecs
import os
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from store.errors import NotFound
from store.models import Job
from store.states import Kind, Status
from tui_orch.api.calls import Called, JobId
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


@router.get("/jobs/{job_id}/logs", responses=documented(404))
def logs(
    call: Called,
    job_id: JobId,
    attempt: Annotated[int | None, Query(ge=1, le=10**9, description="Default: the newest.")] = None,
    stream: Annotated[Stream | None, Query(description="Default: what a job of its kind puts out.")] = None,
    offset: Annotated[int, Query(ge=0, le=_MOST_OFFSET, description="Bytes to leave out.")] = 0,
    limit: Annotated[int, Query(ge=4, le=MOST_BYTES, description="Bytes at most.")] = 65_536,
) -> Log:
    """Read a piece of what an attempt put out; go on from `next_offset`. A file that is not there yet is empty."""
    with call.stores.read() as reader:
        job = call.caller.job(reader, Named(job_named(job_id)))
    wanted = _attempt(job, attempt)
    name = stream or ("output" if job.kind is Kind.COMMAND else "transcript")
    path = call.stores.home.attempt_dir(job.id, wanted) / _FILES[name]
    try:
        file = open_plain(path)
    except OSError as error:
        raise NotFound(f"the {name} of job {job.id}, attempt {wanted}, can not be read: it is no plain file") from error
    piece, size = b"", 0
    if file is not None:
        try:
            size = os.fstat(file).st_size
            piece = os.pread(file, limit, offset)
        finally:
            os.close(file)
    over = job.status is not Status.RUNNING or wanted != job.attempt
    text, used = _decoded(piece, at_end=over and offset + len(piece) >= size)
    return Log(
        job_id=str(job.id), attempt=wanted, stream=name, offset=offset, next_offset=offset + used, size=size, text=text
    )


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
