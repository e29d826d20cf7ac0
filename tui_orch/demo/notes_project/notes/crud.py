"""Create, read, change and delete notes. Each handler returns an HTTP status and what is sent as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .validation import BadNoteError, clean

if TYPE_CHECKING:
    from .storage import NoteStore

Answer = tuple[int, Any]
NOT_FOUND: Answer = (404, {"error": "no such note"})


def list_notes(store: NoteStore) -> Answer:
    """All notes."""
    return 200, store.all()


def read_note(store: NoteStore, note_id: int) -> Answer:
    """One note."""
    note = store.get(note_id)
    return (200, note) if note else NOT_FOUND


def create_note(store: NoteStore, data: object) -> Answer:
    """A new note."""
    try:
        title, body = clean(data)
    except BadNoteError as error:
        return 400, {"error": str(error)}
    return 201, store.add(title, body)


def change_note(store: NoteStore, note_id: int, data: object) -> Answer:
    """Another text for a note."""
    try:
        title, body = clean(data)
    except BadNoteError as error:
        return 400, {"error": str(error)}
    note = store.change(note_id, title, body)
    return (200, note) if note else NOT_FOUND


def delete_note(store: NoteStore, note_id: int) -> Answer:
    """One note less."""
    return (204, None) if store.delete(note_id) else NOT_FOUND
