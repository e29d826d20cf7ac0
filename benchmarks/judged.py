"""A figure beside what it is to be: the rows of tables with a target. Pure."""

from table import Row


def at_most(what: str, value: float, target: float, unit: str = "") -> Row:
    """Return the row of a figure that is not to be above ``target``."""
    return _row(what, value, f"≤ {_number(target)}{_of(unit)}", unit, ok=value <= target)


def at_least(what: str, value: float, target: float, unit: str = "") -> Row:
    """Return the row of a figure that is not to be below ``target``."""
    return _row(what, value, f"≥ {_number(target)}{_of(unit)}", unit, ok=value >= target)


def _row(what: str, value: float, target: str, unit: str, *, ok: bool) -> Row:
    return {"what": what, "target": target, "measured": f"{_number(value)}{_of(unit)}", "": "ok" if ok else "missed"}


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _of(unit: str) -> str:
    return f" {unit}" if unit else ""
