"""The rate of dollars follows from a few samples."""

from hypothesis import given
from hypothesis import strategies as st

from tui_orch.tui.spending import LEAST_MS, WINDOW_MS, Sample, usd_per_minute, with_sample


def samples_of(*pairs: tuple[int, float]) -> tuple[Sample, ...]:
    found: tuple[Sample, ...] = ()
    for at_ms, usd in pairs:
        found = with_sample(found, Sample(at_ms, usd))
    return found


def test_nothing_is_told_of_too_short_a_time() -> None:
    assert usd_per_minute((), 1_000) is None
    assert usd_per_minute(samples_of((0, 1.0)), LEAST_MS - 1) is None


def test_what_was_spent_before_counts_for_nothing() -> None:
    """The store held 100 dollars when the screen was opened."""
    assert usd_per_minute(samples_of((0, 100.0)), 60_000) == 0
    assert usd_per_minute(samples_of((0, 100.0), (30_000, 101.0)), 60_000) == 1.0


def test_the_rate_falls_to_nothing_when_nothing_is_spent_any_more() -> None:
    """The window moves on without new samples."""
    samples = samples_of((0, 0.0), (60_000, 5.0))
    assert usd_per_minute(samples, WINDOW_MS) == 1.0
    assert usd_per_minute(samples, 60_000 + WINDOW_MS + 1) == 0


def test_a_total_that_falls_is_no_negative_rate() -> None:
    """Somebody put another store in its place."""
    assert usd_per_minute(samples_of((0, 5.0), (10_000, 1.0)), 60_000) == 0


@given(st.lists(st.tuples(st.integers(1, 60_000), st.integers(0, 100)), min_size=1, max_size=300))
def test_few_samples_are_kept_and_the_rate_is_nearly_that_of_all(steps: list[tuple[int, int]]) -> None:
    """Samples that are near to each other become one, so what is lost is at most what fell within five seconds."""
    kept: tuple[Sample, ...] = ()
    everything: list[Sample] = []
    now_ms, usd = 0, 0.0
    for wait_ms, spent in steps:
        now_ms, usd = now_ms + wait_ms, usd + spent
        everything.append(Sample(now_ms, usd))
        kept = with_sample(kept, everything[-1])
    assert len(kept) <= WINDOW_MS // 5_000 * 2 + 3
    rate = usd_per_minute(kept, now_ms)
    if rate is not None:
        start = max(now_ms - WINDOW_MS, everything[0].at_ms)
        late = [sample.usd for sample in everything if sample.at_ms <= start + 5_000]
        early = [sample.usd for sample in everything if sample.at_ms <= max(start - 5_000, everything[0].at_ms)]
        minutes = (now_ms - start) / 60_000
        assert (usd - late[-1]) / minutes - 1e-6 <= rate <= (usd - early[-1]) / minutes + 1e-6
