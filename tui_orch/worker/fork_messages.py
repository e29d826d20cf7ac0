"""What a launcher says to a forker, and to the guards that it has forked, and back: whole messages over SEQPACKET pairs.

Knows neither processes nor the store. A request names the attempt and the worker's whole environment, which may hold keys:
it stands in memory alone, and in no file, argument or environment of the forker.
"""

import errno
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from store.models import Fence
from tui_orch.worker.brief import Brief

#: What a message may take (bytes): an environment beyond it is started without a forker.
MESSAGE_BYTES = 1_000_000
_DONE = b"done"


@dataclass(frozen=True, slots=True)
class Request:
    """Fork a worker for this attempt."""

    job_id: int
    attempt: int
    mark: str  # the cookie of the attempt
    env: Mapping[str, str]  # whole: what it starts gets no more and no less
    brief: Brief | None = None  # a command's, which may do without the store

    @property
    def fence(self) -> Fence:
        """The attempt."""
        return Fence(self.job_id, self.attempt)


@dataclass(frozen=True, slots=True)
class Ready:
    """The forker has imported what its workers need."""


@dataclass(frozen=True, slots=True)
class Started:
    """The worker of a request lives. With it comes its pidfd, which the receiver closes; -1: it had no room for one.

    ``line``: the launcher's end of a guard's own pair, -1 for a worker of one attempt alone, or without room.
    """

    pid: int
    fd: int
    line: int = -1


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no worker for a request, and will be none; ``why`` is one line."""

    why: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker has ended and was reaped. ``code``: its exit code, -9 by signal 9."""

    pid: int
    code: int


Answer = Ready | Started | Refused | Ended


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two ends that are wide enough for a message."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MESSAGE_BYTES)
    return ends


def send_request(end: socket.socket, request: Request) -> None:
    """Raises OSError: the forker is gone, or (EMSGSIZE) the environment is too large for a message."""
    said = json.dumps(_plain(request)).encode()
    if len(said) > MESSAGE_BYTES:  # some systems send more than that; it would be cut off on the other side
        raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
    end.send(said)


def receive_request(end: socket.socket) -> Request | None:
    """Return the next request; None at the end of all requests."""
    text = end.recv(MESSAGE_BYTES)
    if not text:
        return None
    job_id, attempt, mark, env, brief = json.loads(text)
    return Request(job_id, attempt, mark, env, _brief(brief) if brief else None)


def _brief(said: tuple[list[str], str, list[int], float, str | None]) -> Brief:
    argv, work_dir, (device, number), silent_s, token_sha256 = said
    return Brief(tuple(argv), work_dir, (device, number), silent_s, token_sha256)


def _received(end: socket.socket) -> tuple[bytes, list[int]]:
    text, fds, _, _ = socket.recv_fds(end, MESSAGE_BYTES, 2, socket.MSG_CMSG_CLOEXEC)
    return text, fds


def _plain(request: Request) -> list[object]:
    brief = request.brief
    told = brief and [brief.argv, brief.work_dir, brief.database, brief.silent_s, brief.token_sha256]
    return [request.job_id, request.attempt, request.mark, dict(request.env), told]


def send_answer(end: socket.socket, answer: Answer) -> None:
    """Raises OSError where the launcher is gone."""
    match answer:
        case Ready():
            end.send(b'["ready"]')
        case Started(pid, fd, line):
            fds = [fd] if line < 0 else [fd, line]
            socket.send_fds(end, [json.dumps(["started", pid]).encode()], fds)
        case Refused(why):
            end.send(json.dumps(["refused", why]).encode())
        case Ended(pid, code):
            end.send(json.dumps(["ended", pid, code]).encode())


def send_done(line: socket.socket) -> None:
    """Say as a guard that the attempt is over, and that there may be another. Raises OSError: nobody wants to know."""
    line.send(_DONE)


def is_done(line: socket.socket) -> bool:
    """Read what a guard says, which must be there; False: it has gone."""
    try:
        return line.recv(len(_DONE), socket.MSG_DONTWAIT) == _DONE
    except (ConnectionResetError, BlockingIOError):
        return False


def receive_answer(end: socket.socket) -> Answer | None:
    """Return the next answer; None where the forker is gone. Raises BlockingIOError on an end that does not wait."""
    try:
        text, fds = _received(end)
    except ConnectionResetError:
        # It has died with requests unread. That is told first, once, and what it had answered before stays to be read.
        text, fds = _received(end)
    if not text:
        return None
    match json.loads(text):
        case ["ready"]:
            return Ready()
        case ["started", pid]:
            return Started(int(pid), *fds) if fds else Started(int(pid), -1)
        case ["refused", why]:
            return Refused(str(why))
        case ["ended", pid, code]:
            return Ended(int(pid), int(code))
        case other:
            raise ValueError(f"no answer of a forker: {other!r}")
