"""How money and amounts are written in a narrow column. Pure."""


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
