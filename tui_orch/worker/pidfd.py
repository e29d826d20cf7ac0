"""Descriptors that hold a process fast: unlike its number, one never comes to mean another process.

Readable once the process has ended. What is found true of the number while the descriptor is open and the process
lives is true of that process; a signal through the descriptor reaches it or nobody.
"""

import errno
import os
import select

#: No such process, or (the last two, by kernel) the number is a thread's of another process by now.
_GONE = frozenset({errno.ESRCH, errno.EINVAL, errno.ENOENT})


def open_pidfd(pid: int) -> int | None:
    """Return a descriptor (closed on exec, the caller closes it), or None if there is no such process.

    Raises OSError where it can not be told: no descriptor or memory left.
    """
    try:
        return os.pidfd_open(pid)
    except OverflowError:  # no process ever has such a number: whoever wrote it made it up
        return None
    except OSError as error:
        if error.errno in _GONE:
            return None
        raise


def has_ended(pidfd: int, wait_s: float = 0.0) -> bool:
    """Tell whether the process has ended, waiting for that at most ``wait_s`` seconds."""
    ending = select.poll()
    ending.register(pidfd, select.POLLIN)
    return bool(ending.poll(wait_s * 1000))
