"""What the tabs are put together from: headings, facts, states, texts that may be cut. Pure."""

from collections.abc import Sequence

from store.closeup import Excerpt
from store.states import Status
from tui_orch.client.measures import size
from tui_orch.client.text import one_line
from tui_orch.tui.row import UNICODE
from tui_orch.tui.text.line import Line, Tone, blank, joined, line, lines

_NAME_CELLS = 12


def heading(text: str, aside: str = "") -> Line:
    """Return the line above a part."""
    return joined([(text, Tone.HEAD), (f"  {aside}" if aside else "", Tone.DIM)])


def fact(name: str, value: str, tone: Tone = Tone.PLAIN) -> Line:
    """Return a name and its value, which may be anything on one line."""
    return joined([(f"{name:<{_NAME_CELLS}}", Tone.DIM), (one_line(value), tone)], _NAME_CELLS)


def hint(*texts: str) -> list[Line]:
    """Return what stands where there is nothing, and what to do next."""
    return [line(text, Tone.DIM) for text in texts]


def state(status: Status, reason: str | None) -> list[tuple[str, Tone]]:
    """Return a state with its glyph and why it is so."""
    parts = [(f"{UNICODE.states[status]} {status}", Tone(status.value))]
    if reason and reason != status:
        parts.append((f" ({one_line(reason).replace('_', ' ')})", Tone.DIM))
    return parts


def excerpt(found: Excerpt, tone: Tone = Tone.PLAIN, indent: int = 0, most: int | None = None) -> list[Line]:
    """Return a text as lines, at most ``most``, and what is left out of it."""
    shown = lines(found.text.rstrip("\n"), tone, indent)
    if most is not None and len(shown) > most:
        return [*shown[:most], line(f"… {len(shown) - most} more lines", Tone.DIM, indent)]
    if found.more:
        shown.append(line(f"… {size(found.more)} more", Tone.DIM, indent))
    return shown


def part(title: str, shown: Sequence[Line]) -> list[Line]:
    """Return a heading with lines below it; nothing where there are none."""
    return [heading(title), *shown, blank()] if shown else []
