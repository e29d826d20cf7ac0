"""Each benchmark runs: with a few jobs, against the peers that every machine has. Its figures are nobody's business here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def measured(program: str, *arguments: str) -> list[dict[str, object]]:
    """Return the tables that a benchmark prints as JSON."""
    argv = [sys.executable, str(BENCHMARKS / program), "--quick", "--json", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    tables: list[dict[str, object]] = json.loads(done.stdout)["tables"]
    return tables


def cells(table: dict[str, object]) -> dict[str, dict[str, object]]:
    """Return the rows by the name in their first column."""
    rows = table["rows"]
    assert isinstance(rows, list)
    return {str(next(iter(row.values()))).split()[0]: row for row in rows}


def notes(tables: list[dict[str, object]]) -> list[str]:
    """Return all that stands below the tables."""
    return [str(note) for table in tables for note in table["notes"]]  # type: ignore[attr-defined]


def test_rate_compares_ours_with_the_yardstick() -> None:
    """A row each, and the yardstick is 1 by definition."""
    tables = measured("rate.py")
    rows = cells(tables[0])
    assert rows["xargs"]["of xargs -P"] == 1
    assert float(str(rows["tui-orch"]["jobs/s"])) > 0
    assert not [note for note in notes(tables) if note.startswith("skipped")]


def test_latency_has_both_ways_into_the_store() -> None:
    """By the library and by plain sqlite3; a process never starts before its job is handed in."""
    tables = measured("latency.py")
    rows = tables[0]["rows"]
    assert isinstance(rows, list)
    ours = [row for row in rows if row["peer"].startswith("tui-orch")]
    assert [row["peer"].partition(", ")[2] for row in ours] == ["library", "plain sqlite3"]
    assert all(0 < row["p50 from the call"] <= row["p95 from the call"] for row in rows)


def test_trees_end() -> None:
    """Of make and of ours; none is faster than possible, and none is stuck."""
    rows = measured("trees.py")[0]["rows"]
    assert isinstance(rows, list)
    assert len(rows) == 2
    assert all(float(row["2 at once"].split()[0]) >= 1 for row in rows)


@pytest.mark.parametrize("program", ["rate.py", "trees.py"])
def test_a_peer_that_is_not_there_is_named_as_skipped(program: str, tmp_path: Path) -> None:
    """Whoever has installed no peer still gets a table, and is told what is missing in it."""
    (there,) = [note for note in notes(measured(program, "--peers", "make,nobody")) if note.startswith("skipped")]
    assert there.startswith("skipped: nobody: ")
