"""The lists from which a person picks: what to copy, how to be told of asks, what siblings are sorted by."""

from collections.abc import Iterable

from store.models import Job
from tui_orch.tui.clipboard import Copyable, copyables
from tui_orch.tui.dialogs.choose import Choice, Choose
from tui_orch.tui.notify import WORDS, Notice
from tui_orch.tui.sorting import Sort
from tui_orch.tui.tree_model import MOST_SORTED

_SORTS = {
    Sort.ID: "children oldest first, roots newest first",
    Sort.STATE: "what asks and what failed first",
    Sort.COST: "the most expensive first",
    Sort.ELAPSED: "what runs longest first",
    Sort.ACTIVITY: "where something happened last first",
}


#: The environment variable is Textual's.
KEEP_THEME = "TEXTUAL_THEME in the environment holds for every start"
#: So that nobody takes them for sorted.
UNSORTED = f"more than {MOST_SORTED:,} siblings stay in the order of their ids"


def choose_copy(job: Job) -> Choose[Copyable]:
    """Ask what of a job to copy."""
    found = copyables(job)
    return Choose(f"Copy of #{job.id}", [Choice(each.key, each.name, each, each.text) for each in found])


def choose_notice(now: Notice) -> Choose[Notice]:
    """Ask how new asks are told; ``now`` is how they are."""
    return Choose(
        "Tell of a new ask by", [Choice(each.value[0], each.value, each, WORDS[each], each is now) for each in Notice]
    )


def choose_theme(names: Iterable[str], now: str) -> Choose[str]:
    """Ask for the colours of the screen; ``now`` is the name of those that it has."""
    return Choose("Theme", [Choice("", each, each, chosen=each == now) for each in sorted(names)], KEEP_THEME)


def choose_sort(now: Sort) -> Choose[Sort]:
    """Ask what siblings are sorted by; ``now`` is what they are."""
    return Choose(
        "Sort by", [Choice(each.value[0], each.value, each, _SORTS[each], each is now) for each in Sort], UNSORTED
    )
