"""What a caller has handed in under a name of its own: trying again after a lost answer makes nothing twice."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from store.database import Transaction
from store.errors import IllegalChange


@dataclass(frozen=True, slots=True)
class Handle:
    """What a call made: a tree by its root, or a batch by its parent and number."""

    job_id: int
    batch: int | None = None

    @property
    def name(self) -> str:
        """How it is called outside: ``12`` or ``12-1``."""
        return str(self.job_id) if self.batch is None else f"{self.job_id}-{self.batch}"


def once(
    tx: Transaction, caller: str, name: str | None, asked: str, now_ms: int, make: Callable[[], Handle]
) -> tuple[Handle, bool]:
    """Return what this caller made under this name before, or make it now; and whether it is new.

    ``caller`` is key:ID or job:ID, ``asked`` all that was asked for. Without a name it is always made. Raises
    IllegalChange for another request under the same name.
    """
    if name is None:
        return make(), True
    said = hashlib.sha256(asked.encode(errors="surrogatepass")).hexdigest()
    row = tx.row("SELECT request_sha256, job_id, batch FROM handed_in WHERE caller = ? AND name = ?", (caller, name))
    if row is not None:
        if row[0] != said:
            raise IllegalChange(
                f"another request was handed in under the name {name[:60]!r}; take a new name for a new one"
            )
        return Handle(row[1], row[2]), False
    handle = make()
    tx.run(
        "INSERT INTO handed_in(caller, name, request_sha256, job_id, batch, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (caller, name, said, handle.job_id, handle.batch, now_ms),
    )
    return handle, True
