"""How spans of time, money and amounts are written in a narrow column. Pure."""

_DAY_S = 86_400


def duration(ms: int) -> str:
    """Return milliseconds in at most six characters: ``4s``, ``1m05s``, ``2h03m``, ``3d04h``; less than nothing as ``0s``."""
    seconds = max(0, ms) // 1_000
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3_600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    if seconds < _DAY_S:
        return f"{seconds // 3_600}h{seconds % 3_600 // 60:02d}m"
    days = seconds // _DAY_S
    return f"{days}d{seconds % _DAY_S // 3_600:02d}h" if days < 100 else f"{days}d"


def dollars(usd: float) -> str:
    """Return dollars in at most seven characters, with the digits that tell something: ``$0.042``, ``$12.30``, ``$1,234``."""
    if usd == 0 or 0.1 <= usd < 999.995:
        return f"${usd:.2f}"
    if usd < 0.1:
        return f"${usd:.3f}" if usd >= 0.0095 else f"${usd:.4f}"
    return f"${usd:,.0f}" if usd < 99_999.5 else f"${amount(int(usd))}"


def amount(count: int) -> str:
    """Return a count in at most four characters: ``950``, ``1.2k``, ``34k``, ``5.6M``."""
    if count < 1_000:
        return str(count)
    for unit, size in (("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)):
        if count < 9_950 * size // 1_000:
            return f"{count / size:.1f}{unit}"
        if count < 999_500 * size // 1_000:
            return f"{count / size:.0f}{unit}"
    return "lots"
