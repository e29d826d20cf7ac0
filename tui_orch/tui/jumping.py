"""Which job `J` goes to: the next one, by id and then from the start again, that failed, asks a person, or runs."""

from store.database import Reader

_CALLS = "(status IN ('failed', 'partial', 'running') OR open_asks > 0)"
_AFTER = f"SELECT id FROM jobs WHERE id > ? AND {_CALLS} ORDER BY id LIMIT 1"


def next_job(reader: Reader, after_id: int) -> int | None:
    """Return the next job behind ``after_id`` that calls for a look; None where there is none at all."""
    for start in (after_id, 0):
        found = reader.value(_AFTER, (start,))
        if found is not None:
            return int(found)
    return None
