"""How a job or a batch stands, in a few numbers: read from the store, changes nothing."""

from dataclasses import dataclass
from typing import Any

from store.asks import open_asks
from store.database import Reader
from store.errors import IllegalChange, NotFound
from store.models import LedgerEntry
from store.rollup import roll_up
from store.states import FINAL, Status
from store.tree import get_job, is_within, ledger
from store.use import subtree_counts
from tui_orch.client.caller import Caller
from tui_orch.mcp_server.given import Target
from tui_orch.worker.claude.wording import one_line

_REASON_CHARS = 80


@dataclass(frozen=True, slots=True)
class Standing:
    """``counts`` has every job from the target down; ``asks`` are open ones among them."""

    target: Target
    status: Status
    reason: str | None
    counts: dict[Status, int]
    asks: int
    cost_usd: float

    @property
    def ended(self) -> bool:
        """Tell whether it has ended, one way or another."""
        return self.status in FINAL

    @property
    def done(self) -> int:
        """Return how many of the jobs have ended."""
        return sum(self.counts[status] for status in FINAL)

    @property
    def total(self) -> int:
        """Return how many jobs there are."""
        return sum(self.counts.values())

    def facts(self) -> dict[str, Any]:
        """Return it as JSON for programs."""
        return {
            "job_id": self.target.name,
            "status": self.status.value,
            "reason": self.reason,
            "ended": self.ended,
            "jobs": {"total": self.total} | {status.value: self.counts[status] for status in Status},
            "open_asks": self.asks,
            "cost_usd": round(self.cost_usd, 6),
        }

    def line(self) -> str:
        """Return it as one line for people and models."""
        named = f"batch {self.target.name}" if self.target.batch is not None else f"job #{self.target.name}"
        why = f" ({self.reason})" if self.reason and self.reason != self.status else ""
        states = ", ".join(f"{count} {status}" for status, count in self.counts.items() if count)
        jobs = f"{self.total} job{'' if self.total == 1 else 's'}: {states}"
        asks = f"; {self.asks} open ask{'' if self.asks == 1 else 's'}" if self.asks else ""
        return f"{named} is {self.status}{why}; {jobs}{asks}; ${self.cost_usd:.2f}"


def standing(reader: Reader, caller: Caller, target: Target) -> Standing:
    """Return how the target stands. Raises NotFound, and NotAllowed for what is not the caller's."""
    caller.require_within(reader, target.job_id)
    job = get_job(reader, target.job_id)
    if target.batch is None:
        counts, asks = subtree_counts(reader, job.id), _asks_below(reader, job.root_id, (job.id,))
        return Standing(target, job.status, _reason(job.reason), counts, asks, job.subtree_cost_usd)
    entries = entries_of(reader, target)
    counts = dict.fromkeys(Status, 0)
    for entry in entries:
        for status, count in subtree_counts(reader, entry.id).items():
            counts[status] += count
    status, reason = _together([entry.status for entry in entries])
    asks = _asks_below(reader, job.root_id, [entry.id for entry in entries])
    return Standing(target, status, reason, counts, asks, sum(entry.cost_usd for entry in entries))


def entries_of(reader: Reader, target: Target) -> list[LedgerEntry]:
    """Return the children of a job, or those of one batch. Raises NotFound for a batch that is not there."""
    found = ledger(reader, target.job_id, target.batch)
    if target.batch is not None and not found:
        raise NotFound(f"there is no batch {target.name}; see how job #{target.job_id} stands with: job_tree")
    return found


def require_ended(found: Standing) -> None:
    """Refuse what has no result yet. Raises IllegalChange."""
    if not found.ended:
        raise IllegalChange(f"{found.line()}; there is no result yet: use wait_for_job, or subtask_status")


def _together(states: list[Status]) -> tuple[Status, str | None]:
    """Return the state of a batch, which is no row of its own."""
    if all(status in FINAL for status in states):
        if set(states) == {Status.CANCELLED}:
            return Status.CANCELLED, None
        status, reason = roll_up(None, states)
        return status, reason
    return (Status.QUEUED if set(states) == {Status.QUEUED} else Status.RUNNING), None


def _asks_below(reader: Reader, root_id: int, tops: "tuple[int, ...] | list[int]") -> int:
    found = open_asks(reader, root_id)
    if tops == (root_id,):
        return len(found)
    return sum(any(is_within(reader, ask.job_id, top) for top in tops) for ask in found)


def _reason(reason: str | None) -> str | None:
    return None if reason is None else one_line(reason, _REASON_CHARS)
