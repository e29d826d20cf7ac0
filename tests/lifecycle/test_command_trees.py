"""Trees of command workers with a real supervisor: what goes up, what comes back, and what is left."""

from at_work import AtWork, most_at_once

from store.models import Limits, NewJob, NewTree
from store.states import Kind, Status

SQL = 'sqlite3 -cmd ".timeout 10000" "$ORCH_HOME/orch.db"'


def group(work: AtWork, *commands: str, **limits: object) -> int:
    items = tuple(NewJob(command, Kind.COMMAND) for command in commands)
    return work.submit_tree(
        NewTree(NewJob("a group", Kind.GROUP), items, Limits(**limits), str(work.project))  # type: ignore[arg-type]
    )


def test_a_group_with_a_failing_leaf_is_partial_and_keeps_the_others(work: AtWork) -> None:
    """The failure is part of the result and hides nothing."""
    root = group(work, "echo one", "echo broken; exit 3", "echo three", max_attempts=2)
    work.supervise()
    assert work.until_ended(root).status is Status.PARTIAL
    _, one, broken, three = work.jobs(root)
    assert (one.status, one.result) == (Status.COMPLETED, "one\n")
    assert (three.status, three.result) == (Status.COMPLETED, "three\n")
    assert (broken.status, broken.reason, broken.attempt) == (Status.FAILED, "exit_code", 2)
    assert broken.error is not None
    assert broken.error.startswith("exit code 3")


def test_a_raw_insert_from_inside_a_worker_runs_one_level_deeper(work: AtWork) -> None:
    """Plain SQL is a way in like any other: depth, tree and roll-up are the database's."""
    insert = (
        f"""{SQL} "INSERT INTO jobs(parent_id, request, kind) VALUES ($ORCH_JOB_ID, 'echo from below', 'command')" """
    )
    root = work.submit(insert)
    work.supervise()
    assert work.until_ended(root).status is Status.COMPLETED
    _, child = work.jobs(root)
    assert (child.parent_id, child.depth, child.root_id, child.result) == (root, 1, root, "from below\n")


def test_a_raw_insert_one_level_too_deep_is_refused_by_the_database(work: AtWork) -> None:
    """The worker sees which limit it was, its value, and how a person raises it."""
    insert = (
        f"""{SQL} "INSERT INTO jobs(parent_id, request, kind) VALUES ($ORCH_JOB_ID, 'echo too deep', 'command')" """
    )
    root = work.submit(insert, max_depth=0, max_attempts=1)
    work.supervise()
    ended = work.until_ended(root)
    assert ended.status is Status.FAILED
    assert len(work.jobs(root)) == 1
    assert ended.result is not None
    assert f"max_depth of tree #{root} is 0" in ended.result
    assert f"orch limits {root} --max-depth 1" in ended.result


def test_a_tree_of_depth_3_finishes_with_one_slot_and_one_worker_at_work(work: AtWork) -> None:
    """Each parent blocks in `orch spawn --wait` and lends its slot: no deadlock, and never two at work."""
    deepest = "echo leaf"
    third = f"orch spawn --wait --kind command '{deepest}'"
    second = f'orch spawn --wait --kind command "{third}"'
    first = "cat > second.sh <<'EOF'\n" + second + "\nEOF\norch spawn --wait --kind command 'sh second.sh'"
    work.set("slots", 1)
    root = work.submit(first, max_workers=1, max_depth=3)
    work.supervise()
    assert work.until_ended(root).status is Status.COMPLETED
    assert [job.depth for job in work.jobs(root)] == [0, 1, 2, 3]
    assert work.jobs(root)[-1].result == "leaf\n"


def test_never_more_processes_than_max_workers(work: AtWork) -> None:
    """Counted from the log of process starts and ends."""
    root = group(work, *(f"echo {n}" for n in range(8)), max_workers=2)
    work.supervise()
    assert work.until_ended(root).status is Status.COMPLETED
    work.wait_for(lambda: not work.processes(), "the end of all processes")
    work.orch("down")
    lives = work.lives()
    assert len(lives) == 8
    assert most_at_once(lives) <= 2


