"""The benchmarks without peers run, and what they write is what the README shows."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"


def measured(program: str) -> list[dict[str, list[dict[str, object]]]]:
    argv = [sys.executable, str(BENCHMARKS / program), "--quick", "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    tables: list[dict[str, list[dict[str, object]]]] = json.loads(done.stdout)["tables"]
    return tables


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import bench_report

    return bench_report


def test_the_promise_is_kept_in_the_simulation_and_runs_for_real() -> None:
    """240, 60 and 20 minutes to the minute; for real, minutes of a hundredth of a second are too short to judge."""
    imagined, real = measured("promise.py")
    assert [row["measured"] for row in imagined["rows"]] == ["240 min", "60 min", "20 min"]
    assert len(real["rows"]) == 1


def test_the_scale_is_told_for_every_operation() -> None:
    growth, trees, writers = measured("scale.py")
    assert len(growth["rows"]) == 13
    assert all(row["target"] == "≤ 5" for row in growth["rows"])
    assert len(trees["rows"]) == len(writers["rows"]) == 2


def test_the_cost_of_a_job_is_told_by_parts() -> None:
    (cost,) = measured("cost.py")
    job, bare = cost["rows"]
    assert float(job["together"]) > 0
    assert bare["supervisor"] == "0.00"


def test_a_parent_that_waits_takes_no_process() -> None:
    """Nor memory that could be seen."""
    (rest,) = measured("rest.py")
    rows = {str(row["what"]): row for row in rest["rows"]}
    assert len(rows) == 5
    assert rows["a parent that waits: processes"][""] == "ok"


def test_the_simulation_compares_orders_and_costs() -> None:
    orders, jobs, trees, many = measured("simulation.py")
    assert len(orders["rows"]) == 6
    assert [len(table["rows"]) for table in (jobs, trees, many)] == [2, 2, 1]


def test_all_of_them_are_run_by_one_command() -> None:
    """Those that are asked for, and each prints its tables."""
    argv = [sys.executable, str(BENCHMARKS / "all.py"), "--quick", "--only", "simulation"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "**Orders compared**" in done.stdout
    assert "### Rate" not in done.stdout


def test_every_program_is_in_it() -> None:
    """A file of benchmarks/ that begins with how to call it is a benchmark; cost.py explains one, and is run by hand."""
    text = (BENCHMARKS / "all.py").read_text("utf-8")
    programs = {
        path.name
        for path in BENCHMARKS.glob("*.py")
        if f"python benchmarks/{path.name} [--quick" in path.read_text("utf-8")
    }
    assert {"rate.py", "scale.py"} <= programs
    assert all(f'Program("{name}"' in text for name in programs - {"all.py", "cost.py"})


def test_the_readme_shows_what_stands_between_the_markers(report: ModuleType) -> None:
    said = {"measured": "today", "tables": [{"title": "T", "rows": [{"what": "x", "": "ok"}], "notes": ["n"]}]}
    parts = [
        report.part_of("Shown", "a.py", said, in_readme=True),
        report.part_of("Not", "b.py", said, in_readme=False),
    ]
    text = report.document(parts)
    part = report.performance(text)
    assert "### Shown" in part
    assert "### Not" not in part
    readme = report.with_performance(f"# A\n\n{report.BEGIN}\nold\n{report.END}\n\nrest\n", part)
    assert report.performance(readme) == part
    assert readme.startswith("# A\n\n")
    assert readme.endswith("\n\nrest\n")
    with pytest.raises(ValueError, match="put both lines"):
        report.with_performance("# A\n", part)


def test_the_readme_agrees_with_the_last_tables(report: ModuleType) -> None:
    """`python benchmarks/all.py --write` writes both."""
    readme = (ROOT / "README.md").read_text("utf-8")
    if report.BEGIN not in readme:
        pytest.skip("no performance section yet")
    assert report.performance(readme) == report.performance((BENCHMARKS / "README.md").read_text("utf-8"))
