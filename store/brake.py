"""The brake of the whole store: what one worker runs into and all others would (a usage limit, an API that is down, no
login) is told here once, so that nobody starts in vain. No try of any job is used up by it.

Decides for how long; the supervisor only looks whether a brake or a pause is on.
"""

from store.database import Transaction
from store.models import Trouble

#: The first pause after an API error, doubled with each further one in a row, and the longest (s).
BACK_OFF_FIRST_S = 10.0
BACK_OFF_LONGEST_S = 600.0
#: A usage limit that does not say when it resets is looked at again after so long (s).
LIMIT_WITHOUT_TIME_S = 900.0
#: Jobs go on within so many seconds after a brake, not all in the same instant.
STAGGER_LIMIT_S = 30.0
STAGGER_API_S = 5.0
#: So many workers in a row that are gone as soon as they start, and this soon (s), are no accident.
CRASHES = 5
CRASH_WITHIN_S = 5.0

#: The ``tool`` of the question that the policy ``ask`` puts to a person, and the answer that lets the store go on.
LIMIT_ASK = "usage_limit"
GO_ON = "go on when it resets"
STAY = "stay paused"

_STATE = "SELECT brake_until_ms, api_strikes FROM store"
_PAUSE = """
UPDATE store SET paused_ms = coalesce(paused_ms, ?), brake_kind = 'stop', brake_reason = ?, brake_until_ms = NULL
WHERE paused_ms IS NULL OR brake_kind IS NOT 'stop'
"""
_OPEN_LIMIT_ASK = "SELECT 1 FROM asks WHERE answer IS NULL AND kind = 'question' AND tool = ?"


def set_brake(tx: Transaction, reason: str, until_ms: int, kind: str = "usage_limit") -> None:
    """Start nothing new in the whole store until ``until_ms``; a later brake is not shortened by an earlier one."""
    tx.run(
        "UPDATE store SET brake_kind = ?, brake_reason = ?, brake_until_ms = ? WHERE brake_until_ms IS NULL OR brake_until_ms < ?",
        (kind, reason, until_ms, until_ms),
    )


def stop_all(tx: Transaction, reason: str, now_ms: int) -> None:
    """Pause the whole store until a person goes on; the first reason stays."""
    tx.run(_PAUSE, (now_ms, reason))


def back_off_s(strikes: int, jitter: float) -> float:
    """Return the seconds to leave the API alone after ``strikes`` failures in a row before; ``jitter`` (0 to 1) adds up to half."""
    return float(min(BACK_OFF_FIRST_S * 2 ** min(strikes, 16), BACK_OFF_LONGEST_S) * (1 + jitter / 2))


def meet(tx: Transaction, trouble: Trouble, now_ms: int, jitter: float) -> int | None:
    """Put the brake on for ``trouble``. Return when the job that met it may start again (ms); None: with the store.

    Workers that meet the same trouble while its brake is on change nothing: it counts once.
    """
    if trouble.kind == "stop":
        stop_all(tx, trouble.said, now_ms)
        return None
    if trouble.kind == "usage_limit":
        until_ms = trouble.until_ms or now_ms + round(LIMIT_WITHOUT_TIME_S * 1000)
        if _policy(tx) == "resume":
            set_brake(tx, trouble.said, until_ms)
        else:
            stop_all(tx, f"{trouble.said}; it resets at {_clock(tx, until_ms)}", now_ms)
        return until_ms + round(jitter * STAGGER_LIMIT_S * 1000)
    until, strikes = tx.row(_STATE) or (None, 0)
    if until is None or until <= now_ms:
        until = now_ms + round(back_off_s(strikes, jitter) * 1000)
        tx.run("UPDATE store SET api_strikes = api_strikes + 1")
        set_brake(tx, trouble.said, until, "api")
    return int(until) + round(jitter * STAGGER_API_S * 1000)


def all_well(tx: Transaction) -> None:
    """Forget what failed in a row: a worker has done its work, so the API answers and workers start."""
    tx.run("UPDATE store SET api_strikes = 0, crash_strikes = 0 WHERE api_strikes > 0 OR crash_strikes > 0")


def crashed(tx: Transaction, lived_ms: int, where: str, now_ms: int) -> bool:
    """Count a worker that was gone soon after its start; pause the store after `CRASHES` in a row. Return whether it did."""
    if lived_ms > CRASH_WITHIN_S * 1000:
        return False
    tx.run("UPDATE store SET crash_strikes = crash_strikes + 1")
    if int(tx.value("SELECT crash_strikes FROM store")) < CRASHES:
        return False
    stop_all(
        tx, f"{CRASHES} workers in a row were gone as soon as they had started; see {where}, then: orch resume", now_ms
    )
    return True


def asks_person(tx: Transaction, trouble: Trouble) -> bool:
    """Tell whether a person is to be asked about this usage limit, and has not been yet."""
    return trouble.kind == "usage_limit" and _policy(tx) == "ask" and not tx.value(_OPEN_LIMIT_ASK, (LIMIT_ASK,))


def limit_question(tx: Transaction, trouble: Trouble, now_ms: int) -> tuple[str, dict[str, int]]:
    """Return the question to a person whether to go on once the limit resets, and the input to keep with it."""
    until_ms = trouble.until_ms or now_ms + round(LIMIT_WITHOUT_TIME_S * 1000)
    return f"{trouble.said}. It resets at {_clock(tx, until_ms)}. Go on by itself then?", {"until_ms": until_ms}


def answer_limit(tx: Transaction, until_ms: int, text: str | None) -> None:
    """Do what a person said to `limit_question`: lift the pause and wait for the reset, or leave all paused."""
    if (text or "").strip().lower() != GO_ON:
        return
    tx.run("UPDATE store SET paused_ms = NULL, brake_kind = NULL, brake_reason = NULL WHERE brake_kind = 'stop'")
    set_brake(tx, "usage limit", until_ms)


def _policy(tx: Transaction) -> str:
    return str(tx.value("SELECT usage_limit_policy FROM settings"))


def _clock(tx: Transaction, ms: int) -> str:
    return str(tx.value("SELECT strftime('%Y-%m-%d %H:%M UTC', ? / 1000, 'unixepoch')", (ms,)))
