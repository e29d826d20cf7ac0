"""What a client says to the API and when, step by step, on a clock of the test's own."""

from typing import Any

import pytest
from conversation import LOST, Conversation, event, good, problem, stream

from tui_orch.client import api_flows as flows
from tui_orch.client.api_errors import (
    Answer,
    AuthenticationError,
    OrchestratorUnavailable,
    RecursionDepthError,
    RequestRefused,
    StillRunning,
)
from tui_orch.client.api_steps import Call, Listen
from tui_orch.client.event_stream import MOST_BYTES

STATUS = Call("GET", "/jobs/12/status")


def job(status: str, job_id: str = "12", **more: Any) -> dict[str, Any]:
    return {"job_id": job_id, "status": status, "parent_id": None, **more}


#: A wait for job 12 has begun: it runs, the stream is there, and it still runs.
BEGUN = [good(job("running")), stream(), event("state", 7), good(job("running"))]


def test_a_call_that_got_lost_is_made_again_just_as_it_was() -> None:
    """The name that a submission carries is the same each time: the API does nothing twice."""
    talk = Conversation([LOST, problem(503), good({"job_id": "12"})])
    call = flows.submission("do it", {"max_workers": 5, "default_timeout": None}, "a name")
    assert talk.run(flows.ask(call, talk.terms)) == {"job_id": "12"}
    first, _, second, _, third = talk.said
    assert first == second == third == call
    assert (call.body, call.headers) == (
        {"request": "do it", "config": {"max_workers": 5}},
        {"Idempotency-Key": "a name"},
    )


def test_pauses_grow_up_to_a_longest_and_patience_has_an_end() -> None:
    """A bounded time without a server ends in an error that says what to do."""
    talk = Conversation([LOST] * 100, patience_s=20.0)
    with pytest.raises(
        OrchestratorUnavailable, match=r"no orch server for 20 s: nothing answers; start it .* orch serve"
    ):
        talk.run(flows.ask(STATUS, talk.terms))
    assert talk.pauses[:7] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 3.0])
    assert sum(talk.pauses) == pytest.approx(20.0)


def test_the_server_may_say_when_to_come_again() -> None:
    busy = Answer(429, {"content-type": "application/problem+json", "retry-after": "7"}, b"{}", "u")
    talk = Conversation([busy, good({})])
    talk.run(flows.ask(STATUS, talk.terms))
    assert talk.pauses == pytest.approx([7.1])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422])
def test_a_refusal_is_not_asked_again(status: int) -> None:
    talk = Conversation([problem(status)])
    with pytest.raises(AuthenticationError if status in (401, 403) else RequestRefused, match="said why"):
        talk.run(flows.ask(STATUS, talk.terms))


@pytest.mark.parametrize(
    "foreign",
    [
        Answer(200, {"content-type": "text/html"}, b"<html>", "u"),
        Answer(404, {"content-type": "text/html"}, b"<html>", "u"),
        Answer(200, {"content-type": "application/json"}, b"{not json", "u"),
        Answer(302, {"location": "/login"}, b"", "u"),
    ],
)
def test_another_program_on_the_port_is_not_taken_for_the_api(foreign: Answer) -> None:
    """While a server is started anew another may have its port; in the end the error says so."""
    talk = Conversation([foreign, good({"status": "queued"})])
    assert talk.run(flows.ask(STATUS, talk.terms)) == {"status": "queued"}
    talk = Conversation([foreign], patience_s=0.0)
    with pytest.raises(OrchestratorUnavailable, match="not the orch API"):
        talk.run(flows.ask(STATUS, talk.terms))


def test_a_caller_that_is_as_deep_as_it_may_be_calls_nobody() -> None:
    for given in ({"max_recursion_depth": 2}, {"max_depth": 2}):
        with pytest.raises(RecursionDepthError, match="Max recursion depth exceeded: current_depth 2 >= max_depth 2"):
            flows.submission("r", {"current_depth": 2, **given}, "n")
    assert flows.submission("r", {"current_depth": 1, "max_recursion_depth": 2}, "n").body
    assert flows.submission("r", {"current_depth": 9}, "n").body


@pytest.mark.parametrize(
    "bad", ["", "0", "../1", "1/2", "12-0", "12-", "1%2f2", "١٢", "12\n", "12\0", "1" * 19, True, -1, 1.5]
)
def test_what_is_no_id_is_never_sent(bad: Any) -> None:
    with pytest.raises(RequestRefused, match="is no id of a job"):
        flows.job_call(bad, "status")


