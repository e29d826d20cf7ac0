"""The lists from which a person picks: what to copy, how to be told of asks, what siblings are sorted by."""

from store.models import Job
from tui_orch.tui.clipboard import Copyable, copyables
from tui_orch.tui.dialogs.choose import Choice, Choose
from tui_orch.tui.notify import WORDS, Notice
from tui_orch.tui.sorting import Sort

_SORTS = {
    Sort.ID: "children oldest first, root jobs newest first",
    Sort.STATE: "what asks and what failed first",
    Sort.COST: "the most expensive first",
    Sort.ELAPSED: "what runs longest first",
    Sort.ACTIVITY: "where something happened last first",
}


def choose_copy(job: Job) -> Choose[Copyable]:
    """Ask what of a job to copy."""
    found = copyables(job)
    return Choose(f"Copy of #{job.id}", [Choice(each.key, each.name, each, each.text) for each in found])


def choose_notice(now: Notice) -> Choose[Notice]:
    """Ask how new asks are told; ``now`` is how they are."""
    return Choose(
        "Tell of a new ask by", [Choice(each.value[0], each.value, each, WORDS[each], each is now) for each in Notice]
    )


def choose_sort(now: Sort) -> Choose[Sort]:
    """Ask what siblings are sorted by; ``now`` is what they are."""
    return Choose("Sort by", [Choice(each.value[0], each.value, each, _SORTS[each], each is now) for each in Sort])
