"""What has been compiled stays compiled: with the triggers in it, an INSERT takes ten times as long to compile as to run."""

from at_store import AtStore

from store.models import NewJob, NewTree
from store.submit import submit_tree


def test_a_statement_is_compiled_once_however_many_others_run(at: AtStore) -> None:
    """Also with hundreds of uses of others in between, as any busy supervisor has."""
    with at.store.write() as tx:
        submit_tree(tx, NewTree(NewJob("first")), 1_000)
        for number in range(300):
            tx.value(f"SELECT {number % 20}")
        before = at.store._connection.cache_stats(include_entries=False)["misses"]
        submit_tree(tx, NewTree(NewJob("second")), 1_000)
        assert at.store._connection.cache_stats(include_entries=False)["misses"] == before
