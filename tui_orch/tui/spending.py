"""How fast dollars go: a few samples of what all trees have spent, and the rate that follows. Pure."""

from dataclasses import dataclass

#: The rate is that of so many last milliseconds.
WINDOW_MS = 5 * 60_000
#: Of a shorter time no rate is told: it would jump with every result.
LEAST_MS = 30_000
#: Samples that are nearer to each other than this become one.
_APART_MS = 5_000


@dataclass(frozen=True, slots=True)
class Sample:
    """What all trees had spent at a moment."""

    at_ms: int
    usd: float


def with_sample(samples: tuple[Sample, ...], new: Sample) -> tuple[Sample, ...]:
    """Return the samples with a newer one, without those that no rate needs any more: some sixty at most.

    A sample stands for all the time up to the next one, so one that tells nothing new is left out.
    """
    if samples and new.usd == samples[-1].usd:
        return samples
    if len(samples) > 1 and new.at_ms - samples[-2].at_ms < _APART_MS:
        samples = samples[:-1]
    start = new.at_ms - WINDOW_MS
    first = max((place for place, sample in enumerate(samples) if sample.at_ms <= start), default=0)
    return (*samples[first:], new)


def usd_per_minute(samples: tuple[Sample, ...], now_ms: int) -> float | None:
    """Return the dollars a minute over the last `WINDOW_MS`; None where too little time has been looked at."""
    if not samples or now_ms - samples[0].at_ms < LEAST_MS:
        return None
    start = max(now_ms - WINDOW_MS, samples[0].at_ms)
    before = max((sample for sample in samples if sample.at_ms <= start), key=lambda sample: sample.at_ms)
    return max(0.0, samples[-1].usd - before.usd) * 60_000 / (now_ms - start)
