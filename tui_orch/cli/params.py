"""The values that options and arguments take: each says in one line what is allowed, before any store is opened."""

import math
import re

import click

from store.errors import BadInput
from store.needs import Needs, read_needs

MAX_SECONDS = 604_800
MAX_LEVELS = 6
_MAX_ID = 2**63 - 1
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)([smhd]?)", re.ASCII)
_BATCH = re.compile(r"#?(\d{1,18})-(\d{1,18})", re.ASCII)


def job_id(text: str) -> int:
    """Return the id in ``12`` or ``#12``. Raises click.BadParameter."""
    return _id(text, "job's")


def ask_id(text: str) -> int:
    """Return an ask's id. Raises click.BadParameter."""
    return _id(text, "ask's")


def key_id(text: str) -> int:
    """Return a key's id. Raises click.BadParameter."""
    return _id(text, "key's")


def rule_id(text: str) -> int:
    """Return a rule's id. Raises click.BadParameter."""
    return _id(text, "rule's")


def job_or_batch(text: str) -> int | tuple[int, int]:
    """Return a job's id, or a batch (``12-1``) as its parent's id and its number. Raises click.BadParameter."""
    batch = _BATCH.fullmatch(text)
    return (int(batch[1]), int(batch[2])) if batch else job_id(text)


def seconds(text: str) -> float:
    """Return the seconds in ``90``, ``90s``, ``1.5m``, ``2h``. Raises click.BadParameter."""
    found = _DURATION.fullmatch(text.strip())
    value = float(found[1]) * _UNITS[found[2]] if found else math.nan
    if not 0 < value <= MAX_SECONDS:
        raise click.BadParameter(
            f"{text!r} is no time; allowed: seconds above 0, up to {MAX_SECONDS}, or such as 90s, 10m, 2h"
        )
    return value


def days(text: str) -> float:
    """Return the days in ``30``, ``30d``, ``0.5``; 0 means from now on. Raises click.BadParameter."""
    found = re.fullmatch(r"(\d{1,5}(?:\.\d{1,6})?)d?", text.strip(), re.ASCII)
    if found is None:
        raise click.BadParameter(f"{text!r} is no number of days; allowed: 0 to 99999")
    return float(found[1])


def timeouts(text: str) -> tuple[float, ...]:
    """Return the seconds in ``20m,5m,60``, one for each level. Raises click.BadParameter."""
    levels = tuple(seconds(part) for part in text.split(","))
    if len(levels) > MAX_LEVELS:
        raise click.BadParameter(f"{len(levels)} times are given; allowed: at most {MAX_LEVELS}, one a level")
    return levels


def line(text: str) -> str:
    """Return ``text`` if it is one line that a terminal can show. Raises click.BadParameter."""
    if not text.strip() or not text.isprintable():
        raise click.BadParameter(f"{text!r} is not one line of plain text")
    return text


def needs(text: str) -> Needs:
    """Return what a JSON object asks of a machine. Raises click.BadParameter."""
    try:
        return read_needs(text)
    except BadInput as error:
        raise click.BadParameter(str(error)) from error


def _id(text: str, whose: str) -> int:
    digits = text.removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19 and 0 < int(digits) <= _MAX_ID):
        raise click.BadParameter(f"{text!r} is no {whose} id; allowed: a number such as 12")
    return int(digits)