def test_waiting_ends_at_the_event_and_asks_for_nothing_meanwhile() -> None:
    """Two looks: one at the beginning of the stream, in case the end came before it, and one at the end."""
    talk = Conversation(
        [
            *BEGUN,
            30.0,
            b": still here\n\n",
            event("job", 8, **job("running", activity="a line")),
            event("job", 9, **job("completed", "13", parent_id="12")),
            event("job", 10, **job("completed")),
            good(job("completed")),
        ]
    )
    assert talk.run(flows.until_ended("12", talk.terms)) == job("completed")
    assert talk.calls == ["GET /jobs/12/status", "listen", "GET /jobs/12/status", "GET /jobs/12/status"]


def test_what_has_ended_before_is_not_listened_to() -> None:
    talk = Conversation([good(job("failed"))])
    assert talk.run(flows.until_ended(12, talk.terms))["status"] == "failed"


def test_a_batch_is_looked_at_when_one_of_its_parents_children_ends() -> None:
    """The ends of grandchildren are of no interest."""
    ended = job("completed", "12-1")
    talk = Conversation(
        [
            good(job("running", "12-1")),
            stream(),
            event("state", 7),
            good(job("running", "12-1")),
            5.0,
            event("job", 8, **job("completed", "20", parent_id="13")),
            event("job", 9, **job("completed", "13", parent_id="12")),
            good(ended),
        ]
    )
    assert talk.run(flows.until_ended("12-1", talk.terms)) == ended
    (listen,) = [step for step in talk.said if isinstance(step, Listen)]
    assert listen.call.query == {"job_id": "12-1"}


def test_a_storm_of_ends_is_looked_at_five_times_a_second_at_most() -> None:
    """However many children end at once, the API is not asked for each."""
    child = job("completed", "13", parent_id="12")
    running = good(job("running", "12-1"))
    storm = b"".join(event("job", seq, **child) for seq in range(8, 200))
    talk = Conversation(
        [
            running,
            stream(),
            event("state", 7),
            running,
            storm,
            running,
            storm,
            running,
            storm,
            good(job("partial", "12-1")),
        ]
    )
    talk.run(flows.until_ended("12-1", talk.terms))
    assert talk.calls.count("GET /jobs/12-1/status") == 5
    assert talk.pauses == pytest.approx([0.2] * 3)


def test_a_lost_stream_is_taken_up_where_it_was_and_the_job_is_looked_at() -> None:
    """Whatever ended while nobody listened is seen at once."""
    talk = Conversation(
        [
            *BEGUN,
            event("job", 9, **job("running")),
            None,
            LOST,
            problem(503),
            good(job("running")),
            stream(),
            event("state", 12),
            good(job("completed")),
        ]
    )
    assert talk.run(flows.until_ended("12", talk.terms))["status"] == "completed"
    listens = [step for step in talk.said if isinstance(step, Listen)]
    assert [listen.call.query.get("since") for listen in listens] == [None, "9", "9", "9"]
    assert talk.pauses == pytest.approx([0.1, 0.2, 0.4])


def test_a_job_is_looked_at_now_and_then_though_no_event_tells_of_it() -> None:
    talk = Conversation([*BEGUN, 15.0, b": \n\n", 16.0, b": \n\n", good(job("completed"))])
    assert talk.run(flows.until_ended("12", talk.terms))["status"] == "completed"


def test_where_too_many_listen_the_job_is_looked_at_now_and_then_for_as_long_as_it_takes() -> None:
    """The server is there: that is no lack of one, however long it lasts."""
    full = Answer(503, {**problem(503).headers, "retry-after": "20"}, problem(503, "too_many_streams").body, "u")
    talk = Conversation([good(job("running")), *[full, good(job("running"))] * 9, full, good(job("completed"))])
    assert talk.run(flows.until_ended("12", talk.terms))["status"] == "completed"
    assert talk.now > 1000.0 + 10 * 20.0


def test_a_bounded_wait_ends_in_time_and_says_how_it_stands() -> None:
    """Also where the stream lives, but only to say that it does."""
    talk = Conversation(
        [*BEGUN, 14.0, b": \n\n", stream(), event("state", 7), good(job("running")), 6.0, LOST, good(job("running"))]
    )
    with pytest.raises(StillRunning, match="12 is running after 20 s of waiting") as caught:
        talk.run(flows.until_ended("12", talk.terms, 20.0))
    assert caught.value.status == job("running")
    assert talk.now == pytest.approx(1020.0)
    listens = [step for step in talk.said if isinstance(step, Listen)]
    assert [listen.call.answer_s for listen in listens] == [20.0, 6.0]


