"""Find notes by words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .storage import NoteStore


def search_notes(store: NoteStore, words: str) -> tuple[int, Any]:
    """The notes that hold the words; an empty search is a mistake of the caller."""
    words = words.strip()
    if not words:
        return 400, {"error": "search for at least one character"}
    return 200, store.find(words)
