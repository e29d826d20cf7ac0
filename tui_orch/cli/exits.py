"""What a command's end means to the shell: the exit codes, and the one mapping of errors to them.

Every refusal is one line on stderr that begins with ``orch:``. Nothing else here prints or exits.
"""

import sys
from collections.abc import Callable, Iterable

import click

from store.errors import StoreError, StoreUnusable
from store.states import Status
from tui_orch.client.text import one_line
from tui_orch.request.errors import RequestError
from tui_orch.supervisor.ownership import SupervisorError

COMPLETED = 0
FAILED = 1  # failed or cancelled; also a store, a supervisor or a file that can not be used
BAD_INPUT = 2  # what was asked for is wrong or not allowed; nothing was changed
PARTIAL = 3
TOO_LATE = 124  # --timeout passed before the end, as timeout(1) has it
INTERRUPTED = 130


class BadUse(Exception):
    """What was asked for is wrong, as the command line alone can tell; ``str(error)`` is one line."""


class Broken(Exception):
    """What is needed can not be used now; ``str(error)`` is one line."""


def code_of(statuses: Iterable[Status]) -> int:
    """Return the exit code for jobs that have ended: all completed, none with a result, or something between."""
    ended = set(statuses)
    if ended <= {Status.COMPLETED}:
        return COMPLETED
    return PARTIAL if ended & {Status.COMPLETED, Status.PARTIAL} else FAILED


def run_to_exit(command: Callable[[], int | None]) -> int:
    """Run ``command`` and return the exit code, telling on stderr what went wrong."""
    try:
        code = command()
        sys.stdout.flush()
    except click.UsageError as error:
        return _tell(_usage(error), BAD_INPUT)
    except click.ClickException as error:
        return _tell(error.format_message(), BAD_INPUT)
    except (StoreUnusable, SupervisorError, Broken) as error:
        return _tell(str(error), FAILED)
    except (StoreError, RequestError, BadUse) as error:
        return _tell(str(error), BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        return _tell("interrupted; jobs go on", INTERRUPTED)
    except UnicodeEncodeError as error:
        return _tell(f"text that is given is not UTF-8 (character {error.start})", BAD_INPUT)
    except BrokenPipeError:
        return FAILED  # whoever read our output has gone, and so has the reason to say anything
    except OSError as error:
        return _tell(str(error), FAILED)
    return code or COMPLETED


def tell(message: str) -> None:
    """Say one line on stderr, whatever ``message`` holds."""
    print(f"orch: {one_line(message)}", file=sys.stderr, flush=True)


def _tell(message: str, code: int) -> int:
    tell(message)
    return code


def _usage(error: click.UsageError) -> str:
    where = f" (see: {error.ctx.command_path} --help)" if error.ctx else ""
    return f"{error.format_message().rstrip('.')}{where}"
