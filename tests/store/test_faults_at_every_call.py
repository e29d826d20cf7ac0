"""A fault at the N-th statement of a verb, for N = 1, 2, ... until it gets through: all of it is done, or nothing."""

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from at_store import AtStore, at_store
from attacks import build, copy_store
from faulty import make_faulty
from invariants import check

from store import (
    asks,
    brake,
    claim,
    clock_jump,
    control,
    finish,
    handed_in,
    keys,
    repair,
    rules,
    settings,
    submit,
    upkeep,
)
from store.database import Store, Transaction
from store.errors import StoreUnusable
from store.home import Home
from store.models import Fence, Limits, NewJob, NewTree, Outcome, Trouble, Usage
from store.states import Kind, Status

NOW_MS = 2_000_000
TOP, MIDDLE, DEEPEST, LENDER = Fence(1, 1), Fence(2, 1), Fence(5, 1), Fence(10, 1)
GROUP = NewTree(
    NewJob("a group", Kind.GROUP), (NewJob("one", Kind.COMMAND), NewJob("two", Kind.COMMAND)), Limits(max_depth=1)
)

#: Each verb on the store of `attacks.build`, in a state in which it has something to do.
VERBS: dict[str, Callable[[Transaction], object]] = {
    "submit_tree": lambda tx: submit.submit_tree(tx, GROUP, NOW_MS),
    "spawn": lambda tx: submit.spawn(tx, LENDER, [NewJob("a", Kind.COMMAND), NewJob("b", Kind.COMMAND)], NOW_MS),
    "start_attempt": lambda tx: claim.start_attempt(tx, 8, claim.token_hash("t"), NOW_MS),
    "set_activity": lambda tx: claim.set_activity(tx, MIDDLE, "works", NOW_MS),
    "set_session": lambda tx: claim.set_session(tx, MIDDLE, "session"),
    "lend_slot": lambda tx: claim.lend_slot(tx, TOP, "a client"),
    "want_slot": lambda tx: claim.want_slot(tx, LENDER, "a client"),
    "finish a leaf": lambda tx: finish.finish(
        tx, DEEPEST, Outcome(Status.COMPLETED, result="r", usage=Usage(1.0, 5)), NOW_MS
    ),
    "finish, tried again": lambda tx: finish.finish(tx, DEEPEST, Outcome(Status.FAILED, "lost"), NOW_MS),
    "finish with children open": lambda tx: finish.finish(tx, TOP, Outcome(Status.COMPLETED), NOW_MS, [3]),
    "suspend": lambda tx: finish.suspend(tx, TOP, "children", "s", Usage(cost_usd=0.5), NOW_MS, [3]),
    "release": lambda tx: finish.release(tx, DEEPEST, "api_error", NOW_MS, usage=Usage(1.0), not_before_ms=NOW_MS + 1),
    "fail_unstarted, settled upwards": lambda tx: finish.fail_unstarted(tx, 8, "bad_request", "no", NOW_MS),
    "ask": lambda tx: asks.ask(tx, TOP, kind="question", question="which?", now_ms=NOW_MS),
    "answer": lambda tx: asks.answer(tx, 1, "allow", None, NOW_MS),
    "cancel a running subtree": lambda tx: control.cancel(tx, 1, NOW_MS),
    "cancel a waiting tree": lambda tx: control.cancel(tx, 6, NOW_MS),
    "expire": lambda tx: control.expire(tx, 6, NOW_MS),
    "retry": lambda tx: control.retry(tx, 7, NOW_MS),
    "retry of all that failed": lambda tx: repair.retry_failed(tx, 6, NOW_MS),
    "pause": lambda tx: control.pause(tx, None, NOW_MS),
    "pause a tree": lambda tx: control.pause(tx, 1, NOW_MS),
    "set_limits": lambda tx: control.set_limits(tx, 1, Limits(max_jobs=50, timeouts_s=(50.0,))),
    "meet a usage limit": lambda tx: brake.meet(tx, Trouble("usage_limit", "limit", NOW_MS + 5_000), NOW_MS, 0.5),
    "meet an outage": lambda tx: brake.meet(tx, Trouble("api", "down"), NOW_MS, 0.5),
    "meet what a person must mend": lambda tx: brake.meet(tx, Trouble("stop", "no login"), NOW_MS, 0.5),
    "crashed": lambda tx: brake.crashed(tx, 1, "worker.log", NOW_MS),
    "move_due_times": lambda tx: clock_jump.move_due_times(tx, -86_400_000, NOW_MS),
    "set_setting": lambda tx: settings.set_setting(tx, "slots", 3),
    "add_rule, answering asks": lambda tx: rules.add_rule(tx, 1, "allow", "Bash(rm)", NOW_MS),
    "remove_rule": lambda tx: rules.remove_rule(tx, 1, NOW_MS),
    "new_key": lambda tx: keys.new_key(tx, "another one", NOW_MS),
    "revoke_key": lambda tx: keys.revoke_key(tx, 1, NOW_MS),
    "handed in once": lambda tx: handed_in.once(
        tx, "key:1", "second", "{}", NOW_MS, lambda: handed_in.Handle(submit.submit_tree(tx, GROUP, NOW_MS))
    ),
    "forget_names": lambda tx: upkeep.forget_names(tx, NOW_MS),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return build(tmp_path_factory.mktemp("built"))


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
def test_a_verb_is_done_whole_or_not_at_all(built: Home, tmp_path: Path, verb: Callable[[Transaction], object]) -> None:
    """After each fault every row is as before and the store is of use; the pass without one changes something."""
    with Store.open(copy_store(built, tmp_path)) as store:
        store._connection.pragma("synchronous", "OFF")
        at = AtStore(store, NOW_MS)
        before = at.everything()
        faulty = make_faulty(store)
        number = 0
        while True:
            number += 1
            faulty.failed, faulty.fail_at = False, number
            try:
                with store.write() as tx:
                    verb(tx)
            except StoreUnusable:
                if not faulty.failed:
                    raise
            faulty.fail_at = 0
            if not faulty.failed:
                break
            assert at.everything() == before
        assert number > 3, "a beginning, a statement and an end at least"
        assert at.everything() != before
        with store.read() as reader:
            check(reader)


def test_a_read_that_breaks_off_leaves_the_store_of_use(tmp_path: Path) -> None:
    """Found by a fault at the end of a read: its transaction stayed open, and every later one was refused."""
    with at_store(tmp_path) as at:
        faulty = make_faulty(at.store, apsw.IOError)
        for number in range(1, 4):
            faulty.failed, faulty.fail_at = False, number
            try:
                with at.store.read() as reader:
                    reader.rows("SELECT 1")
            except StoreUnusable:
                assert faulty.failed
            faulty.fail_at = 0
            assert at.tree(f"job {number}") == number
