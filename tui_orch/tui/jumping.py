"""Which job `J` goes to: the next one, by id and then from the start again, that failed, asks a person, or runs.

Each kind is looked up in the index of its own, so that the number of jobs does not count; only what runs and what is
asked is looked through, of which there is never much. ``+`` keeps SQLite from walking through all jobs by id instead.
"""

from store.database import Reader

QUERIES = (
    "SELECT id FROM jobs WHERE status IN ('failed', 'partial') AND id > ? ORDER BY id LIMIT 1",
    "SELECT min(+id) FROM jobs WHERE status = 'running' AND +id > ?",
    "SELECT min(+job_id) FROM asks WHERE answer IS NULL AND +job_id > ?",
)


def next_job(reader: Reader, after_id: int) -> int | None:
    """Return the next job behind ``after_id`` that calls for a look; None where there is none at all."""
    for start in (after_id, 0):
        found = [job_id for job_id in (reader.value(sql, (start,)) for sql in QUERIES) if job_id is not None]
        if found:
            return int(min(found))
    return None
