"""What ``orch spawn`` was told to spawn: requests, a file, or one command's argv, as jobs to insert.

Reads its few values itself: the package ``request`` takes longer to import than all of a spawn.
"""

import json
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from store.models import MAX_REQUEST_BYTES, NewJob
from store.needs import Needs
from store.states import Kind
from tui_orch.cli.exits import BadUse

#: JSON may write each byte of a request as ``\\u0041``: six.
_MOST_BYTES = 6 * MAX_REQUEST_BYTES


@dataclass(frozen=True, slots=True)
class Common:
    """What holds for every job of the call; None where it was not said."""

    kind: str | None
    title: str | None
    timeout_s: float | None
    model: str | None
    priority: int
    budget_usd: float | None = None
    needs: Needs | None = None


def new_jobs(requests: tuple[str, ...], file: str | None, argv: tuple[str, ...] | None, common: Common) -> list[NewJob]:
    """Return the jobs that are asked for. Raises BadUse."""
    if sum((bool(requests), file is not None, argv is not None)) != 1:
        raise BadUse("give REQUESTs, or --file, or a command behind --: just one of the three")
    if argv is not None:
        jobs = [_argv_job(argv, common)]
    elif file is not None:
        jobs = _from_file(file, common)
    else:
        jobs = [NewJob(request, Kind(common.kind or Kind.CLAUDE)) for request in requests]
    if common.title and len(jobs) != 1:
        raise BadUse(f"--title is for one request, and there are {len(jobs)}")
    return [_with(job, common) for job in jobs]


def _with(job: NewJob, common: Common) -> NewJob:
    return replace(
        job,
        title=job.title or common.title,
        timeout_s=job.timeout_s or common.timeout_s,
        model=job.model or common.model,
        priority=common.priority,
        budget_usd=job.budget_usd or common.budget_usd,
        needs=common.needs if job.needs is None else job.needs.over(common.needs),
    )


def _argv_job(argv: tuple[str, ...], common: Common) -> NewJob:
    if common.kind not in (None, Kind.COMMAND):
        raise BadUse(f"what stands behind -- is a command; that is --kind command, not {common.kind}")
    if not argv or not argv[0]:
        raise BadUse("there is no command behind --")
    request = shlex.join(argv)
    try:
        request.encode()
    except UnicodeEncodeError as error:
        raise BadUse(f"character {error.start} of the command behind -- is not UTF-8") from error
    return NewJob(request, Kind.COMMAND, argv=argv)


def _from_file(name: str, common: Common) -> list[NewJob]:
    source = "standard input" if name == "-" else name
    text = _read(name, source)
    tasks = _json_list(text, source)
    if tasks is None:
        return [NewJob(text.strip(), Kind(common.kind or Kind.CLAUDE))]
    # Imported late: only a list of tasks needs it. It is what the tool spawn_subtasks reads, too.
    from tui_orch.worker.claude.tasks import BadTasks, read_tasks  # noqa: PLC0415

    with_kind = [_kind_given(task, common.kind) for task in tasks]
    try:
        return list(read_tasks(with_kind))
    except BadTasks as error:
        raise BadUse(f"{source}: {error}") from error


def _kind_given(task: Any, kind: str | None) -> Any:
    if kind is None:
        return task
    return {"kind": kind, **task} if isinstance(task, dict) else {"kind": kind, "request": task}


def _read(name: str, source: str) -> str:
    try:
        if name == "-":
            data = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as stream:
                data = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise BadUse(f"{source}: can not be read ({getattr(error, 'strerror', None) or error})") from error
    if len(data) > _MOST_BYTES:
        raise BadUse(f"{source}: is too large; a request may hold {MAX_REQUEST_BYTES} bytes of UTF-8")
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadUse(f"{source}: byte {error.start} is not UTF-8; save the file as UTF-8") from error


def _json_list(text: str, source: str) -> list[Any] | None:
    """Return the tasks if ``text`` is a JSON list, None if it is a request."""
    if not text.lstrip().startswith("[") and not source.lower().endswith(".json"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        if source.lower().endswith(".json"):
            raise BadUse(f"{source}: is not JSON: {error}") from error
        return None
    if isinstance(found, list):
        return found
    if source.lower().endswith(".json"):
        raise BadUse(f"{source}: must be a list of tasks: strings, or objects with a request")
    return None
