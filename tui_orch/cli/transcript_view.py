"""One entry of a transcript as lines of a terminal without a screen. Pure; what an entry says is told by ``client``."""

from collections.abc import Mapping
from typing import Any

from tui_orch.client.transcript import Kind, Piece, brief, pieces

#: Lines of a tool's result that are shown; ``--raw`` shows all.
_RESULT_LINES = 12
_CALL_CHARS = 400


def entry_lines(entry: Mapping[str, Any]) -> list[str]:
    """Return the lines for one entry; none for what tells a reader nothing."""
    return [line for piece in pieces(entry) for line in _lines(piece)]


def _lines(piece: Piece) -> list[str]:
    match piece.kind:
        case Kind.PROMPT:
            return ["> prompt", *(f"  {line}" for line in piece.text.split("\n"))]
        case Kind.SAID:
            return piece.text.split("\n")
        case Kind.CALLED:
            return [f"-> {piece.name} {brief(piece.given, _CALL_CHARS)}".rstrip()]
        case Kind.RETURNED:
            return _returned(piece)
        case Kind.NOTE:
            return [piece.text]
        case Kind.TROUBLE:
            return [f"! {piece.text}"]
        case Kind.ENDED:
            return [f"= {piece.text}"]


def _returned(piece: Piece) -> list[str]:
    lines = piece.text.split("\n")
    more = len(lines) - _RESULT_LINES
    shown = [*lines[:_RESULT_LINES], f"... {more} more lines"] if more > 1 else lines
    mark = "<- error: " if piece.failed else "<- "
    return [f"{mark}{shown[0]}", *(f"   {line}" for line in shown[1:])]
