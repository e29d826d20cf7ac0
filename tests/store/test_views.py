"""The views for people: they can be read with the plain `sqlite3` program, and say what is so."""

import csv
import io

import pytest
from at_store import AtStore

from store import schema
from store.models import Usage
from store.states import Status

VIEWS = ("job_tree", "tree_totals", "running_now", "open_asks", "rules_in_force")


def view(at: AtStore, name: str) -> list[dict[str, str]]:
    done = at.shell(f"SELECT * FROM {name}", ".mode csv", ".headers on")
    assert done.stderr == ""
    return list(csv.DictReader(io.StringIO(done.stdout)))


@pytest.fixture
def grown(at: AtStore) -> AtStore:
    """#1 runs, #2 below it asks, #3 failed, #4 is queued; #5 is another tree, which has ended."""
    top = at.start(at.tree("Build it", budget_usd=9.0))
    asking, failing, _ = at.spawn(top, "first part", "second part\nin two lines", "third part")
    fence = at.start(asking)
    at.ask(fence, "May I?", kind="permission", tool="Bash", input={"command": "ls"})
    at.run(failing, Status.FAILED, reason="exit_code", usage=Usage(cost_usd=0.5, input_tokens=10))
    other = at.start(at.tree("Other"))
    at.later(1.5)
    at.finish(other)
    return at


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_of_an_empty_store_is_empty(at: AtStore, name: str) -> None:
    """And no error."""
    assert view(at, name) == []


def test_the_tree_is_drawn(grown: AtStore) -> None:
    """A line for each job, indented by depth, children under their parent."""
    assert [row["line"] for row in view(grown, "job_tree")] == [
        "#1 running  Build it",
        "  #2 running  first part",
        "  #3 failed (exit_code)  second part",
        "  #4 queued  third part",
        "#5 completed  Other",
    ]
    top = view(grown, "job_tree")[0]
    assert (top["children"], top["children_ended"], top["subtree_cost_usd"]) == ("3", "1", "0.5")


def test_children_stay_under_their_parent_when_they_come_later(grown: AtStore) -> None:
    """The order is that of the tree, not of the ids."""
    grown.spawn(grown.job(2).fence, "late")
    assert [row["id"] for row in view(grown, "job_tree")] == ["1", "2", "6", "3", "4", "5"]


def test_a_tree_has_its_totals_beside_its_limits(grown: AtStore) -> None:
    """Counts by state, cost, tokens, and how long it took."""
    first, second = view(grown, "tree_totals")
    assert (first["root_id"], first["title"], first["status"], first["jobs"]) == ("1", "Build it", "running", "4")
    states = {status.value: first[status.value] for status in Status}
    assert states == dict.fromkeys(states, "0") | {"running": "2", "failed": "1", "queued": "1"}
    assert (first["cost_usd"], first["budget_usd"], first["tokens"], first["max_jobs"]) == ("0.5", "9.0", "10", "200")
    assert (second["completed"], second["took_s"], second["created_utc"]) == ("1", "1.5", "1970-01-01 00:16:40")


def test_what_runs_now_has_its_process_and_deadline(grown: AtStore) -> None:
    """And since when, in UTC."""
    rows = view(grown, "running_now")
    assert [(row["id"], row["attempt"], row["pid"], row["since_utc"]) for row in rows] == [
        ("1", "1", "4711", "1970-01-01 00:16:40"),
        ("2", "1", "4711", "1970-01-01 00:16:40"),
    ]
    assert [row["deadline_utc"] for row in rows] == ["1970-01-01 01:16:40", "1970-01-01 00:36:40"]


def test_what_waits_for_a_person_is_listed_until_it_is_answered(grown: AtStore) -> None:
    """With the tool and what it would do."""
    (row,) = view(grown, "open_asks")
    assert (row["id"], row["job_id"], row["root_id"], row["depth"], row["title"]) == ("1", "2", "1", "1", "first part")
    assert (row["kind"], row["tool"], row["input"], row["question"]) == (
        "permission",
        "Bash",
        '{"command":"ls"}',
        "May I?",
    )
    grown.answer(1, "allow")
    assert view(grown, "open_asks") == []


def test_every_table_and_view_is_explained_where_it_is_made() -> None:
    """Whoever reads the SQL finds what each is for, and the units of its columns."""
    lines = "\n".join(schema.migrations()).splitlines()
    made = [number for number, line in enumerate(lines) if line.startswith(("CREATE TABLE", "CREATE VIEW"))]
    assert len(made) == 14 + len(VIEWS)
    assert [lines[number] for number in made if not lines[number - 1].startswith("-- ")] == []
    assert any(line.startswith("-- Units: *_ms") for line in lines)
