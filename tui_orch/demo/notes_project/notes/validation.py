"""What a note may be. Turns the JSON of a request into a clean title and body, or says why not."""

from __future__ import annotations

MAX_TITLE = 200
MAX_BODY = 20_000


class BadNoteError(ValueError):
    """The request holds no valid note; the text is meant for the person who sent it."""


def clean(data: object) -> tuple[str, str]:
    """Title and body of a note. Raises BadNoteError."""
    if not isinstance(data, dict):
        raise BadNoteError("a JSON object with title and body is needed")
    unknown = sorted(set(data) - {"title", "body"})
    if unknown:
        raise BadNoteError(f"unknown field: {unknown[0]}")
    title, body = data.get("title"), data.get("body", "")
    if not isinstance(title, str) or not isinstance(body, str):
        raise BadNoteError("title and body are texts")
    title = title.strip()
    if not 1 <= len(title) <= MAX_TITLE:
        raise BadNoteError(f"a title has 1 to {MAX_TITLE} characters")
    if len(body) > MAX_BODY:
        raise BadNoteError(f"a body has at most {MAX_BODY} characters")
    return title, body
