"""The store's brake: what one worker meets holds up all, counts once, and ends by itself or by a person."""

import pytest
from at_store import AtStore

from store import asks, brake, control
from store.errors import BadInput
from store.models import Trouble
from store.settings import set_setting
from store.tree import get_job, store_state

LIMIT = Trouble("usage_limit", "the usage limit is reached (five_hour)", 9_000_000)
DOWN = Trouble("api", "the API can not be used (HTTP 529)")


def meet(at: AtStore, trouble: Trouble, jitter: float = 0.0) -> int | None:
    with at.store.write() as tx:
        return brake.meet(tx, trouble, at.now_ms, jitter)


def state(at: AtStore) -> tuple[int | None, str | None, int | None]:
    with at.store.read() as reader:
        found = store_state(reader)
    return found.paused_ms, found.brake_reason, found.brake_until_ms


def test_a_usage_limit_brakes_until_it_resets_and_jobs_go_on_staggered(at: AtStore) -> None:
    assert meet(at, LIMIT, 0.0) == 9_000_000
    assert meet(at, LIMIT, 1.0) == 9_030_000
    assert state(at) == (None, LIMIT.said, 9_000_000)


def test_a_usage_limit_without_a_time_is_looked_at_again_in_a_quarter_of_an_hour(at: AtStore) -> None:
    assert meet(at, Trouble("usage_limit", "limit")) == at.now_ms + 900_000


@pytest.mark.parametrize("policy", ["stay", "ask"])
def test_with_another_policy_a_usage_limit_pauses_until_a_person_goes_on(at: AtStore, policy: str) -> None:
    with at.store.write() as tx:
        set_setting(tx, "usage_limit_policy", policy)
    meet(at, LIMIT)
    assert state(at) == (at.now_ms, f"{LIMIT.said}; it resets at 1970-01-01 02:30 UTC", None)
    with at.store.write() as tx:
        assert control.resume(tx, None)
    assert state(at) == (None, None, None)


def test_the_policy_has_three_words(at: AtStore) -> None:
    with pytest.raises(BadInput, match="resume, ask, stay"), at.store.write() as tx:
        set_setting(tx, "usage_limit_policy", "panic")


def test_workers_that_meet_the_same_outage_count_it_once_and_the_next_doubles(at: AtStore) -> None:
    assert [meet(at, DOWN) for _ in range(8)] == [at.now_ms + 10_000] * 8
    at.later(10)
    assert meet(at, DOWN) == at.now_ms + 20_000
    at.later(20)
    assert meet(at, DOWN) == at.now_ms + 40_000
    with at.store.write() as tx:
        brake.all_well(tx)
    at.later(40)
    assert meet(at, DOWN) == at.now_ms + 10_000


def test_the_back_off_has_a_longest_and_jitter_adds_up_to_half() -> None:
    assert [brake.back_off_s(strikes, 0.0) for strikes in range(4)] == [10, 20, 40, 80]
    assert brake.back_off_s(10_000, 0.0) == brake.BACK_OFF_LONGEST_S
    assert brake.back_off_s(0, 1.0) == 15


def test_what_a_person_must_mend_pauses_with_the_first_reason(at: AtStore) -> None:
    assert meet(at, Trouble("stop", "not logged in; then: orch resume")) is None
    at.later(5)
    meet(at, Trouble("stop", "another"))
    assert state(at) == (at.now_ms - 5_000, "not logged in; then: orch resume", None)


def test_a_pause_by_a_person_stays_theirs_but_tells_what_has_come_up(at: AtStore) -> None:
    with at.store.write() as tx:
        control.pause(tx, None, at.now_ms)
    meet(at, Trouble("stop", "not logged in"))
    assert state(at) == (at.now_ms, "not logged in", None)


def test_five_workers_in_a_row_that_are_gone_at_once_pause_the_store(at: AtStore) -> None:
    def gone(lived_ms: int = 100) -> bool:
        with at.store.write() as tx:
            return brake.crashed(tx, lived_ms, "worker.log", at.now_ms)

    assert [gone() for _ in range(4)] == [False] * 4
    assert not gone(lived_ms=60_000), "one that has lived is no sign of a broken installation"
    with at.store.write() as tx:
        brake.all_well(tx)
    assert [gone() for _ in range(5)] == [False] * 4 + [True]
    assert (state(at)[1] or "").startswith("5 workers in a row")


@pytest.mark.parametrize(("said", "paused"), [(brake.GO_ON, False), (brake.STAY, True)])
def test_a_person_who_is_asked_lets_the_store_go_on_at_the_reset_or_leaves_it(
    at: AtStore, said: str, paused: bool
) -> None:
    with at.store.write() as tx:
        set_setting(tx, "usage_limit_policy", "ask")
    root = at.tree()
    fence = at.start(root)
    with at.store.write() as tx:
        assert brake.asks_person(tx, LIMIT)
        question, given = brake.limit_question(tx, LIMIT, at.now_ms)
        number = asks.ask(
            tx, fence, kind="question", question=question, now_ms=at.now_ms, tool=brake.LIMIT_ASK, input=given
        )
        brake.meet(tx, LIMIT, at.now_ms, 0.0)
        assert not brake.asks_person(tx, LIMIT), "one question is enough, however many workers meet it"
        asks.answer(tx, number, "answered", said, at.now_ms)
        assert asks.unused_answers(tx, root) == [], "the answer is for the store, not for the worker"
        assert get_job(tx, root).open_asks == 0
    assert state(at) == (
        (at.now_ms, f"{LIMIT.said}; it resets at 1970-01-01 02:30 UTC", None)
        if paused
        else (None, "usage limit", 9_000_000)
    )


@pytest.mark.parametrize("trouble", [LIMIT, DOWN])
def test_a_person_who_goes_on_waits_for_nothing(at: AtStore, trouble: Trouble) -> None:
    """The jobs that met the brake were to wait until its end, and that is taken back with it."""
    root = at.tree()
    fence = at.start(root)
    not_before_ms = meet(at, trouble, 1.0)
    reason = "usage_limit" if trouble is LIMIT else "api_error"
    at.release(fence, reason, not_before_ms=not_before_ms)
    assert at.job(root).not_before_ms == not_before_ms
    with at.store.write() as tx:
        assert control.resume(tx, None)
    assert at.job(root).not_before_ms is None
