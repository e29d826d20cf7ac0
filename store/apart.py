"""Part of a transaction that is done whole or not at all, while the rest of it goes on.

For whoever writes for many at once: what the rules refuse to one must not undo what the others have been granted.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from store.database import Transaction
from store.errors import StoreUnusable
from store.refusals import translate


@contextmanager
def apart(tx: Transaction) -> Iterator[None]:
    """Undo what the block did if it raises, and nothing else. Raises what it did; a refusal of the schema as Refused, BadInput.

    Where the store itself can not be used the whole transaction is over.
    """
    tx.run("SAVEPOINT apart")
    try:
        yield
    except apsw.Error as error:
        refused = translate(error, "the store")
        if isinstance(refused, StoreUnusable):
            raise
        _undo(tx)
        raise refused from error
    except BaseException:
        _undo(tx)
        raise
    tx.run("RELEASE apart")


def _undo(tx: Transaction) -> None:
    tx.run("ROLLBACK TO apart")
    tx.run("RELEASE apart")
