"""docs/reliability.md tells every fault that the storm knows, and names only tests that are there."""

import re
from pathlib import Path

from tests.lifecycle.chaos.clauses import CLAUSES
from tests.lifecycle.chaos.faults import FAULTS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "reliability.md").read_text("utf-8")


def test_each_fault_of_the_storm_stands_in_the_table_with_what_is_expected_of_it() -> None:
    for fault in FAULTS:
        assert re.search(
            rf"^\| {re.escape(fault.name)} \| {re.escape(fault.expected)} \| .*chaos \|$", TEXT, re.MULTILINE
        )


def test_each_row_names_tests_that_are_there() -> None:
    rows = re.findall(r"^\| [^|]+ \| [^|]+ \| ([^|]+) \|$", TEXT, re.MULTILINE)[1:]
    assert len(rows) > len(FAULTS)
    for place in (place for row in rows for place in row.split(", ")):
        assert place == "chaos" or (ROOT / "tests" / place).is_file(), place


def test_each_clause_of_the_promise_has_its_check() -> None:
    promised = re.findall(r"^(\d+)\. ", TEXT, re.MULTILINE)
    assert [int(number) for number in promised] == list(CLAUSES)
