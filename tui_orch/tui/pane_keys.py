"""The keys that belong to one part of the screen while that has the keyboard: what they do there, for footer and help.

Pure, and does nothing itself: the parts bind them, and a test holds the two together. What can be done to jobs wherever
the keyboard is stands in ``keys``.
"""

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """A part of the screen that can have the keyboard."""

    TREE = "the tree"
    OUTPUT = "the output"  # a tab of the detail
    TEXT = "another tab"  # of the detail
    TIMELINE = "the timeline"
    FILTER = "the line for a filter"
    FIND = "the line to find with"


@dataclass(frozen=True, slots=True)
class PaneKey:
    """Some keys that belong together. ``keys`` are Textual's names, the first one is that of a click in the footer.

    ``label`` is the word in the footer, "" for what stands in the help alone.
    """

    keys: tuple[str, ...]
    shown: str
    label: str
    sentence: str

    @property
    def name(self) -> str:
        """Not the name of any action: whoever has the keyboard does it."""
        return ""

    @property
    def key(self) -> str:
        """The key that a click stands for."""
        return self.keys[0]


@dataclass(frozen=True, slots=True)
class Keyboard:
    """Where the keyboard is: a part, whether text is looked for in it, and whether there is more than one attempt."""

    part: Part = Part.TREE
    finding: bool = False
    attempts: bool = False

    @property
    def is_typing(self) -> bool:
        """Whether every letter is one of a text."""
        return self.part in (Part.FILTER, Part.FIND)


_SCROLL = PaneKey(("up", "down", "pageup", "pagedown", "home", "end"), "↑↓ PgUp…", "", "Scroll; also PgDn, Home, End.")
_BACK = PaneKey(("escape",), "Esc", "back", "Stop finding, or close the detail and go back to the tree.")
_TABS = PaneKey(("right", "left", "right_square_bracket", "left_square_bracket"), "← →", "tabs", "Go to the tab beside; ] and [ do so too.")  # fmt: skip
_NUMBERS = PaneKey(("1", "2", "3", "4", "5", "6"), "1 … 6", "", "Go to a tab by its place.")
_FIND = PaneKey(("slash",), "/", "find", "Find a text in the tab.")
_MATCHES = PaneKey(("n", "N"), "n N", "matches", "Go to the next match, the one before.")
_ATTEMPTS = PaneKey(
    ("less_than_sign", "greater_than_sign"), "< >", "attempts", "Show the attempt before, the next one."
)

TREE = (
    PaneKey(("up", "down", "k", "j"), "↑ ↓ k j", "", "Go up or down a row."),
    PaneKey(("pageup", "pagedown"), "PgUp PgDn", "", "Go up or down a screen."),
    PaneKey(("home", "end"), "Home End", "", "Go to the first row, the last row."),
    PaneKey(("left",), "←", "", "Fold; where that is done, go to the job above."),
    PaneKey(("right",), "→", "", "Unfold; where that is done, go to the first job below."),
    PaneKey(("asterisk",), "*", "", "Unfold the job and all below it, up to 1,000 rows."),
)
OUTPUT = (
    PaneKey(("f",), "f", "follow", "Go to the end and stay there as it grows, or stay here."),
    PaneKey(("space", "enter"), "Space", "fold", "Fold or unfold what the cursor is on; Enter does so too."),
    PaneKey(("e",), "e", "unfold all", "Fold or unfold everything."),
)
TIMELINE = (
    PaneKey(("plus", "equals_sign", "minus"), "+ -", "zoom", "See a shorter time, a longer time."),
    PaneKey(("0",), "0", "all", "See all of the time."),
    PaneKey(("right", "left"), "← →", "time", "Move in time."),
    PaneKey(("enter",), "Enter", "job", "Go to the job in the tree."),
    PaneKey(("up", "down", "pageup", "pagedown", "home", "end"), "↑↓ PgUp…", "", "Go up or down; also PgDn, Home, End."),
    PaneKey(("escape",), "Esc", "back", "Close the timeline and go back to the tree."),
)  # fmt: skip
FILTER = (
    PaneKey(("enter",), "Enter", "keep the filter", "Go back to the tree, with the filter in force."),
    PaneKey(("escape",), "Esc", "all jobs", "Take the filter away."),
)
FIND = (
    PaneKey(("enter",), "Enter", "find", "Go to the first match."),
    PaneKey(("escape",), "Esc", "back", "Find nothing."),
)
INBOX = (
    PaneKey(("up", "down"), "↑ ↓", "", "Go to the ask before, the next one."),
    PaneKey(("a",), "a", "", "Allow this one call; with words, tell them to the worker."),
    PaneKey(("s", "t"), "s t", "", "Keep the rule: allow it from this job down, in the tree."),
    PaneKey(("d",), "d", "", "Deny it; with words, tell them to the worker."),
    PaneKey(("D",), "D", "", "Keep the rule: deny it from this job down."),
    PaneKey(("w", "enter"), "w", "", "Write words, as an answer or for a or d; Enter sends them."),
    PaneKey(("1", "2", "3", "4", "5", "6", "7", "8", "9"), "1 … 9", "", "Answer a question with one of its options."),
    PaneKey(("g",), "g", "", "Close the inbox and go to the job that asks."),
)
DIALOG = (
    PaneKey(("tab", "shift+tab"), "Tab", "", "Go to the next field; with Shift to the one before."),
    PaneKey(("ctrl+s",), "^s", "", "In the form of limits, of a new request: save, hand in."),
    PaneKey(("escape",), "Esc", "", "Close it without doing anything."),
)
_OTHERS = {Part.TREE: TREE, Part.TIMELINE: TIMELINE, Part.FILTER: FILTER, Part.FIND: FIND}
#: What the help tells of each part, in this order.
SECTIONS = {
    "In the tree": TREE,
    "In the detail": (_NUMBERS, _TABS, _SCROLL, _FIND, _MATCHES, _BACK),
    "In the output": (*OUTPUT, _ATTEMPTS),
    "In the timeline": TIMELINE,
    "In the inbox": INBOX,
    "In a dialog": DIALOG,
}


def pane_keys(keyboard: Keyboard) -> tuple[PaneKey, ...]:
    """Return the keys of the part that has the keyboard, the most called for first."""
    matches = (_MATCHES,) if keyboard.finding else ()
    attempts = (_ATTEMPTS,) if keyboard.attempts else ()
    match keyboard.part:
        case Part.OUTPUT:
            return (_BACK, *matches, _TABS, _FIND, *OUTPUT, *attempts, _NUMBERS, _SCROLL)
        case Part.TEXT:
            return (_BACK, *matches, _TABS, _FIND, _NUMBERS, _SCROLL)
        case part:
            return _OTHERS[part]
