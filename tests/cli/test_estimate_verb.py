"""``orch estimate`` says the worst case, and leaves nothing behind."""

import json

import pytest
from at_orch import AtOrch

from store.settings import set_setting


def estimate(orch: AtOrch, *arguments: str) -> dict[str, object]:
    done = orch("estimate", *arguments, "--json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert isinstance(found, dict)
    return found


def test_five_workers_and_depth_three_are_156_jobs(orch: AtOrch) -> None:
    """1 + 5 + 25 + 125, with nothing but the defaults; and no store is made."""
    found = estimate(orch, "--request", "build it")
    assert found["jobs"] == 156
    assert found["jobs_per_level"] == [1, 5, 25, 125]
    assert (found["jobs_allowed"], found["processes"], found["memory_mb"]) == (200, 5, 2_000)
    assert (found["seconds"], found["budget_usd"], found["worktrees"]) == (3_600, None, 0)
    assert list(orch.project.iterdir()) == []


def test_it_is_told_in_words(orch: AtOrch) -> None:
    """What, how much, and which limit makes it so."""
    out = orch("estimate", "--request", "build it", "--budget", "5", "--timeout", "2h,30m").out
    lines = out.splitlines()
    assert lines[0] == "jobs       156        1 + 5 + 25 + 125, at 5 children a job; the limits allow 200"
    assert lines[1].startswith("processes  5 at once")
    assert [line.split()[1] for line in lines[2:]] == ["2.0", "2h00m", "$5.00", "0"]


@pytest.mark.parametrize(
    ("options", "jobs", "because"),
    [
        (("--max-depth", "0"), 1, "it may not be split"),
        (("--max-children", "2"), 15, "1 + 2 + 4 + 8, at 5 children a job"),
        (("--children", "20"), 200, "1 + 20 + 400 + 8,000, at 20 children a job, which max_jobs stops at 200"),
        (("--max-workers", "2"), 15, "1 + 2 + 4 + 8, at 2 children a job; the limits allow 200"),
    ],
)
def test_each_limit_counts(orch: AtOrch, options: tuple[str, ...], jobs: int, because: str) -> None:
    assert estimate(orch, "--request", "x", *options)["jobs"] == jobs
    assert because in orch("estimate", "--request", "x", *options).out


def test_a_list_has_as_many_children_as_items(orch: AtOrch) -> None:
    """And commands take the memory that they take; a group has no process."""
    (orch.project / "list.md").write_text("1. `true`\n2. `true`\n3. `true`\n")
    found = estimate(orch, "list.md", "--kind", "command", "--max-depth", "1")
    assert (found["jobs"], found["processes"], found["memory_mb"]) == (4, 3, None)


def test_it_refuses_what_the_store_would_refuse_in_the_same_words(orch: AtOrch) -> None:
    """A new store, and one whose settings somebody has changed."""
    wish = ("--request", "x", "--max-workers", "12")
    refused = orch.refused("estimate", *wish)
    assert refused == orch.refused("submit", "--no-supervisor", *wish)
    with orch.store.write() as tx:
        set_setting(tx, "max_workers_ceiling", 20)
        set_setting(tx, "slots", 3)
    assert estimate(orch, *wish)["processes"] == 3
    with orch.store.read() as reader:
        assert reader.value("SELECT count(*) FROM jobs") == 0