def test_what_a_command_leaves_running_ends_with_it(work: AtWork) -> None:
    """Also a child in a session of its own, which a kill of the process group misses."""
    root = work.submit("sleep 300 & setsid sleep 301 & (setsid sleep 302 &) ; echo done")
    work.supervise()
    assert work.until_ended(root).result == "done\n"
    work.wait_for(lambda: not work.processes(), "the end of what was left")


def test_cancel_ends_a_running_subtree_at_every_depth(work: AtWork) -> None:
    """The workers get SIGTERM, their commands end with them, and the rows say who cancelled."""
    root = group(work, "echo started > started; sleep 300", "orch spawn --wait --kind command 'touch below; sleep 300'")
    work.supervise()
    work.wait_for((work.project / "started").exists, "the first command")
    work.wait_for((work.project / "below").exists, "the command below")
    work.orch("cancel", str(root), "--yes")
    assert work.until_ended(root).status is Status.CANCELLED
    assert {job.status for job in work.jobs(root)} == {Status.CANCELLED}
    work.wait_for(lambda: not work.processes(), "the end of all processes")


def test_a_deadline_ends_the_job_and_all_below_it(work: AtWork) -> None:
    """The timeout of the root covers its subtree; the root failed, what was below it was cancelled."""
    root = group(work, "sleep 300", timeouts_s=(0.5, 600.0))
    work.supervise()
    ended = work.until_ended(root)
    assert (ended.status, ended.reason) == (Status.FAILED, "timeout")
    _, child = work.jobs(root)
    assert (child.status, child.reason) == (Status.CANCELLED, "parent_ended")


def test_retry_repairs_the_tree_without_running_anything_twice(work: AtWork) -> None:
    """Only the failed leaf runs again; the group's end is then as if it had gone well at once."""
    root = group(work, "echo ran >> first; cat first", "test -e fixed", max_attempts=1)
    work.supervise()
    assert work.until_ended(root).status is Status.PARTIAL
    (work.project / "fixed").touch()
    work.orch("retry", str(root))
    work.until_ended(root)
    assert [job.status for job in work.jobs(root)] == [Status.COMPLETED] * 3
    assert (work.project / "first").read_text() == "ran\n"


def test_a_group_that_comes_in_as_a_bare_row_is_split_by_the_supervisor(work: AtWork) -> None:
    """A group's list is found in its request; without one it fails and says so."""
    with work.store.write() as tx:
        tx.run("INSERT INTO jobs(request, kind) VALUES ('no list here', 'group')")
    work.supervise()
    ended = work.until_ended(1)
    assert (ended.status, ended.reason) == (Status.FAILED, "bad_request")
    assert ended.error is not None
    assert "a group needs a list" in ended.error


def test_a_changed_schema_stops_all_launches_and_says_so(work: AtWork) -> None:
    """DDL can do what triggers forbid; the supervisor does not obey rules that are not its own."""
    work.supervise()
    with work.store.write() as tx:
        tx.run("DROP TRIGGER jobs_guard_delete")
    root = work.submit("echo never")
    work.wait_for(lambda: "the schema is not as it was shipped" in work.home.supervisor_log.read_text(), "a warning")
    assert work.job(root).status is Status.QUEUED


def test_two_clients_of_one_job_may_wait_at_the_same_time_with_one_slot(work: AtWork) -> None:
    """The slot stays lent until the last of them is back, or the child that it waits for would never get one."""
    wait = "orch spawn --wait --kind command"
    root = work.submit(f"{wait} 'echo first' & {wait} 'sleep 0.3; echo second' & wait; echo both", max_workers=1)
    work.supervise()
    assert work.until_ended(root, timeout_s=30).status is Status.COMPLETED
    assert sorted(job.result or "" for job in work.jobs(root)[1:]) == ["first\n", "second\n"]
    assert work.job(root).lending == 0
