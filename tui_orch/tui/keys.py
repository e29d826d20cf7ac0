"""What a person can do: each action with its key, its words and the command that does the same; and whether it can be
done now. Pure, and the one table from which footer, help, palette and bindings are made. Does nothing itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from store.models import Job, Tree
from store.states import FINAL, RETRYABLE, Kind, Reason, Status
from store.tree import StoreState
from tui_orch.tui.pane_keys import Keyboard, PaneKey, Part, pane_keys


class On(StrEnum):
    """What an action is done to."""

    JOB = "this job"
    TREE = "its tree"
    STORE = "everything"
    SCREEN = "the screen"


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do. The app's method for it is ``action_<name>``.

    ``key`` is Textual's name of the key, "" where only the palette has the action; ``shown`` how a person writes it.
    ``twin`` is the command that does the same, "" where there is nothing to do without a screen. ``rank``: the lower,
    the earlier in the footer; 0 is never there.
    """

    name: str
    key: str
    shown: str
    label: str
    sentence: str
    twin: str
    on: On
    rank: int


@dataclass(frozen=True, slots=True)
class Around:
    """What else decides on what is possible: the store's totals, and how the screen stands."""

    store: StoreState
    supervisor: bool = True  # one looks after the store
    read_only: bool = False  # the app was started to watch only
    no_pager: str | None = None  # why no output can be paged
    unfolded: bool = False  # the children of the job under the cursor are shown
    following: bool = False
    filtered: bool = False
    side: str | None = None  # what is shown beside the tree: detail, timeline
    keyboard: Keyboard = field(default_factory=Keyboard)


@dataclass(frozen=True, slots=True)
class Hint:
    """An action that is possible now, or a key of what has the keyboard, with the word for what it would do now."""

    action: Action | PaneKey
    label: str


ACTIONS = (
    Action("detail", "enter", "Enter", "detail", "Show its output, request, result, attempts, limits, changes.", "orch show ID", On.JOB, 5),
    Action("fold", "space", "Space", "fold", "Fold or unfold what is below the job.", "orch tree ID", On.JOB, 6),
    Action("cancel", "c", "c", "cancel", "Cancel the job and all below it; asks first.", "orch cancel ID", On.JOB, 2),
    Action("retry", "r", "r", "retry", "Try the job again; what succeeded is not run again.", "orch retry ID", On.JOB, 1),
    Action("retry_fresh", "", "", "retry afresh", "Try the job again with a new Claude Code session.", "orch retry ID --fresh", On.JOB, 0),
    Action("retry_leaves", "R", "R", "retry leaves", "Try again each failed job at the ends of the branches.", "orch retry ID", On.JOB, 3),
    Action("output", "o", "o", "output", "Open the job's output in $PAGER.", "orch logs ID", On.JOB, 8),
    Action("copy", "y", "y", "copy", "Copy the job's id, result or session.", "orch result ID", On.JOB, 13),
    Action("limits", "l", "l", "limits", "Show and change the limits of the tree; heeded at once.", "orch limits ID", On.TREE, 4),
    Action("pause", "p", "p", "pause", "Start nothing new in the tree, or go on; what runs stays.", "orch pause ID", On.TREE, 7),
    Action("inbox", "a", "a", "asks", "Answer what workers ask: allow, deny, or words.", "orch asks", On.STORE, 9),
    Action("new", "n", "n", "new", "Write a new request, with its limits and what it may cost.", "orch submit FILE", On.STORE, 10),
    Action("pause_all", "P", "P", "pause all", "Start nothing new at all, or go on; takes back a brake too.", "orch pause", On.STORE, 0),
    Action("supervisor", "S", "S", "start supervisor", "Start a supervisor: without one nothing runs.", "orch up", On.STORE, 0),
    Action("filter", "slash", "/", "filter", "Show some jobs only: text, state:failed, cost>1, depth:2.", "orch list --status STATE", On.SCREEN, 11),
    Action("clear_filter", "escape", "Esc", "all jobs", "Take the filter away.", "", On.SCREEN, 12),
    Action("follow", "f", "f", "follow", "Keep the cursor on the newest activity, or stop it.", "orch logs ID --follow", On.SCREEN, 14),
    Action("jump", "J", "J", "jump", "Go to the next job that failed, asks or runs.", "orch tree", On.SCREEN, 15),
    Action("timeline", "t", "t", "timeline", "Show what ran and waited when, and what holds the root up.", "orch show ID", On.SCREEN, 16),
    Action("sort", "s", "s", "sort", "Sort siblings by id, state, cost, time or activity.", "", On.SCREEN, 17),
    Action("notices", "", "", "notices", "Choose what tells of a new ask: a bell, a notification.", "", On.SCREEN, 0),
    Action("theme", "", "", "theme", "Choose the colours of the screen.", "", On.SCREEN, 0),
    Action("help", "question_mark", "?", "help", "Show and search all keys.", "orch --help", On.SCREEN, 98),
    Action("palette", "ctrl+p", "^p", "commands", "Search all commands by name.", "", On.SCREEN, 18),
    Action("quit", "q", "q", "quit", "Close the screen; what runs goes on.", "", On.SCREEN, 99),
)  # fmt: skip

BY_NAME = {action.name: action for action in ACTIONS}

_CHANGING = frozenset(
    ("cancel", "retry", "retry_fresh", "retry_leaves", "limits", "pause", "inbox", "new", "pause_all", "supervisor")
)
#: What the tree's keys do in the tree alone.
_IN_TREE = frozenset(("detail", "fold"))
_NO_JOBS = "there are no jobs yet; n writes a request"


