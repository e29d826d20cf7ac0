"""Which file of an attempt's folder holds what its worker put out, and how it is opened.

The worker's side could put a link or a pipe in its place: only a plain file is read.
"""

import os
import stat
from pathlib import Path

from store.states import Kind

#: The file of each kind of worker; a group has no worker.
FILES = {Kind.COMMAND: "output", Kind.CLAUDE: "transcript.jsonl"}


def open_plain(path: str | Path) -> int | None:
    """Return a descriptor for reading, None where there is no file yet. Raises OSError for what is no plain file."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(f"{path} is not a plain file; it is not read")
    return file
