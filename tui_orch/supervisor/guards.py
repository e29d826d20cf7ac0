"""The launcher's ends of guards: forked workers of brief commands, each of which takes one attempt after the other.

To fork a process and let it copy what it writes to costs more than a short command does. A guard that has left an outcome
says so on its line, and waits there for the next attempt for a moment. Until then it is that attempt's worker and nobody
else's. What it says is no proof of anything but that it is free: outcomes are in the files of their locks.
"""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from socket import socket

from tui_orch.worker.fork_messages import Request, is_done, send_request
from tui_orch.worker.pidfd import has_ended

#: Seconds for a process to end whose line has ended.
_GONE_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard's process: ``process`` is its pidfd."""

    pid: int
    process: int
    line: socket

    def fileno(self) -> int:
        """Return what becomes readable when its attempt is over, and when it has gone."""
        return self.line.fileno()


class Guards:
    """The guards of one launcher. A busy one is named by the descriptor of its line, as a handle holds it."""

    def __init__(self) -> None:
        self._busy: dict[int, Guard] = {}
        self._asked: set[int] = set()
        self._free: list[Guard] = []
        self._leaving: list[Guard] = []

    def pids(self) -> set[int]:
        """Return the processes that are nobody's leftovers, though they may have no attempt now."""
        return {guard.pid for guard in (*self._busy.values(), *self._free, *self._leaving)}

    def add(self, pid: int, process: int, line: int) -> int:
        """Look after a guard that works on its first attempt; return its descriptor."""
        guard = Guard(pid, process, socket(fileno=line))
        self._busy[line] = guard
        return line

    def ask(self, request: Request) -> Guard | None:
        """Have a free guard begin this attempt; None if there is none, and it has not begun."""
        while self._free:
            guard = self._free.pop()  # the last that was busy: its memory is at hand
            if not self._is_talking(guard):
                with suppress(OSError):  # it has gone, or the request is too large for a message
                    send_request(guard.line, request)
                    self._busy[guard.fileno()] = guard
                    return guard
            self._leaving.append(guard)
            guard.line.close()
        return None

    def is_guard(self, descriptor: int) -> bool:
        """Tell whether a handle's descriptor is a guard's line."""
        return descriptor in self._busy

    def signal(self, descriptor: int, number: signal.Signals) -> None:
        """Send a signal to a busy guard, which takes no further attempt. Raises ProcessLookupError."""
        self._asked.add(descriptor)
        signal.pidfd_send_signal(self._busy[descriptor].process, number)

    def take_back(self, descriptor: int) -> bool:
        """Take in that an attempt is over; False: its guard has ended, and is to be reaped (`gone`)."""
        guard = self._busy[descriptor]
        if not is_done(guard.line):
            return False
        del self._busy[descriptor]
        if descriptor in self._asked:  # the signal may still be on its way: the next attempt must not get it
            self._asked.discard(descriptor)
            self._leaving.append(guard)
            guard.line.close()
        else:
            self._free.append(guard)
        return True

    def gone(self, descriptor: int) -> Guard:
        """Let go of a guard that has ended; the caller reaps it and closes ``process``."""
        guard = self._busy.pop(descriptor)
        self._asked.discard(descriptor)
        guard.line.close()
        has_ended(guard.process, _GONE_LIMIT_S)
        return guard

    def reap(self) -> Iterator[int]:
        """Let go of those that were free and have ended, and yield their pids."""
        for guard in [each for each in self._free if self._is_talking(each)]:
            self._free.remove(guard)
            guard.line.close()
            self._leaving.append(guard)
        for guard in [each for each in self._leaving if has_ended(each.process)]:
            self._leaving.remove(guard)
            with suppress(ChildProcessError):  # its forker reaps it
                os.waitid(os.P_PIDFD, guard.process, os.WEXITED | os.WNOHANG)
            os.close(guard.process)
            yield guard.pid

    def close(self) -> None:
        """Close all lines. Free guards end; busy ones end with their attempt."""
        for guard in (*self._busy.values(), *self._free, *self._leaving):
            guard.line.close()
            os.close(guard.process)
        self._busy.clear()
        self._free.clear()
        self._leaving.clear()

    def _is_talking(self, guard: Guard) -> bool:
        """Tell whether a guard that has nothing to say is heard: it has ended, or will."""
        poll = select.poll()
        poll.register(guard.line, select.POLLIN)
        return bool(poll.poll(0))
