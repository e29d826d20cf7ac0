"""The states and their steps: the code, the schema and the document say the same."""

import re
from itertools import product
from pathlib import Path

import apsw
import pytest
from at_store import AtStore

from store import schema
from store.states import EDGES, FINAL, OPEN, RETRYABLE, Kind, Reason, Status

CHART = Path(__file__).parents[2] / "docs" / "job_states.md"
ALL = frozenset((str(step[0]), str(step[1])) for step in EDGES)


def test_the_trigger_lists_the_same_steps_as_the_code() -> None:
    """Read from the SQL that is shipped."""
    (guard,) = re.findall(r"CREATE TRIGGER jobs_guard_update\b.*?\nEND;", "".join(schema.migrations()), re.DOTALL)
    steps = re.findall(r"'([a-z]+)>([a-z]+)'", guard)
    assert len(steps) == len(set(steps))
    assert set(steps) == ALL


def test_the_document_lists_the_same_steps_as_the_code() -> None:
    """Each step is a line of its table, once, with a word on when."""
    lines = re.findall(r"^\| *`?([a-z]+)`? *\| *`?([a-z]+)`? *\| *(\S.*?) *\|$", CHART.read_text("utf-8"), re.MULTILINE)
    steps = [(before, after) for before, after, _ in lines if before in list(Status) and after in list(Status)]
    assert len(steps) == len(set(steps))
    assert set(steps) == ALL


def test_the_document_names_every_state_and_reason() -> None:
    """Nothing is left for a reader to guess."""
    text = CHART.read_text("utf-8")
    assert [reason for reason in Reason if f"`{reason}`" not in text] == []
    assert [status for status in Status if f"| {status} |" not in text] == []


def test_final_states_are_final_but_for_a_retry() -> None:
    """Nothing leaves completed, and a retry alone leaves the others."""
    assert set(Status) == FINAL | OPEN
    assert {Status.COMPLETED} == FINAL - RETRYABLE
    assert {after for before, after in EDGES if before in FINAL} == {Status.QUEUED, Status.WAITING}


def bring(at: AtStore, status: Status) -> int:
    """Return a job that has come into this state in the ordinary way."""
    if status is Status.WAITING:
        return at.group("a")
    if status is Status.PARTIAL:
        group = at.group("a", "b")
        at.run(group + 1)
        at.run(group + 2, Status.FAILED)
        return group
    root = at.tree(max_depth=0)
    if status is not Status.QUEUED:
        fence = at.start(root)
        if status in FINAL:
            at.finish(fence, status)
    return root


@pytest.mark.parametrize(("before", "after"), sorted(set(product(Status, Status)) - EDGES - {(s, s) for s in Status}))
def test_a_step_that_is_not_listed_is_refused(at: AtStore, before: Status, after: Status) -> None:
    """By the database itself, whoever tries."""
    job_id = bring(at, before)
    assert at.job(job_id).status is before
    done = at.shell(f"UPDATE jobs SET status = '{after}' WHERE id = {job_id}")
    assert f"job #{job_id} is {before} and can not become {after}" in done.stderr
    assert at.job(job_id).status is before


def test_reasons_and_kinds_are_plain_words(at: AtStore) -> None:
    """They stand in the database as they stand in the code."""
    connection = apsw.Connection(":memory:")
    for word in (*Status, *Kind, *Reason):
        assert connection.execute("SELECT ?", (word,)).fetchall() == [(word.value,)]
