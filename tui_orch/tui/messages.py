"""What happened, as messages: the feed tells the app of the store, the tree tells it of the person."""

from collections.abc import Sequence

from textual.message import Message

from store.models import Job
from store.tree import StoreState


class JobsChanged(Message):
    """Jobs were inserted or changed; ``jobs`` are as they are now, oldest change first.

    ``jobs`` is empty where only the totals differ (a pause, a brake).
    """

    def __init__(self, jobs: Sequence[Job], state: StoreState) -> None:
        super().__init__()
        self.jobs = tuple(jobs)
        self.state = state


class StoreTroubled(Message):
    """The store could not be read; ``text`` says why, for a person. It is tried again."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class StoreRecovered(Message):
    """The store can be read again."""


class CursorMoved(Message):
    """The cursor of the tree stands on another job, or on none."""

    def __init__(self, job_id: int | None) -> None:
        super().__init__()
        self.job_id = job_id


class RowOpened(Message):
    """A person wants to see the details of a job: Enter, or a double click."""

    def __init__(self, job_id: int) -> None:
        super().__init__()
        self.job_id = job_id


class FilterProgressed(Message):
    """A filter has looked at ``searched`` jobs and found ``matches``; ``done`` when it will look at no more."""

    def __init__(self, matches: int, searched: int, done: bool) -> None:
        super().__init__()
        self.matches = matches
        self.searched = searched
        self.done = done
