"""How durations, money, moments and sizes are written for people. Pure."""

import time

_SECOND_MS = 1_000


def duration(ms: int) -> str:
    """Return milliseconds in at most six characters: ``4s``, ``1m05s``, ``2h03m``, ``3d04h``; what is negative as ``0s``."""
    seconds = max(0, ms) // _SECOND_MS
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    if seconds < 86_400:
        return f"{seconds // 3600}h{seconds % 3600 // 60:02d}m"
    days = seconds // 86_400
    return f"{days}d{seconds % 86_400 // 3600:02d}h" if days < 100 else f"{days}d"


def money(usd: float) -> str:
    """Return dollars with as many digits as tell something: ``$12.30``, ``$0.042``."""
    return f"${usd:.2f}" if usd >= 0.1 or usd == 0 else f"${usd:.3f}" if usd >= 0.001 else f"${usd:.5f}"


def moment(ms: int) -> str:
    """Return a time of day and date of this machine's time zone, from milliseconds since 1970 in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ms / _SECOND_MS))


def clock(ms: int) -> str:
    """Return the time of day of this machine's time zone."""
    return time.strftime("%H:%M:%S", time.localtime(ms / _SECOND_MS))


def size(count: float) -> str:
    """Return bytes as ``512 B``, ``1.4 MB``, ``20 GB``."""
    for unit in ("B", "kB", "MB"):
        if count < 1_000:
            return f"{count:.3g} {unit}" if unit != "B" else f"{count:.0f} B"
        count /= 1_000
    return f"{count:.3g} GB" if count < 1_000 else f"{count:.0f} GB"


def seconds(value: float) -> str:
    """Return seconds of a limit as a person would set them: ``600s``, ``0.5s``."""
    return f"{value:g}s"


def now_ms() -> int:
    """Return the present moment in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000
