"""What one attempt used by itself, from what Claude Code reports of its run and of the whole session. Pure.

Measured: ``total_cost_usd`` of a result is the session's, over all its resumes; ``usage`` and ``num_turns`` are of the
run alone. A run that is killed reports nothing; its messages say what they were charged for until then, without a price.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from store.models import Usage


@dataclass(frozen=True, slots=True)
class Totals:
    """The numbers of one ``ResultMessage``. ``session_cost_usd`` is None where Claude Code gave none."""

    session_cost_usd: float | None
    tokens: Mapping[str, Any]
    turns: int


def own_usage(totals: Totals | None, estimate: Mapping[str, Mapping[str, Any]], known_usd: float) -> Usage:
    """Return the attempt's own usage.

    ``known_usd``: what the session had cost when its last attempt ended. ``estimate``: the ``usage`` of the API's
    messages by message id, taken where the run ended without a result; its cost is not known then.
    """
    if totals is None:
        sums = [_tokens(usage) for usage in estimate.values()]
        inputs, outputs, reads, writes = (sum(column) for column in zip((0, 0, 0, 0), *sums, strict=True))
        return Usage(0.0, inputs, outputs, reads, writes, turns=len(sums))
    inputs, outputs, reads, writes = _tokens(totals.tokens)
    total = totals.session_cost_usd
    return Usage(_own_cost(total, known_usd), inputs, outputs, reads, writes, totals.turns, session_cost_usd=total)


def _own_cost(total_usd: float | None, known_usd: float) -> float:
    if total_usd is None:
        return 0.0
    # A total below what was known: the session's own count was lost (its process was killed), so it began anew.
    return total_usd - known_usd if total_usd >= known_usd else total_usd


def _tokens(usage: Mapping[str, Any]) -> tuple[int, int, int, int]:
    names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    first, second, third, fourth = (_count(usage.get(name)) for name in names)
    return first, second, third, fourth


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
