"""What of a job can be copied, and copying it through the terminal (OSC 52), which works over SSH too."""

from dataclasses import dataclass
from typing import Any

from textual.app import App

from store.models import Job
from tui_orch.client.text import clean, one_line

#: Bytes that are copied at most: what many terminals take in one OSC 52 sequence, 100,000 in base64.
MOST_BYTES = 74_994


@dataclass(frozen=True, slots=True)
class Copyable:
    """Something to copy: its letter, what it is, and the text, cleaned."""

    key: str
    name: str
    text: str


def copyables(job: Job) -> tuple[Copyable, ...]:
    """Return what of a job can be copied; what it has not is left out."""
    found = [Copyable("i", "id", f"#{job.id}"), Copyable("t", "title", one_line(job.title))]
    found.append(Copyable("q", "request", clean(job.request)))
    if job.result:
        found.append(Copyable("r", "result", clean(job.result)))
    if job.error:
        found.append(Copyable("e", "error", clean(job.error)))
    if job.session_id:
        found.append(Copyable("s", "session", one_line(job.session_id)))
    return tuple(found)


def fitting(text: str) -> str:
    """Return as much of the beginning of ``text`` as a terminal takes."""
    return text.encode(errors="replace")[:MOST_BYTES].decode(errors="ignore")


def copy(app: App[Any], found: Copyable) -> str:
    """Copy it, and return what to tell the person, on one line."""
    text = fitting(found.text)
    app.copy_to_clipboard(text)
    size = f"{len(text):,} characters" if len(text) > 60 else text.replace("\n", " ")
    rest = "" if text == found.text else f", the first of {len(found.text):,}: the terminal takes no more"
    return f"copied the {found.name}: {size}{rest}"
