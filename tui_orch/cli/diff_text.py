"""A change as git writes it, made fit for a terminal: what workers wrote is cleaned, the colours are ours. Pure."""

from tui_orch.client.text import clean

_RESET = "\x1b[0m"
_BOLD, _ADDED, _REMOVED, _PLACE = "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[36m"


def diff_lines(patch: str, *, colour: bool) -> list[str]:
    """Return the lines of a patch, each clean and on one line."""
    found = []
    in_head = True
    for line in patch.split("\n") if patch else ():
        if line.startswith("diff --git "):
            in_head = True
        elif line.startswith("@@"):
            in_head = False
        found.append(_painted(_plain(line), _tone(line, in_head=in_head), colour=colour))
    return found


def stat_lines(said: str, *, colour: bool) -> list[str]:
    """Return the lines of a stat, with its marks in colours."""
    return [_stat(_plain(line), colour=colour) for line in said.split("\n")] if said else []


def _stat(line: str, *, colour: bool) -> str:
    name, bar, marks = line.rpartition(" | ")
    if not colour or not bar:
        return line
    kept = marks.rstrip("+-")
    plus, minus = marks[len(kept) :].count("+"), marks[len(kept) :].count("-")
    return f"{name}{bar}{kept}{_painted('+' * plus, _ADDED, colour=True)}{_painted('-' * minus, _REMOVED, colour=True)}"


def _tone(line: str, *, in_head: bool) -> str:
    if in_head:
        return _BOLD
    return {"+": _ADDED, "-": _REMOVED, "@": _PLACE}.get(line[:1], "")


def _painted(text: str, tone: str, *, colour: bool) -> str:
    return f"{tone}{text}{_RESET}" if colour and tone and text else text


def _plain(line: str) -> str:
    if line[:1] not in "+-":
        line = line.removesuffix("\r")  # of a line that is as it was, how it ends says nothing
    return clean(line).replace("\n", "⏎")