def test_a_bounded_wait_ends_in_time_without_a_server_too() -> None:
    """With what was known last; where nothing is known, nobody is patient for longer than the wait."""
    talk = Conversation([good(job("running")), *[LOST] * 30])
    with pytest.raises(StillRunning) as caught:
        talk.run(flows.until_ended("12", talk.terms, 10.0))
    assert (caught.value.status, talk.now) == (job("running"), pytest.approx(1010.0))
    talk = Conversation([LOST] * 30)
    with pytest.raises(OrchestratorUnavailable, match="no orch server for 5 s"):
        talk.run(flows.until_ended("12", talk.terms, 5.0))
    assert talk.now == pytest.approx(1005.0)


def test_a_server_that_is_there_but_can_not_answer_is_named_as_such() -> None:
    talk = Conversation([problem(503)] * 30)
    with pytest.raises(
        OrchestratorUnavailable, match=r"no answer for 60 s: http://127.0.0.1:8000 answers 503: said why"
    ):
        talk.run(flows.ask(STATUS, talk.terms))


def test_a_wait_of_no_time_is_a_look() -> None:
    talk = Conversation([good(job("running")), good(job("running"))])
    with pytest.raises(StillRunning):
        talk.run(flows.until_ended("12", talk.terms, 0.0))


def test_a_job_that_is_tried_again_at_the_last_moment_is_waited_for_again() -> None:
    """A person retries it between its end and the fetching of its results."""
    talk = Conversation([good(job("failed")), problem(409), good(job("completed")), good({"results": []})])
    assert talk.run(flows.outcome("12", talk.terms)) == {"results": []}


def test_events_are_told_over_a_loss_without_a_gap_or_a_repetition() -> None:
    """Each reconnection asks for what comes after the last one heard; half an event is none."""
    first, second, third = (event("job", seq, **job("running")) for seq in (5, 6, 7))
    talk = Conversation([stream(), event("state", 4), first + second[:20], LOST, stream(), second, third, None, LOST])
    told = [told["seq"] for tell in talk.told(flows.follow(talk.terms, job_id="12")) for told in tell.jobs]
    assert told == [5, 6, 7]
    listens = [step for step in talk.said if isinstance(step, Listen)]
    assert [listen.call.query.get("since") for listen in listens] == [None, "5", "7"]


@pytest.mark.parametrize(
    "bad", [b"data: {no json\n\n", b"data: 5\n\n", b"data: \xff\n\n", b"data: " + b"x" * MOST_BYTES]
)
def test_a_stream_that_can_not_be_read_is_lost(bad: bytes) -> None:
    talk = Conversation([stream(), bad], patience_s=0.0)
    with pytest.raises(OrchestratorUnavailable, match="can not be read"):
        talk.told(flows.follow(talk.terms))


def test_a_stream_for_the_wrong_key_is_refused() -> None:
    talk = Conversation([problem(401)])
    with pytest.raises(AuthenticationError, match=r"said why \(asked at http://127.0.0.1:8000\)"):
        talk.told(flows.follow(talk.terms))


def test_cancelling_what_is_cancelled_already_is_no_error() -> None:
    """The answer to the first call may have got lost."""
    talk = Conversation([LOST, problem(409), good(job("cancelled"))])
    assert talk.run(flows.cancel("12", talk.terms)) == job("cancelled")
    talk = Conversation([problem(409), good(job("completed"))])
    with pytest.raises(RequestRefused):
        talk.run(flows.cancel("12", talk.terms))


def test_a_key_has_no_slot_to_lend_and_a_job_waits_until_it_has_one_again() -> None:
    talk = Conversation([problem(403)])
    assert talk.run(flows.lend_slot("n", talk.terms)) is False
    talk = Conversation([LOST, good({"holding": False})])
    assert talk.run(flows.lend_slot("n", talk.terms)) is True
    talk = Conversation([good({"holding": False}), LOST, good({"holding": True})])
    talk.run(flows.take_slot_back("n", talk.terms))
    assert [step.body for step in talk.said if isinstance(step, Call)] == [{"name": "n", "lend": False}] * 3


def test_a_slot_of_an_attempt_that_is_over_is_not_waited_for() -> None:
    talk = Conversation([problem(401, "attempt_over")])
    with pytest.raises(AuthenticationError) as caught:
        talk.run(flows.take_slot_back("n", talk.terms))
    assert (caught.value.http_status, caught.value.code) == (401, "attempt_over")
