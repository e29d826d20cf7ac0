"""The launcher's end of a forker: starts one, asks it for workers, remembers how they ended, and sees that it has gone.

Knows nothing of handles and of cold starts: where there is no forker, or it does not answer, `ask` gives None for what is
certain not to have begun, and the launcher starts that worker itself.
"""

import errno
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from socket import socket

from store.home import Home
from store.states import Kind
from tui_orch.worker.fork_messages import (
    Answer,
    Ended,
    Ready,
    Refused,
    Request,
    Started,
    pair,
    receive_answer,
    send_request,
)
from tui_orch.worker.start_block import placeholder_argument, placeholder_environment
from tui_orch.worker.subreaper import own_children

#: The program of a forker, before its descriptor, the store's folder and the kind.
FORKER = (sys.executable, "-P", "-X", "utf8", "-m", "tui_orch.worker.forker")

#: Seconds that a forker may take to import what it needs, and to fork once it has; then it is ended.
IMPORT_LIMIT_S = 20.0
FORK_LIMIT_S = 2.0
#: Seconds for which no other one is started after one that was of no use.
DISCOURAGED_S = 5.0

log = logging.getLogger("tui_orch.supervisor")


class Forker:
    """One forker process: for all workers of one kind."""

    def __init__(self, home: Home, kind: Kind, program: Sequence[str] = FORKER) -> None:
        self._home = home
        self._kind = kind
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._end: socket | None = None
        self._is_ready = False
        self._forked = False
        self._began_at = 0.0
        self._not_before = float("-inf")
        self._codes: dict[int, int] = {}
        self._living: set[int] = set()

    @property
    def pid(self) -> int | None:
        """The process, while it is this one's to reap."""
        return self._process.pid if self._process is not None else None

    @property
    def _is_open(self) -> bool:
        return self._end is not None

    def is_getting_ready(self) -> bool:
        """Start the forker if there is none; tell whether it still imports what it needs. Never waits."""
        while self._is_open and self._take(0.0):  # what has come meanwhile; and that it has gone
            pass
        if not self._is_open and time.monotonic() >= self._not_before:
            self._start()
        if self._is_open and not self._is_ready and time.monotonic() - self._began_at > IMPORT_LIMIT_S:
            self._give_up("does not get ready")
        return self._is_open and not self._is_ready

    def ask(self, requests: Sequence[Request]) -> list[Started | Refused | None]:
        """Have workers forked; None for each that was not, and never will be. All others may begin when this returns."""
        sent = self._send(requests) if self._is_open and self._is_ready else 0
        answers: list[Started | Refused | None] = []
        unwatched = []
        patience_s = FORK_LIMIT_S
        while len(answers) < sent and self._is_open:
            answer = self._receive(patience_s)
            if answer is None and self._is_open:
                # It does not answer. What it has said by its end still counts, and then it says nothing more.
                self._kill()
                patience_s = 0.0
            elif isinstance(answer, Started) and answer.fd < 0:
                self._kill()
                unwatched.append(answer.pid)
                answers.append(Refused(os.strerror(errno.EMFILE)))
            elif isinstance(answer, Started | Refused):
                answers.append(answer)
            if answer is not None:
                self._note(answer)
        for pid in unwatched:
            self._end_unwatched(pid)
        return answers + [None] * (len(requests) - len(answers))

    def _send(self, requests: Sequence[Request]) -> int:
        """Send requests up to the first that can not be sent; return how many were."""
        assert self._end is not None
        self._end.settimeout(FORK_LIMIT_S)
        for number, request in enumerate(requests):
            try:
                send_request(self._end, request)
            except OSError as error:
                if error.errno != errno.EMSGSIZE:  # too large for a message: the forker is well
                    self._kill()
                return number
        return len(requests)

    def code_of(self, pid: int) -> int | None:
        """Return how a worker that has ended did, None where the forker has gone without telling."""
        until = time.monotonic() + FORK_LIMIT_S
        while pid in self._living and pid not in self._codes and self._is_open:
            if not self._take(max(0.0, until - time.monotonic())):
                break
        self._living.discard(pid)
        return self._codes.pop(pid, None)

    def forget(self, pid: int) -> None:
        """Do not remember how a worker ended."""
        self._living.discard(pid)
        self._codes.pop(pid, None)

    def close(self) -> None:
        """Let the forker end. Its workers go on."""
        if self._end is not None:
            self._end.close()
            self._end = None
        if self._process is not None:
            self._end_process()

    def _start(self) -> None:
        ours, theirs = pair()
        argv = [*self._program, str(theirs.fileno()), str(self._home.root), self._kind.value, placeholder_argument()]
        self._began_at = time.monotonic()
        self._is_ready = self._forked = False
        try:
            self._process = subprocess.Popen(
                argv,
                cwd=self._home.project,
                env=placeholder_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            self._discourage(str(error))
        else:
            self._end = ours
        finally:
            theirs.close()

    def _take(self, wait_s: float) -> bool:
        """Take in one answer that nobody waits for; False if none came in time, or the forker has gone."""
        answer = self._receive(wait_s)
        if answer is not None:
            self._note(answer)
        return answer is not None

    def _receive(self, wait_s: float) -> Answer | None:
        """Return the next answer; None if none came in time, or (then there is no end of ours any more) never will."""
        assert self._end is not None
        self._end.settimeout(wait_s)
        try:
            answer = receive_answer(self._end)
        except (BlockingIOError, TimeoutError):
            return None
        except (OSError, ValueError) as error:
            self._give_up(str(error))
            return None
        if answer is None:
            self._give_up("has gone")
        return answer

    def _note(self, answer: Answer) -> None:
        match answer:
            case Ready():
                self._is_ready = True
            case Started(pid, _):
                self._forked = True
                self._living.add(pid)
            case Ended(pid, code):
                if pid in self._living:
                    self._codes[pid] = code

    def _end_unwatched(self, pid: int) -> None:
        """End a worker that came without a descriptor, since this process has none left for it."""
        if self._is_open:
            self._give_up("no descriptor left")
        # The forker is gone and reaped: the worker is our child now, so the number is its own until we reap it.
        if pid in own_children():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def _give_up(self, why: str) -> None:
        """Let go of a forker that has gone or is of no use; another one is started when it is needed."""
        assert self._end is not None
        was_ready = self._is_ready
        self._end.close()
        self._end = None
        self._is_ready = False
        code = self._end_process()
        if code != 0 or not was_ready:
            self._discourage(f"{why} (code {code})")

    def _end_process(self) -> int:
        """See the process end, whose socket is closed by now, and return its exit code."""
        assert self._process is not None
        try:
            self._process.wait(FORK_LIMIT_S)
        except subprocess.TimeoutExpired:  # stopped, or stuck
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        code = self._process.returncode
        self._process = None
        return code

    def _discourage(self, why: str) -> None:
        if not self._forked:
            self._not_before = time.monotonic() + DISCOURAGED_S
        log.warning("the process that forks %s workers: %s", self._kind, why)
