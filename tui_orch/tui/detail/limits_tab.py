"""The tab of the limits: those of the tree, each with what is used of it, and this job's own deadline."""

from dataclasses import dataclass

from store.closeup import Closeup
from store.models import Rule, Tree
from store.states import FINAL
from store.use import TreeUse
from tui_orch.client.measures import duration, moment, money, seconds
from tui_orch.client.text import one_line
from tui_orch.tui.detail.parts import fact, heading, hint
from tui_orch.tui.detail.source import DetailSource
from tui_orch.tui.text.line import Line, Tone, blank, joined

_BAR_CELLS = 10
_NAME_CELLS = 14
_MOST_RULES = 50
_FULL, _EMPTY = "▰", "▱"
#: From this share on, a limit is about to stand against what runs.
_NEARLY = 0.8


@dataclass(frozen=True, slots=True)
class Room:
    """A job, its tree's limits and what is used of them."""

    job: Closeup
    tree: Tree
    use: TreeUse
    rules: tuple[Rule, ...] = ()  # in force for the job


def read(source: DetailSource, job_id: int) -> Room:
    """Return what the tab shows. Raises StoreError."""
    job = source.closeup(job_id)
    return Room(job, *source.limits(job.root_id), tuple(source.rules(job_id)))


def lines(found: Room, now_ms: int) -> list[Line]:
    """Return the tab."""
    tree, use = found.tree, found.use
    shown = [
        heading(f"limits of tree #{tree.root_id}", "l changes them"),
        _used("max_depth", use.deepest, tree.max_depth, f"deepest job {use.deepest} of {tree.max_depth}"),
        _used("max_jobs", tree.jobs, tree.max_jobs, f"{tree.jobs} of {tree.max_jobs} jobs"),
        _used("max_children", use.most_children, tree.max_children, f"most of one job {use.most_children} of {tree.max_children}"),
        _used("max_workers", use.running, tree.max_workers, f"{use.running} of {tree.max_workers} at work"),
        _budget(tree, use),
        _plain("max_attempts", f"{tree.max_attempts} failed tries of a job"),
        _plain("timeouts", ", ".join(seconds(found_s) for found_s in tree.timeouts_s) + "  (of depth 0, 1, ...)"),
        blank(),
        heading(f"time of #{found.job.id}"),
        *_deadline(found, now_ms),
        blank(),
        *_permissions(found),
    ]  # fmt: skip
    if tree.paused_ms is not None:
        shown += [blank(), fact("paused", f"since {moment(tree.paused_ms)}; p goes on", Tone.WARN)]
    return shown


def _budget(tree: Tree, use: TreeUse) -> Line:
    if tree.budget_usd is None:
        return _plain("budget", f"none; {money(use.spent_usd)} spent")
    return _used("budget", use.spent_usd, tree.budget_usd, f"{money(use.spent_usd)} of {money(tree.budget_usd)}")


def _deadline(found: Room, now_ms: int) -> list[Line]:
    job, timeouts_s = found.job, found.tree.timeouts_s
    allowed_s = job.timeout_s or timeouts_s[min(job.depth, len(timeouts_s) - 1)]
    shown = [_plain("timeout", f"{seconds(allowed_s)} with all below it")]
    if job.started_ms is None:
        return [*shown, *hint("It has not started, so its time does not run yet.")]
    if job.ended_ms is not None or job.status in FINAL:
        return [*shown, _plain("took", duration((job.ended_ms or now_ms) - job.started_ms))]
    if job.deadline_ms is not None:
        left_ms = job.deadline_ms - now_ms
        whole_ms = job.deadline_ms - job.started_ms
        left = f"in {duration(left_ms)}" if left_ms >= 0 else f"passed {duration(-left_ms)} ago"
        shown.append(_used("deadline", now_ms - job.started_ms, whole_ms, f"{moment(job.deadline_ms)}, {left}"))
        if whole_ms < round(allowed_s * 1_000):
            shown += hint("A job above it must have ended by then.")
    return shown


def _permissions(found: Room) -> list[Line]:
    """Return what is allowed and denied unasked; at most so many rules as a person looks through."""
    tree, rules = found.tree, found.rules
    tools = ", ".join(one_line(rule) for rule in tree.allowed_tools[:_MOST_RULES]) or "none"
    shown = [
        heading(f"permissions of #{found.job.id}", f"orch rules {tree.root_id} changes them"),
        fact("mode", tree.permission_mode),
        fact("allowed", tools),
    ]
    for rule in rules[:_MOST_RULES]:
        tone = Tone.BAD if rule.verdict == "deny" else Tone.PLAIN
        shown.append(fact(f"{rule.verdict} ({rule.id})", f"{rule.rule} for #{rule.job_id} and below", tone))
    if len(rules) > _MOST_RULES:
        shown += hint(f"… {len(rules) - _MOST_RULES} more rules")
    return shown + (hint("orch rules --remove N takes one back.") if rules else [])


def _used(name: str, used: float, limit: float, text: str) -> Line:
    share = min(max(used / limit, 0.0), 1.0) if limit > 0 else 1.0
    full = int(share * _BAR_CELLS)
    tone = Tone.BAD if share >= 1 and limit > 0 else Tone.WARN if share >= _NEARLY and limit > 0 else Tone.COMPLETED
    bar = [(_FULL * full, tone), (_EMPTY * (_BAR_CELLS - full), Tone.DIM)]
    return joined([(f"{name:<{_NAME_CELLS}}", Tone.DIM), *bar, (f"  {text}", Tone.PLAIN)], _NAME_CELLS)


def _plain(name: str, text: str) -> Line:
    return joined(
        [(f"{name:<{_NAME_CELLS}}", Tone.DIM), (" " * (_BAR_CELLS + 2), Tone.DIM), (text, Tone.PLAIN)], _NAME_CELLS
    )
