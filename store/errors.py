"""Every error that the store raises, as one tree; it never prints and never exits.

StoreError
├── BadInput            a value that can not be stored: type, size, range
├── Refused             the store is fine, the change is not allowed
│   ├── NotFound        no such job, ask or tree
│   ├── LimitExceeded   a limit of the tree: names limit, value, job and how to raise it
│   ├── IllegalChange   not from this state
│   ├── NotAllowed      the caller may not touch this job
│   └── StaleAttempt    the attempt that writes is no longer the job's attempt
└── StoreUnusable       the file or the folder: missing, foreign, newer, wrong mode, changed schema
    ├── StoreDamaged    the file is damaged, or is not the one that was opened any more: trying again is of no use
    └── StoreBusy       another writer holds it for too long; trying again is right
        └── StoreFull   the disk is full; trying again once there is room is right
"""


class StoreError(Exception):
    """Base of all. ``str(error)`` is one line for a person: what happened, where, what to do."""


class BadInput(StoreError):
    """A value that can not be stored."""


class Refused(StoreError):
    """The change is not allowed now; nothing was written."""


class NotFound(Refused):
    """No such job, ask or tree."""


class LimitExceeded(Refused):
    """A limit of the tree stands against it.

    ``limit`` is the limit's name (``max_depth``, ``max_jobs``, ``max_children``, ...).
    """

    def __init__(self, message: str, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class IllegalChange(Refused):
    """The job's state does not allow it."""


class NotAllowed(Refused):
    """The caller is a job, and this is not in its own subtree or is for a person to decide."""


class StaleAttempt(Refused):
    """The attempt that writes has been superseded, or its job has ended: the worker must stop."""


class StoreUnusable(StoreError):
    """The file or the folder can not be used as a store."""


class StoreBusy(StoreUnusable):
    """Another program holds the database; nothing was written, trying again later is right."""


class StoreFull(StoreBusy):
    """There is no room on the disk; nothing was written, trying again once there is some is right."""


class StoreDamaged(StoreUnusable):
    """The database is damaged, or another file (or none) is in its place: what was opened is not the store any more."""
