"""What a store would make of a tree, found out by a store in memory that is thrown away: its limits in force, or the refusal.

No rule is written down a second time here: the schema itself judges. Writes nothing anywhere.
"""

from dataclasses import dataclass

import apsw

from store import schema
from store.database import Reader, Transaction
from store.models import NewTree, Tree
from store.refusals import translate
from store.rows import dumps
from store.settings import NAMES, Settings, get_settings
from store.submit import submit_tree
from store.tree import get_tree


@dataclass(frozen=True, slots=True)
class Trial:
    """The settings that held, and the tree as it would be stored; its id means nothing."""

    settings: Settings
    tree: Tree


def try_tree(new: NewTree, settings: Settings | None = None) -> Trial:
    """Submit a tree to a store with these settings (None: those of a new store).

    Raises what `store.submit.submit_tree` does: LimitExceeded, BadInput.
    """
    connection = apsw.Connection(":memory:")
    try:
        schema.mark(connection)
        schema.migrate(connection)
        tx = Transaction(connection)
        if settings is not None:
            _set_all(tx, settings)
        tree = get_tree(tx, submit_tree(tx, new, 0))
        return Trial(get_settings(tx), tree)
    except apsw.Error as error:
        raise translate(error, "a store in memory") from error
    finally:
        connection.close()


def shipped_settings() -> Settings:
    """Return the settings of a new store."""
    connection = apsw.Connection(":memory:")
    try:
        schema.migrate(connection)
        return get_settings(Reader(connection))
    finally:
        connection.close()


def _set_all(tx: Transaction, settings: Settings) -> None:
    values = (getattr(settings, name) for name in NAMES)
    stored = [dumps(list(value)) if isinstance(value, tuple) else value for value in values]
    tx.run(f"UPDATE settings SET {', '.join(f'{name} = ?' for name in NAMES)}", stored)
