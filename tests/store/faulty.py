"""A connection that fails at its N-th call, as a full disk or a locked database makes it."""

from typing import Any

import apsw

from store.database import Store


class FaultyConnection:
    """Stands in for a store's connection: the call at which ``fail_at`` counts down to 0 raises ``error`` instead."""

    def __init__(self, connection: apsw.Connection, error: type[apsw.Error] = apsw.FullError) -> None:
        self._connection = connection
        self._error = error
        self.fail_at = 0  # 0: never
        self.failed = False

    def execute(self, *args: Any) -> Any:
        # A rollback needs neither disk nor lock, and with it the tests would test nothing but themselves.
        if self.fail_at and args[0] != "ROLLBACK":
            self.fail_at -= 1
            if not self.fail_at:
                self.failed = True
                raise self._error(f"made up, at: {args[0][:60]}")
        return self._connection.execute(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def make_faulty(store: Store, error: type[apsw.Error] = apsw.FullError) -> FaultyConnection:
    """Put such a connection between the store and its own, and return it."""
    faulty = FaultyConnection(store._connection, error)
    store._connection = faulty  # type: ignore[assignment]
    return faulty
