"""What a client says to the API and when: ask until there is an answer, follow events, wait for an end, lend a slot.

Each function is a flow of steps (see ``api_steps``) that does nothing itself. A call that got lost is made again, with
the same name where it would do something twice. Nothing is asked every few seconds: the API tells what changes.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tui_orch.client.api_errors import (
    Answer,
    AuthenticationError,
    OrchestratorUnavailable,
    RecursionDepthError,
    RequestRefused,
    StillRunning,
    TryAgain,
    read,
)
from tui_orch.client.api_steps import Call, Feed, Flow, HangUp, Hear, Heard, Listen, Lost, Pause, Tell
from tui_orch.client.backoff import Backoff, Terms
from tui_orch.client.event_stream import Event, EventReader

ENDED = frozenset({"completed", "partial", "failed", "cancelled"})
#: Seconds without a byte after which a stream is taken for dead: the API says something every 15.
SILENCE_S = 40.0
#: Seconds after which a job is looked at though no event told of it.
LOOK_S = 30.0
#: Seconds between two looks at least, however many events come.
LOOK_PAUSE_S = 0.2
#: Seconds that an answer to a call for the slot may take: the API holds it up to 25.
SLOT_ANSWER_S = 45.0
#: Seconds by which a bounded wait may end late.
LATE_S = 1.0

_JOB_ID = re.compile(r"[1-9][0-9]{0,17}(-[1-9][0-9]{0,8})?", re.ASCII)


def check_depth(current_depth: object, max_depth: object) -> None:
    """Raise RecursionDepthError for a caller that by its own count is as deep as it may be."""
    if isinstance(current_depth, int) and isinstance(max_depth, int) and current_depth >= max_depth:
        raise RecursionDepthError(
            f"Max recursion depth exceeded: current_depth {current_depth} >= max_depth {max_depth}; "
            "do this part without subtasks, or let a person raise the limit",
            current_depth=current_depth,
            max_depth=max_depth,
        )


def submission(request: str, config: Mapping[str, Any], name: str) -> Call:
    """Return the call that hands in a request; made again under the same ``name`` it does nothing twice."""
    given = {key: value for key, value in config.items() if value is not None}
    check_depth(given.get("current_depth"), given.get("max_recursion_depth", given.get("max_depth")))
    return Call("POST", "/orchestrate", {"request": request, "config": given}, headers={"Idempotency-Key": name})


def job_call(job_id: str | int, what: str, method: str = "GET", **query: str) -> Call:
    """Return a call about one job or batch. Raises RequestRefused for what is no id."""
    return Call(method, f"/jobs/{checked_id(job_id)}/{what}", query=query)


def results_call(job_id: str | int, *, nested: bool = False) -> Call:
    """Return the call for the results of a job or a batch. Raises RequestRefused for what is no id."""
    return job_call(job_id, "results", **({"nested": "true"} if nested else {}))


def checked_id(job_id: str | int) -> str:
    """Return a job's (12) or a batch's (12-1) id as text. Raises RequestRefused."""
    text = str(job_id)
    if isinstance(job_id, bool) or not _JOB_ID.fullmatch(text):
        raise RequestRefused(f"{text[:100]!r} is no id of a job (12) or of a batch (12-1)")
    return text


def ask(call: Call, terms: Terms) -> Flow[Any]:
    """Return the JSON value that answers ``call``, which is made again while no answer comes."""
    backoff = Backoff(terms)
    while True:
        found = _value(_answered((yield call)))
        if not isinstance(found, TryAgain):
            return found
        yield Pause(backoff.pause_s(found))


def cancel(job_id: str | int, terms: Terms) -> Flow[Any]:
    """Cancel a job or a batch and all below it; one that is cancelled already, perhaps by a call that got lost, is so."""
    try:
        return (yield from ask(job_call(job_id, "cancel", "POST"), terms))
    except RequestRefused as refused:
        if refused.http_status != 409:
            raise
        status = yield from ask(job_call(job_id, "status"), terms)
        if status["status"] != "cancelled":
            raise
        return status


def follow(terms: Terms, since: int | None = None, job_id: str | None = None, until: float | None = None) -> Feed:
    """Tell what changes after ``since`` (None: from now on), over every loss of the server, up to the time ``until``.

    ``until`` is by the clock of ``terms``; None: for ever.
    """
    backoff = Backoff(terms)
    while until is None or terms.clock() < until:
        silence_s = SILENCE_S if until is None else min(SILENCE_S, max(until - terms.clock(), 0.05))
        query = {"job_id": job_id} if job_id else {}
        if since is not None:
            query["since"] = str(since)
        heard = _answered((yield Listen(Call("GET", "/events", query=query, answer_s=silence_s))))
        trouble = _trouble_of(heard)
        reader = EventReader()
        is_new = True
        while trouble is None:
            came = yield Hear()
            if not isinstance(came, bytes):
                trouble = TryAgain(came.why if isinstance(came, Lost) else "the server has ended the stream of events")
                break
            try:
                seqs, jobs = _told(reader.feed(came))
            except (ValueError, RecursionError) as error:
                trouble = TryAgain(f"the stream of events can not be read: {error}")
                break
            backoff.fine()
            since = max([since or 0, *seqs]) if seqs else since
            yield Tell(jobs, is_new)
            is_new = False
            if until is not None and terms.clock() + silence_s > until + LATE_S:
                break  # the next silence would last too long: listen anew, with less patience
        yield HangUp()
        if trouble is None or (until is not None and terms.clock() >= until):
            continue
        pause_s = backoff.pause_s(trouble)
        yield Pause(pause_s if until is None else min(pause_s, until - terms.clock()))
        if trouble.is_there:
            backoff.fine()  # too many listen already: nobody is unreachable, and looking now and then is left
            yield Tell((), is_new=True)


def until_ended(job_id: str | int, terms: Terms, timeout_s: float | None = None) -> Flow[Mapping[str, Any]]:
    """Return the status object of a job or a batch once it has ended. Raises StillRunning after ``timeout_s``."""
    handle = checked_id(job_id)
    until = None if timeout_s is None else terms.clock() + timeout_s
    status: Mapping[str, Any] = yield from ask(job_call(handle, "status"), _within(terms, until))
    looked = terms.clock()
    feed = follow(terms, job_id=handle, until=until)
    heard: Heard = None
    while status["status"] not in ENDED:
        try:
            step = feed.send(heard)
        except StopIteration:
            break
        if not isinstance(step, Tell):
            heard = yield step
            continue
        heard = None
        may_have_ended = any(_may_end(job, handle) for job in step.jobs)
        if may_have_ended and terms.clock() - looked < LOOK_PAUSE_S:
            yield Pause(LOOK_PAUSE_S)
        if may_have_ended or step.is_new or terms.clock() - looked > LOOK_S:
            status = yield from ask(job_call(handle, "status"), terms)
            looked = terms.clock()
    yield HangUp()
    if status["status"] not in ENDED:
        status = yield from _last_look(handle, status, terms)
    if status["status"] not in ENDED:
        raise StillRunning(f"{handle} is {status['status']} after {timeout_s:g} s of waiting", status)
    return status


def outcome(job_id: str | int, terms: Terms, timeout_s: float | None = None) -> Flow[dict[str, Any]]:
    """Return the results object of a job or a batch once it has ended, however it did. Raises StillRunning."""
    until = None if timeout_s is None else terms.clock() + timeout_s
    while True:
        yield from until_ended(job_id, terms, None if until is None else max(until - terms.clock(), 0.0))
        try:
            found: dict[str, Any] = yield from ask(job_call(job_id, "results"), terms)
        except RequestRefused as refused:
            if refused.http_status != 409:
                raise
            continue  # a person has just let it be tried again
        return found


def lend_slot(name: str, terms: Terms) -> Flow[bool]:
    """Lend the calling job's slot under a name; False where the key is no job's: there is no slot to lend."""
    call = Call("POST", "/slot", {"name": name, "lend": True})
    try:
        yield from ask(call, terms)
    except AuthenticationError as error:
        if error.http_status != 403:
            raise
        return False
    return True


def take_slot_back(name: str, terms: Terms) -> Flow[None]:
    """Go on only when the calling job has a slot again: the API holds each answer until then, or for a while."""
    call = Call("POST", "/slot", {"name": name, "lend": False}, answer_s=SLOT_ANSWER_S)
    while not (yield from ask(call, terms))["holding"]:
        yield Pause(LOOK_PAUSE_S)


def _within(terms: Terms, until: float | None) -> Terms:
    """Return terms under which nobody is patient for longer than up to ``until``."""
    if until is None:
        return terms
    return replace(terms, patience_s=min(terms.patience_s, max(until - terms.clock(), 0.0)))


def _last_look(handle: str, known: Mapping[str, Any], terms: Terms) -> Flow[Mapping[str, Any]]:
    """Return the status once more if the API tells it at once, else what is known."""
    try:
        found: Mapping[str, Any] = yield from ask(job_call(handle, "status"), replace(terms, patience_s=0.0))
    except OrchestratorUnavailable:
        return known
    return found


def _told(events: list[Event]) -> tuple[list[int], tuple[Mapping[str, Any], ...]]:
    """Return the numbers of the changes that events tell of, and the jobs that changed. Raises ValueError."""
    said = [(event, json.loads(event.data)) for event in events]
    if not all(isinstance(data, Mapping) for _, data in said):
        raise ValueError("an event without an object")
    seqs = [int(event.id if event.id.isdecimal() else data.get("seq", 0)) for event, data in said]
    return seqs, tuple(data for event, data in said if event.name == "job")


def _may_end(job: Mapping[str, Any], handle: str) -> bool:
    """Tell whether ``handle`` may have ended when ``job`` has changed: it has, or a child of its batch."""
    parent, _, batch = handle.partition("-")
    is_it = str(job.get("parent_id")) == parent if batch else str(job.get("job_id")) == handle
    return is_it and job.get("status") in ENDED


def _answered(heard: object) -> Answer | Lost:
    assert isinstance(heard, Answer | Lost)
    return heard


def _value(heard: Answer | Lost) -> Any:
    return TryAgain(heard.why) if isinstance(heard, Lost) else read(heard)


def _trouble_of(heard: Answer | Lost) -> TryAgain | None:
    """Return why a stream has not begun; None where it has. Raises what a problem stands for."""
    if isinstance(heard, Answer) and heard.status == 200:
        kind = heard.headers.get("content-type", "").partition(";")[0].strip()
        return None if kind == "text/event-stream" else TryAgain(f"what answers at {heard.url} is not the orch API")
    found = _value(heard)
    return found if isinstance(found, TryAgain) else TryAgain("the server gives no stream of events")
