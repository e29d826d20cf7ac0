"""Keeps a worker's own word on its result beside its attempt: a worker that is killed after it must not be asked again.

Claude Code's session holds that the report was made, so a resumed one does not make it once more. Decides nothing.
"""

import json
import logging
from dataclasses import asdict
from pathlib import Path

from store.home import write_private
from tui_orch.worker.claude.turn import Report

REPORT_FILE = "report.json"

_log = logging.getLogger(__name__)


def keep(folder: Path, report: Report) -> None:
    """Write the report beside the attempt, whole or not at all. Raises OSError."""
    write_private(folder / REPORT_FILE, json.dumps(asdict(report), ensure_ascii=False) + "\n")


def kept(folder: Path) -> Report | None:
    """Return the report that was kept there; None where none was, or, which is logged, where the file is no report."""
    try:
        report = Report(**json.loads((folder / REPORT_FILE).read_text("utf-8")))
        if not (isinstance(report.summary, str) and isinstance(report.success, bool)):
            raise TypeError("summary is a text, success true or false")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        # The session is then judged by its last words, as if nothing had been reported.
        _log.warning("%s is no report: %s", folder / REPORT_FILE, error)
        return None
    return report
