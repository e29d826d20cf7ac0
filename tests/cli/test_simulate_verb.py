"""``orch simulate`` plays a request through, and leaves nothing behind."""

import json
import signal
from pathlib import Path
from typing import Any

from at_orch import AtOrch

SAMPLE = str(Path(__file__).parents[2] / "sample_requests" / "four_services.md")


def runs(orch: AtOrch, *arguments: str) -> dict[str, dict[str, Any]]:
    done = orch("simulate", *arguments, "--json")
    assert (done.code, done.err) == (0, "")
    return {run["name"]: run for run in json.loads(done.out)["runs"]}


def test_the_promise_of_20_minutes_is_reproduced(orch: AtOrch) -> None:
    """Four services of an hour: 240 minutes, 60, and 20 where each is split in three. No store is made."""
    found = runs(orch, SAMPLE)
    minutes = [run["makespan_s"] / 60 for run in found.values()]
    assert minutes[:2] == [240, 60]
    assert minutes[2] <= 1.05 * 20
    assert found["split all the way down"]["peaks"]["workers"] == 12
    assert found["10 at once, deepest first"]["makespan_s"] == 40 * 60  # twelve parts, ten slots
    assert list(orch.project.iterdir()) == []


def test_with_twelve_slots_the_limits_keep_it_too(orch: AtOrch) -> None:
    found = runs(orch, SAMPLE, "--slots", "12", "--max-workers", "12")
    assert found["12 at once, deepest first"]["makespan_s"] == 20 * 60


def test_it_is_told_in_a_table(orch: AtOrch) -> None:
    out = orch("simulate", SAMPLE).out.splitlines()
    assert out[0] == "1 → 4 → 12 jobs"
    assert [line.split("  ")[0] for line in out[3:8]] == [
        "one after the other",
        "side by side, none split again",
        "split all the way down",
        "10 at once, deepest first",
        "10 at once, first come",
    ]
    assert "decisions of" in out[-1]


def test_chance_is_the_same_with_the_same_seed(orch: AtOrch) -> None:
    """Except for what the decisions took on the real clock."""
    chance = ("--request", "x", "--spread", "50", "--failing", "10", "--before", "1m", "--after", "2m", "--start", "2s")
    first, again, other = (runs(orch, *chance, "--seed", seed) for seed in ("1", "1", "2"))
    name = "5 at once, deepest first"
    assert first[name]["makespan_s"] == again[name]["makespan_s"] != other[name]["makespan_s"]


def test_jobs_whose_time_is_up_are_told(orch: AtOrch) -> None:
    """Hours of work under the default timeouts."""
    done = orch("simulate", "--request", "x", "--work", "10h")
    assert "failed: their time was up, see --timeout" in done.out


def test_what_is_wrong_is_refused_in_one_line(orch: AtOrch) -> None:
    assert "4,3" in orch.refused("simulate", "--request", "x", "--children", "many")
    assert "no request" in orch.refused("simulate")
    assert "max_workers is 12" in orch.refused("simulate", "--request", "x", "--max-workers", "12")


def test_ctrl_c_ends_a_long_one(orch: AtOrch) -> None:
    """While it says how far it is; exit code 130 and no traceback."""
    large = ("--children", "9,10,10", "--max-jobs", "1000", "--trees", "500", "--spread", "20", "--timeout", "7d")
    process = orch.start_process("simulate", "--request", "x", *large)
    assert process.stderr is not None
    assert "jobs have ended" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "orch: interrupted; a simulation leaves nothing behind"
