"""Which handler answers which path. The only module that knows the API's paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import crud, search

if TYPE_CHECKING:
    from .storage import NoteStore

Answer = tuple[int, Any]
NOTHING_HERE: Answer = (404, {"error": "no such path or method"})
ONE_NOTE = re.compile(r"/api/notes/(\d{1,18})")


def dispatch(store: NoteStore, method: str, path: str, query: dict[str, str], data: object) -> Answer:
    """Answer one request of the API: an HTTP status and what is sent as JSON (None: nothing)."""
    if (method, path) == ("GET", "/api/notes"):
        return crud.list_notes(store)
    if (method, path) == ("POST", "/api/notes"):
        return crud.create_note(store, data)
    if (method, path) == ("GET", "/api/search"):
        return search.search_notes(store, query.get("q", ""))
    if found := ONE_NOTE.fullmatch(path):
        return one_note(store, method, int(found[1]), data)
    return NOTHING_HERE


def one_note(store: NoteStore, method: str, note_id: int, data: object) -> Answer:
    """Answer a request for one note."""
    if method == "GET":
        return crud.read_note(store, note_id)
    if method == "PUT":
        return crud.change_note(store, note_id, data)
    if method == "DELETE":
        return crud.delete_note(store, note_id)
    return NOTHING_HERE