def possible(action: Action, job: Job | None, tree: Tree | None, around: Around) -> str | None:
    """Return why an action can not be done now, on one line; None if it can.

    ``job`` is the one under the cursor, ``tree`` its tree. The store has the last say: it may have changed since.
    """
    if around.read_only and action.name in _CHANGING:
        return "this screen only watches; start it without --read-only to change anything"
    if action.name == "output" and around.no_pager is not None:
        return around.no_pager
    if action.on in (On.JOB, On.TREE):
        if job is None:
            return "no job is selected" if _has_jobs(around) else _NO_JOBS
        return _on_tree(action, job, tree) if action.on is On.TREE else _on_job(action, job)
    return _on_store(action, around)


def label(action: Action, job: Job | None, tree: Tree | None, around: Around) -> str:
    """Return the word for what an action would do now."""
    match action.name:
        case "pause" if tree is not None and tree.paused_ms is not None:
            return "go on"
        case "pause_all" if around.store.paused_ms is not None or around.store.brake_reason is not None:
            return "go on"
        case "fold" if job is not None and job.children and not around.unfolded:
            return "unfold"
        case "detail" | "timeline" if around.side == action.name:
            return f"close {action.label}"
        case "follow" if around.following:
            return "stop following"
        case "inbox" if around.store.open_asks:
            return f"{around.store.open_asks} ask{'s' if around.store.open_asks > 1 else ''}"
    return action.label


def hints(job: Job | None, tree: Tree | None, around: Around) -> tuple[Hint, ...]:
    """Return what is possible now, what is most called for first; help and quit are the last two.

    Where text is typed, every key but those of the line belongs to the text.
    """
    keys = pane_keys(around.keyboard)
    own = tuple(Hint(key, key.label) for key in keys if key.label)
    if around.keyboard.is_typing:
        return own
    taken = {name for key in keys for name in key.keys}
    called_for = _called_for(job, around)
    found = [
        action
        for action in ACTIONS
        if (action.rank or action.name in called_for)
        and action.key not in taken
        and (action.name not in _IN_TREE or around.keyboard.part is Part.TREE)
        and possible(action, job, tree, around) is None
    ]
    found.sort(key=lambda action: (action.name not in called_for, action.rank))
    urgent = sum(action.name in called_for for action in found)
    others = [Hint(action, label(action, job, tree, around)) for action in found]
    return (*others[:urgent], *own, *others[urgent:])


def _called_for(job: Job | None, around: Around) -> frozenset[str]:
    names = set()
    if not around.supervisor:
        names.add("supervisor")
    if around.store.open_asks:
        names.add("inbox")
    if around.store.paused_ms is not None or around.store.brake_reason is not None:
        names.add("pause_all")
    if around.filtered:
        names.add("clear_filter")
    if job is None and not _has_jobs(around):
        names.add("new")
    return frozenset(names)


def _on_job(action: Action, job: Job) -> str | None:
    why_not = _WHY_NOT.get(action.name)
    return None if why_not is None else why_not(job)


def _not_cancelled(job: Job) -> str | None:
    if job.status in FINAL:
        return f"#{job.id} has ended ({job.status}); there is nothing to cancel"
    return None if job.stop_reason in (None, Reason.SHUTDOWN) else f"#{job.id} is being stopped already"


def _not_retried(job: Job) -> str | None:
    if job.status in RETRYABLE:
        return None
    return f"#{job.id} is {job.status}; only what failed, was cancelled or is partial is tried again"


def _not_retried_afresh(job: Job) -> str | None:
    if job.kind is not Kind.CLAUDE:
        return f"#{job.id} is a {job.kind}, which has no session; r tries it again"
    return _not_retried(job)


def _no_leaves(job: Job) -> str | None:
    if not job.children:
        return f"nothing is below #{job.id}; r tries it again itself"
    return f"#{job.id} completed, so nothing below it failed" if job.status is Status.COMPLETED else None


def _not_folded(job: Job) -> str | None:
    return None if job.children else f"#{job.id} has no children"


def _no_output(job: Job) -> str | None:
    if job.kind is Kind.GROUP:
        return f"#{job.id} is a group; it has no process and no output"
    return None if job.attempt else f"#{job.id} has not started yet, so it has no output"


_WHY_NOT: dict[str, Callable[[Job], str | None]] = {
    "cancel": _not_cancelled,
    "retry": _not_retried,
    "retry_fresh": _not_retried_afresh,
    "retry_leaves": _no_leaves,
    "fold": _not_folded,
    "output": _no_output,
}


def _on_tree(action: Action, job: Job, tree: Tree | None) -> str | None:
    if tree is None:
        return f"#{job.id} belongs to no tree; the store was changed behind its rules, see: orch doctor"
    if action.name == "pause" and job.parent_id is None and job.status in FINAL and tree.paused_ms is None:
        return f"tree #{tree.root_id} has ended ({job.status}); nothing of it will start"
    return None


def _on_store(action: Action, around: Around) -> str | None:
    match action.name:
        case "inbox" if not around.store.open_asks:
            return "nothing waits for an answer"
        case "supervisor" if around.supervisor:
            return "a supervisor runs already"
        case "clear_filter" if not around.filtered:
            return "no filter is on"
        case "jump":
            counts = around.store.counts
            if not (
                around.store.open_asks
                or any(counts[found] for found in (Status.FAILED, Status.PARTIAL, Status.RUNNING))
            ):
                return "no job has failed, asks or runs"
        case "filter" | "follow" | "timeline" | "sort" if not _has_jobs(around):
            return _NO_JOBS
    return None


def _has_jobs(around: Around) -> bool:
    return any(around.store.counts.values())
