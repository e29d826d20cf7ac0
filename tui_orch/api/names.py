"""How jobs and batches are called over HTTP: ``12`` is a job, ``12-1`` the first batch of its children. Pure.

Whatever is no such name, and whatever does not exist or is not the caller's, is answered alike: there is no such job.
"""

import re
from dataclasses import dataclass

from store.errors import NotFound

#: The names, as the API's document says them.
PATTERN = r"^[1-9][0-9]{0,17}(-[1-9][0-9]{0,8})?$"
_NAME = re.compile(PATTERN.removesuffix("$") + r"\Z", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,17}\Z", re.ASCII)
_SHOWN_CHARS = 40


@dataclass(frozen=True, slots=True)
class Named:
    """A job, or with ``batch`` the children of one spawn of it."""

    job_id: int
    batch: int | None = None

    @property
    def name(self) -> str:
        """Return it as it is called outside."""
        return str(self.job_id) if self.batch is None else f"{self.job_id}-{self.batch}"


def named(text: str) -> Named:
    """Return what ``text`` names. Raises NotFound for what is no name."""
    if not _NAME.match(text):
        raise unknown(text)
    job_id, _, batch = text.partition("-")
    return Named(int(job_id), int(batch) if batch else None)


def job_named(text: str) -> int:
    """Return the id of one job; a batch is none. Raises NotFound."""
    found = named(text)
    if found.batch is not None:
        raise NotFound(
            f"{found.name} is a batch, which has status, results, tree and cancel only; name one of its jobs"
        )
    return found.job_id


def number(text: str, what: str) -> int:
    """Return the number of an ask or a rule. Raises NotFound for what is no number."""
    if not _NUMBER.match(text):
        raise NotFound(f"there is no {what} {shown(text)} here")
    return int(text)


def unknown(text: str) -> NotFound:
    """Return the error for a job that is not there, or not for this caller: they are not told apart."""
    return NotFound(f"there is no job {shown(text)} here")


def shown(text: str) -> str:
    """Return a caller's text as an error may show it: short, in ASCII."""
    return ascii(text[:_SHOWN_CHARS])[1:-1]
