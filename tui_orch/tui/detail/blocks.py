"""What a log shows: its lines as blocks, of which some can be unfolded. Pure; the text comes as any worker wrote it.

A command's output is shown as it is. Of a transcript, what was said stands there whole; a tool's call and what it gave
back take one line each, the rest is folded. Everything is bounded: who wants all of it opens the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tui_orch.client.text import one_line
from tui_orch.client.transcript import Kind, Piece, as_json, brief, parse
from tui_orch.tui.detail.log_tail import RawLine
from tui_orch.tui.text.line import Line, Tone, blank, joined, line, lines

#: Of one block: lines and characters that are kept.
MOST_LINES = 400
MOST_CHARS = 32_768
#: Lines of a prompt that are shown folded.
_PROMPT_LINES = 6
#: Characters of a line of a transcript that is none.
_RAW_CHARS = 2_000
_HEAD_CHARS = 300


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together. ``hidden`` follow the ``shown`` ones when it is unfolded; ``marked`` tells of them."""

    shown: tuple[Line, ...]
    hidden: tuple[Line, ...] = ()
    marked: int = 0

    @property
    def chars(self) -> int:
        """How much it holds (characters)."""
        return sum(len(found.text) + 1 for found in (*self.shown, *self.hidden))


def output_block(raw: RawLine) -> Block:
    """Return a line of a command's output."""
    return Block(tuple(lines(raw.text)))


def transcript_blocks(raw: RawLine) -> list[Block]:
    """Return what one line of a transcript says; the line as it is where it is no entry of one."""
    said = parse(raw.text) if raw.whole else None
    if said is None:
        return [] if not raw.text.strip() else [Block((line(one_line(_cut(raw.text, _RAW_CHARS)), Tone.DIM),))]
    return [_BLOCKS[piece.kind](piece) for piece in said]


def cut_off_block(raw: str) -> Block:
    """Return the last line of a transcript whose writer did not come to its end."""
    return Block((joined([("! cut off here: ", Tone.WARN), (one_line(_cut(raw, _RAW_CHARS)), Tone.DIM)]),))


def _prompt(piece: Piece) -> Block:
    body = _body(piece.text, Tone.PROMPT, 2)
    head = line("> prompt", Tone.HEAD)
    if len(body) <= _PROMPT_LINES + 2:
        return Block((blank(), head, *body))
    return Block((blank(), head, *body[:_PROMPT_LINES]), tuple(body[_PROMPT_LINES:]), 1)


def _said(piece: Piece) -> Block:
    return Block((blank(), *_body(piece.text, Tone.PLAIN, 0)))


def _called(piece: Piece) -> Block:
    name, what = one_line(piece.name), one_line(brief(piece.given, _HEAD_CHARS))
    hidden = tuple(_given(piece.given))
    parts = [(f"→ {name}", Tone.CALL), (f" {what}", Tone.DIM)]
    return Block((_head(parts, folds=bool(hidden)),), hidden)


def _returned(piece: Piece) -> Block:
    tone = Tone.BAD if piece.failed else Tone.DIM
    body = _body(piece.text, tone, 4)
    first = one_line(_cut(piece.text, _HEAD_CHARS).split("\n", 1)[0])
    count = piece.text.count("\n")
    parts = [("← ", tone), ("error: " if piece.failed else "", Tone.BAD), (first, tone)]
    if count:
        parts.append((f"  … {count} more line{'s' if count > 1 else ''}", Tone.DIM))
    whole = not count and len(piece.text) <= _HEAD_CHARS
    return Block((_head(parts, folds=not whole),), () if whole else tuple(body))


def _head(parts: list[tuple[str, Tone]], *, folds: bool) -> Line:
    """Return the line of a call or of what came back: beside others that have a mark before them."""
    return joined(parts if folds else [("  ", Tone.PLAIN), *parts], 4)


def _note(piece: Piece) -> Block:
    return Block((line(one_line(piece.text), Tone.DIM),))


def _trouble(piece: Piece) -> Block:
    return Block(tuple(_body(f"! {piece.text}", Tone.WARN, 0)))


def _ended(piece: Piece) -> Block:
    return Block((blank(), line(f"■ {one_line(piece.text)}", Tone.BAD if piece.failed else Tone.HEAD)))


_BLOCKS = {
    Kind.PROMPT: _prompt,
    Kind.SAID: _said,
    Kind.CALLED: _called,
    Kind.RETURNED: _returned,
    Kind.NOTE: _note,
    Kind.TROUBLE: _trouble,
    Kind.ENDED: _ended,
}


def _given(given: Any) -> list[Line]:
    """Return what a tool is called with: a name and a value each, texts with their own lines."""
    if not isinstance(given, Mapping):
        return [] if given is None else _body(as_json(given), Tone.DIM, 4)
    found: list[Line] = []
    for name, value in given.items():
        body = _body(value if isinstance(value, str) else as_json(value), Tone.PLAIN, 6)
        label = f"    {one_line(str(name))}:"
        if len(body) > 1:
            found += [line(label, Tone.CALL), *body]
        else:
            found.append(joined([(label, Tone.CALL), (body[0].text[5:], Tone.PLAIN)], 6))
        if len(found) > MOST_LINES:
            return [*found[:MOST_LINES], _left_out(4)]
    return found


def _body(text: str, tone: Tone, indent: int) -> list[Line]:
    """Return a text as lines, its beginning where it is very long."""
    found = lines(_cut(text, MOST_CHARS), tone, indent)
    if len(found) > MOST_LINES or len(text) > MOST_CHARS:
        return [*found[:MOST_LINES], _left_out(indent)]
    return found


def _left_out(indent: int) -> Line:
    return line("… the rest is not shown; the file has it", Tone.DIM, indent)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
