"""An ask as a person has to see it before deciding: where it comes from, and what it is about, whole or said to be cut.

Pure but for `read_items`, which only reads. Every piece of text in what it returns is cleaned.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, NamedTuple

from rich.cells import cell_len, chop_cells

from store.asks import open_asks
from store.database import Reader
from store.models import Ask, Job
from store.permission_rule import offered
from store.tree import path
from tui_orch.client.cells import cut
from tui_orch.client.job_path import job_path
from tui_orch.client.measures import duration
from tui_orch.client.text import clean, one_line

#: Asks that an inbox holds; the oldest come first, so the others follow.
MOST_ITEMS = 200
#: Characters and lines of one text of an ask that are shown.
MOST_CHARS = 20_000
MOST_LINES = 400
_BAR = "│ "
_ALL = "orch asks --json shows all"


@dataclass(frozen=True, slots=True)
class InboxItem:
    """An open ask, with the jobs from the root down to the one that asks."""

    ask: Ask
    path: tuple[Job, ...]


class Piece(NamedTuple):
    """A piece of text and what it is: ``name``, ``text``, ``aside`` or ``warning``."""

    text: str
    role: str


def read_items(reader: Reader, root_id: int | None = None, most: int = MOST_ITEMS) -> list[InboxItem]:
    """Return the open asks, oldest first; of one tree where ``root_id`` is given."""
    return [InboxItem(ask, tuple(path(reader, ask.job_id))) for ask in open_asks(reader, root_id, most)]


def row(item: InboxItem, now_ms: int, width: int) -> str:
    """Return an ask on one line of ``width`` cells at most."""
    ask = item.ask
    about = one_line(ask.tool or "") if ask.kind == "permission" else "question"
    age = duration(now_ms - ask.created_ms)
    return cut(f"{age:>6}  #{ask.job_id} {about}: {one_line(ask.question)}", width)


def detail(item: InboxItem, now_ms: int, width: int) -> list[Piece]:
    """Return all that a person needs to decide, in lines of ``width`` cells at most."""
    ask = item.ask
    asked = "wants to use a tool" if ask.kind == "permission" else "asks a question"
    pieces = [Piece(f"#{ask.job_id} {asked}, {duration(now_ms - ask.created_ms)} ago (ask {ask.id})\n", "aside")]
    pieces += _block("path", job_path(item.path), width)
    if ask.tool is not None:
        pieces += _block("tool", one_line(ask.tool), width)
    if ask.title is not None:
        pieces += _block("says", one_line(ask.title), width)
    if ask.kind == "permission":
        pieces += _for_good(ask, width)
    pieces += _block("asks", ask.question, width)
    if ask.input is not None and ask.kind == "permission":
        for name, value in ask.input.items():
            pieces += _block(cut(one_line(str(name)), width // 2), value, width)
    for place, option in enumerate(ask.options, start=1):
        pieces += _block(str(place) if place <= 9 else "-", one_line(option), width)
    return pieces


def _for_good(ask: Ask, width: int) -> list[Piece]:
    """Return what an answer for good would keep."""
    rules = offered(ask)
    if not rules:
        return [Piece("rule  ", "name"), Piece("none says just this; it can be answered once\n", "aside")]
    pieces = [piece for rule in rules for piece in _block("rule", rule, width)]
    about = (
        f"s allows it for #{ask.job_id} and below, t for tree #{ask.root_id}; D denies it for #{ask.job_id} and below"
    )
    return [*pieces, *(Piece(f"{line}\n", "aside") for line in wrap(about, max(2, width)))]


def _block(name: str, value: Any, width: int) -> list[Piece]:
    """Return a value beside its name where it fits, or else below it.

    Every line below is marked, also where a long one goes on, so that no text can pass for another name.
    """
    text = value if isinstance(value, str) else _json(value)
    lines = clean(text[:MOST_CHARS]).expandtabs(4).split("\n")
    pieces = [Piece(f"{name}  ", "name")]
    if len(lines) == 1 and cell_len(f"{name}  {lines[0]}") <= width and len(text) <= MOST_CHARS:
        return [*pieces, Piece(f"{lines[0]}\n", "text")]
    pieces.append(Piece("\n", "text"))
    for line in lines[:MOST_LINES]:
        for part in chop_cells(line, max(2, width - cell_len(_BAR))) or [""]:
            pieces += [Piece(_BAR, "aside"), Piece(f"{part}\n", "text")]
    hidden_chars, hidden_lines = len(text) - MOST_CHARS, len(lines) - MOST_LINES
    if hidden_chars > 0:
        pieces.append(Piece(f"… {hidden_chars:,} characters more: {_ALL}\n", "warning"))
    elif hidden_lines > 0:
        pieces.append(Piece(f"… {hidden_lines:,} lines more: {_ALL}\n", "warning"))
    return pieces


def _json(value: Any) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    short = not isinstance(value, (Mapping, list)) or len(flat) <= 60
    return flat if short else json.dumps(value, ensure_ascii=False, indent=2)
