"""The block of memory in which the kernel put this process's environment (or arguments), and which /proc shows of it.

A forked worker was never started by exec, so what /proc/PID/environ shows is what the forker was started with. The mark of
its attempt has to be seen there like that of any other worker: it is written over what stands in the block. Linux only.
"""

import ctypes
import functools
from pathlib import Path

from tui_orch.worker.cookie import VARIABLE

#: Room for a mark in the environment that a forker is started with.
_MARK_CHARACTERS = 200
_NAME_CHARACTERS = 300
#: Their places in /proc/self/stat, counted behind the name in parentheses.
_ARGUMENTS, _ENVIRONMENT = (45, 46), (47, 48)


def placeholder_environment() -> dict[str, str]:
    """Return the whole environment of a forker: nothing but room for a mark."""
    return {VARIABLE: "-" * _MARK_CHARACTERS}


def placeholder_argument() -> str:
    """Return a last argument of a forker that makes room for what a worker's command line shows."""
    return "-" * _NAME_CHARACTERS


def show_mark(mark: str) -> None:
    """Let /proc/self/environ show the mark, and nothing else. Raises ValueError where there is no room for it."""
    _write(_ENVIRONMENT, f"{VARIABLE}={mark}".encode())


def check_mark() -> None:
    """Raise OSError where this system does not let a process change what is seen of it."""
    show_mark("none")
    if not Path("/proc/self/environ").read_bytes().startswith(f"{VARIABLE}=none\0".encode()):
        raise OSError("what /proc shows of a process's environment can not be changed here")


def show_arguments(*arguments: str) -> None:
    """Let /proc/self/cmdline show these arguments, as far as there is room."""
    room = _place(_ARGUMENTS)[1] - 1
    _write(_ARGUMENTS, "\0".join(arguments).encode(errors="surrogateescape")[:room])


def _write(which: tuple[int, int], text: bytes) -> None:
    start, size = _place(which)
    if len(text) >= size:
        raise ValueError(f"{len(text)} bytes do not fit into {size}")
    ctypes.memmove(start, text.ljust(size, b"\0"), size)


@functools.cache  # a forked child has it where its forker has
def _place(which: tuple[int, int]) -> tuple[int, int]:
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    start, end = (int(fields[index]) for index in which)
    return start, end - start
