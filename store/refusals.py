"""Turns what SQLite says into the store's errors. Owns no texts: those stand in the schema beside their rules."""

import re

import apsw

from store.errors import (
    BadInput,
    IllegalChange,
    LimitExceeded,
    NotFound,
    Refused,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreUnusable,
)

# The schema speaks through the path of json_extract(); older and newer SQLite wrap it differently.
_SPOKEN = re.compile(r"(?:JSON path error near|bad JSON path:) '(?P<text>.*)'$", re.DOTALL)
_CODE = re.compile(r"(?P<code>[a-z_]+): (?P<text>.*)", re.DOTALL)

LIMITS = frozenset({"max_depth", "max_jobs", "max_children", "max_workers", "repeats"})


def translate(error: apsw.Error, where: str) -> StoreError:
    """Return the store's error for ``error``. ``where`` names the database for a person."""
    message = str(error)
    spoken = _SPOKEN.search(message)
    if spoken:
        return refusal(spoken["text"].replace("''", "'"))
    if isinstance(error, apsw.ConstraintError):
        return refusal(message.removeprefix("ConstraintError: "))
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return StoreBusy(f"{where} is locked by another program; nothing was written, try again")
    if isinstance(error, (apsw.CorruptError, apsw.NotADBError)):
        return StoreDamaged(f"{where} is damaged ({message}); restore a copy, it is left as it is")
    if isinstance(error, apsw.FullError):
        return StoreFull(f"{where} cannot grow: the disk is full; nothing was written")
    return StoreUnusable(f"{where}: {message}")


def refusal(text: str) -> StoreError:
    """Return the error for a refusal of the schema, written ``code: text``."""
    match = _CODE.fullmatch(text)
    code = match["code"] if match else ""
    said = match["text"] if match else text
    if code in LIMITS:
        return LimitExceeded(f"{code}: {said}", code)
    if code == "bad_input":
        return BadInput(said)
    if code == "not_found":
        return NotFound(said)
    if code == "illegal":
        return IllegalChange(said)
    return Refused(text)
