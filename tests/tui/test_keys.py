"""One table tells what can be done, and every reason why it can not be done now is true."""

from collections.abc import Iterator
from dataclasses import replace

import click
import pytest
from dialog_stage import TREE, a_job, a_state

from store.models import Job
from store.states import FINAL, RETRYABLE, Kind, Reason, Status
from tui_orch.cli.main import orch
from tui_orch.tui.keys import ACTIONS, BY_NAME, Around, On, hints, label, possible

AROUND = Around(a_state())
EMPTY = Around(a_state(counts=dict.fromkeys(Status, 0)))


def why(name: str, job: Job | None = None, around: Around = AROUND) -> str | None:
    return possible(BY_NAME[name], job, TREE, around)


def every_job() -> Iterator[Job]:
    for status in Status:
        for kind in Kind:
            for children in (0, 2):
                for attempt in (0, 1):
                    yield a_job(status=status, kind=kind, children=children, attempt=attempt)


def test_names_and_keys_are_taken_once() -> None:
    assert len(BY_NAME) == len(ACTIONS)
    keys = [action.key for action in ACTIONS if action.key]
    assert len(set(keys)) == len(keys)


def test_every_action_is_told_in_a_line_that_fits_80_cells() -> None:
    """The help has 62 of them for it."""
    for sentence in (action.sentence for action in ACTIONS):
        assert sentence.endswith(".")
        assert len(sentence) <= 62


def test_every_twin_is_a_command_with_these_options() -> None:
    """The words of a twin are a verb of `orch`, and its options are that verb's."""
    for action in ACTIONS:
        if not action.twin:
            assert action.on is On.SCREEN, f"{action.name} does something, so it needs a twin"
            continue
        program, first, *rest = action.twin.split()
        assert program == "orch"
        if first == "--help":
            continue
        verb = orch.commands[first]
        options = {name for param in verb.params if isinstance(param, click.Option) for name in param.opts}
        assert {word for word in rest if word.startswith("--")} <= options


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_a_reason_is_one_line(action: object) -> None:
    """Whatever the job and the store."""
    for around in (AROUND, EMPTY, Around(a_state(), read_only=True), Around(a_state(), supervisor=False)):
        for job in (None, *every_job()):
            reason = possible(action, job, TREE, around)  # type: ignore[arg-type]  # pytest hands it over untyped
            assert reason is None or (reason.strip() and "\n" not in reason)


def test_what_the_store_would_refuse_is_not_possible() -> None:
    """Cancel what has not ended, retry what may be retried: the rules of `store.control`."""
    for job in every_job():
        assert (why("cancel", job) is None) == (job.status not in FINAL)
        assert (why("retry", job) is None) == (job.status in RETRYABLE)


def test_a_job_that_is_being_stopped_is_not_cancelled_again() -> None:
    """But one that only ends with the supervisor is."""
    stopping = a_job(status=Status.RUNNING, stop_reason=Reason.CANCELLED)
    assert why("cancel", stopping) == "#1 is being stopped already"
    assert why("cancel", a_job(status=Status.RUNNING, stop_reason=Reason.SHUTDOWN)) is None


def test_only_a_session_is_retried_afresh() -> None:
    failed = a_job(status=Status.FAILED)
    assert why("retry_fresh", failed) is None
    assert "has no session" in str(why("retry_fresh", a_job(status=Status.FAILED, kind=Kind.COMMAND)))


def test_the_leaves_are_those_below() -> None:
    assert why("retry_leaves", a_job(status=Status.WAITING, children=3)) is None
    assert "nothing is below" in str(why("retry_leaves", a_job(status=Status.FAILED)))
    assert "nothing below it failed" in str(why("retry_leaves", a_job(status=Status.COMPLETED, children=3)))


def test_output_needs_a_process_that_was_there() -> None:
    assert why("output", a_job(attempt=1)) is None
    assert "not started yet" in str(why("output", a_job()))
    assert "group" in str(why("output", a_job(kind=Kind.GROUP, attempt=1)))


def test_without_a_job_nothing_is_done_to_one() -> None:
    """An empty store says what to do next."""
    assert why("cancel") == "no job is selected"
    assert why("cancel", around=EMPTY) == "there are no jobs yet; n writes a request"
    assert why("filter", around=EMPTY) == "there are no jobs yet; n writes a request"
    assert why("new", around=EMPTY) is None


def test_a_job_without_a_tree_is_left_to_the_doctor() -> None:
    assert "orch doctor" in str(possible(BY_NAME["limits"], a_job(), None, AROUND))


def test_the_inbox_opens_when_somebody_asks() -> None:
    assert why("inbox") == "nothing waits for an answer"
    assert why("inbox", around=Around(a_state(open_asks=1))) is None


def test_a_supervisor_is_started_where_none_runs() -> None:
    assert why("supervisor") == "a supervisor runs already"
    assert why("supervisor", around=Around(a_state(), supervisor=False)) is None


def test_one_jumps_where_something_is() -> None:
    nothing = dict.fromkeys(Status, 0) | {Status.COMPLETED: 4}
    assert why("jump", around=Around(a_state(counts=nothing))) == "no job has failed, asks or runs"
    assert why("jump", around=Around(a_state(counts=nothing, open_asks=1))) is None
    assert why("jump") is None


def test_a_screen_that_only_watches_changes_nothing() -> None:
    """And everything else is still possible."""
    around = Around(a_state(open_asks=1), supervisor=False, read_only=True)
    job = a_job(status=Status.FAILED, attempt=1, children=1)
    refused = {action.name for action in ACTIONS if "only watches" in str(possible(action, job, TREE, around))}
    assert refused == {action.name for action in ACTIONS if action.on is not On.SCREEN} - {
        "detail",
        "fold",
        "output",
        "copy",
    }


def test_a_word_says_what_a_key_would_do_now() -> None:
    paused = replace(TREE, paused_ms=1)
    assert label(BY_NAME["pause"], a_job(), TREE, AROUND) == "pause"
    assert label(BY_NAME["pause"], a_job(), paused, AROUND) == "go on"
    assert label(BY_NAME["pause_all"], None, None, Around(a_state(brake_reason="limit", brake_until_ms=1))) == "go on"
    assert label(BY_NAME["fold"], a_job(children=1), TREE, AROUND) == "unfold"
    assert label(BY_NAME["fold"], a_job(children=1), TREE, Around(a_state(), unfolded=True)) == "fold"
    assert label(BY_NAME["inbox"], None, None, Around(a_state(open_asks=2))) == "2 asks"
    assert label(BY_NAME["follow"], None, None, Around(a_state(), following=True)) == "stop following"


def test_hints_are_possible_and_end_with_help_and_quit() -> None:
    for job in (None, *every_job()):
        found = hints(job, TREE, AROUND)
        assert all(possible(hint.action, job, TREE, AROUND) is None for hint in found)
        assert [hint.action.name for hint in found[-2:]] == ["help", "quit"]


def test_what_is_most_called_for_comes_first() -> None:
    """No supervisor, asks, a pause; otherwise what fits the job."""
    around = Around(a_state(open_asks=2, paused_ms=1), supervisor=False)
    assert {hint.action.name for hint in hints(a_job(), TREE, around)[:3]} == {"supervisor", "inbox", "pause_all"}
    assert hints(a_job(status=Status.FAILED), TREE, AROUND)[0].action.name == "retry"
    assert hints(a_job(status=Status.RUNNING), TREE, AROUND)[0].action.name == "cancel"
    assert hints(None, None, EMPTY)[0].action.name == "new"
