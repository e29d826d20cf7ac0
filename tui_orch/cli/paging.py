"""Long text on a terminal: through the person's pager. Elsewhere it is simply printed."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence

from tui_orch.cli import terminal

#: What less does where a person has not said otherwise: end at once if all fits, show colours, leave the screen alone.
_LESS = "FRX"


def show(lines: Sequence[str]) -> None:
    """Show lines that are fit for a terminal."""
    pager = _pager()
    if pager is None:
        for line in lines:
            print(line)
        return
    sys.stdout.flush()
    with subprocess.Popen(pager, stdin=subprocess.PIPE, env={"LESS": _LESS, **os.environ}) as running:
        try:
            running.communicate("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))
        except BrokenPipeError:
            return  # the person has left the pager


def _pager() -> list[str] | None:
    """Return the pager's command line, None where there is none or no person to read."""
    if not terminal.is_screen(sys.stdout):
        return None
    try:
        pager = shlex.split(os.environ.get("PAGER", "")) or ["less"]
    except ValueError:
        return None
    return pager if pager != ["cat"] and shutil.which(pager[0]) else None
