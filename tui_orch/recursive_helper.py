"""The client for programs and for workers: hand work down the tree through the REST API, and get its results.

Inside a worker the environment tells where the API is and who calls, so no argument is needed::

    with SyncRecursiveOrchestratorClient() as client:
        done = client.orchestrate_subtasks("1. write the parser\\n2. write its tests")
        print(done["summary"]["successful_tasks"], [part["result"] for part in done["results"]])

Both clients do the same steps (``tui_orch.client.api_flows``), one in an event loop, one without any. Imports httpx and
the standard library, and never the store: it works wherever the API can be reached.
"""

import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, TypeVar

from tui_orch.client import api_flows as flows
from tui_orch.client.api_errors import (
    AuthenticationError,
    LimitExceeded,
    OrchestratorError,
    OrchestratorUnavailable,
    RecursionDepthError,
    RequestRefused,
    StillRunning,
    SubtasksFailed,
)
from tui_orch.client.api_place import Place, key_of
from tui_orch.client.api_steps import Flow, Heard, Tell
from tui_orch.client.backoff import PATIENCE_S, Terms
from tui_orch.client.http_steps import AsyncLine, Line

__all__ = [
    "AuthenticationError",
    "LimitExceeded",
    "OrchestratorError",
    "OrchestratorUnavailable",
    "RecursionDepthError",
    "RecursiveOrchestratorClient",
    "RequestRefused",
    "StillRunning",
    "SubtasksFailed",
    "SyncRecursiveOrchestratorClient",
]

T = TypeVar("T")


class _Client:
    """What both clients are given and remember. It holds no connection: each call has its own."""

    def __init__(
        self,
        api_url: str | None = None,
        api_key: str | None = None,
        current_depth: int | None = None,
        max_depth: int | None = None,
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Take what is given, and the rest from the environment.

        ``api_url``: else ORCHESTRATOR_API_URL, else where the store's ``orch serve`` (ORCH_HOME) says it is, else
        http://localhost:8000. ``api_key``: else ORCHESTRATOR_API_KEY or ORCH_TOKEN, which every worker has.
        ``current_depth`` and ``max_depth`` can only make the tree's own limit stricter. ``patience_s``: seconds without
        a server after which a call gives up. Raises ValueError for an address that is none.
        """
        self.current_depth = current_depth
        self.max_depth = max_depth
        self._place = Place(api_url, os.environ)
        self._api_key = api_key
        self._terms = Terms(patience_s)
        self._has_slot = True  # until the API says that the key is no job's

    def __repr__(self) -> str:
        return f"{type(self).__name__}(api_url={self._place.url!r})"  # and never the key

    @property
    def api_url(self) -> str:
        """Where the API is, as far as is known."""
        return self._place.url

    def _key(self) -> str:
        return key_of(self._api_key, os.environ)

    def _submit(self, request: str, name: str | None, config: Mapping[str, Any]) -> Flow[dict[str, Any]]:
        depths = {"current_depth": self.current_depth, "max_recursion_depth": self.max_depth}
        if "max_depth" in config:
            del depths["max_recursion_depth"]
        call = flows.submission(request, {**depths, **config}, name or secrets.token_urlsafe(18))
        return flows.ask(call, self._terms)


class SyncRecursiveOrchestratorClient(_Client):
    """Hands work to the orchestrator and waits for it. Runs no event loop, so it works inside one too (a notebook)."""

    def orchestrate_subtasks(
        self,
        request: str,
        max_workers: int = 5,
        timeout: float | None = None,
        wait: bool = True,
        raise_on_failure: bool = False,
        **config: Any,
    ) -> dict[str, Any]:
        """Hand in ``request`` (a numbered list is split into one job an item) and return the results of its jobs.

        ``timeout``: seconds that each job may take, with all below it. ``config``: what else the API takes. The result
        is the same object for completed, partial, failed and cancelled (see ``status`` and ``summary``), unless
        ``raise_on_failure``. While it waits, the calling job's slot is lent. ``wait=False`` returns what ``submit`` does.

        Raises RecursionDepthError, LimitExceeded, AuthenticationError, RequestRefused, OrchestratorUnavailable, and
        with ``raise_on_failure`` SubtasksFailed.
        """
        handed_in = self.submit(request, max_workers=max_workers, default_timeout=timeout, **config)
        if not wait:
            return handed_in
        with _goes_on(handed_in["job_id"]):
            return _checked(self.wait(handed_in["job_id"]), raise_on_failure)

    def submit(self, request: str, *, idempotency_key: str | None = None, **config: Any) -> dict[str, Any]:
        """Hand in ``request`` and return at once: ``job_id`` of the tree or of the batch, ``job_ids``, ``notes``.

        A call that gets lost is made again and does nothing twice. So is one by another process under the same
        ``idempotency_key`` (1 to 200 characters), whose answer is that of the first.
        """
        return self._run(self._submit(request, idempotency_key, config))

    def status(self, job_id: str | int) -> dict[str, Any]:
        """Return what became of a job (``12``) or a batch (``12-1``) so far: ``status``, ``reason``, ``progress``, ..."""
        return self._run(flows.ask(flows.job_call(job_id, "status"), self._terms))

    def results(self, job_id: str | int, nested: bool = False) -> dict[str, Any]:
        """Return the results of a job or a batch that has ended; with those below them if ``nested``.

        Raises RequestRefused (409) while it runs.
        """
        return self._run(flows.ask(flows.results_call(job_id, nested=nested), self._terms))

    def cancel(self, job_id: str | int) -> dict[str, Any]:
        """Cancel a job or a batch and all below it. Raises RequestRefused where it has ended otherwise."""
        return self._run(flows.cancel(job_id, self._terms))

    def wait(self, job_id: str | int, timeout: float | None = None) -> dict[str, Any]:
        """Return the results of a job or a batch when it has ended. Raises StillRunning after ``timeout`` seconds.

        The calling job's slot is lent meanwhile, and is had again before this returns or raises.
        """
        handle = flows.checked_id(job_id)
        with self._slot_lent():
            return self._run(flows.outcome(handle, self._terms, timeout))

    def events(
        self, since: int | None = None, job_id: str | int | None = None
    ) -> Generator[dict[str, Any], None, None]:
        """Yield each change of a job: its status object and ``seq``; of ``job_id`` and all below it, or of all you may see.

        ``since``: the ``seq`` after which to begin (None: now). Goes on where it was after a loss of the server. Ends
        only when you stop asking.
        """
        top = None if job_id is None else flows.checked_id(job_id)
        with self._line() as line:
            feed = flows.follow(self._terms, since, top)
            heard: Heard = None
            while True:
                step = feed.send(heard)
                if isinstance(step, Tell):
                    heard = None
                    yield from (dict(job) for job in step.jobs)
                else:
                    heard = line.do(step)

    def close(self) -> None:
        """Do nothing: no connection outlives a call."""

    def __enter__(self) -> "SyncRecursiveOrchestratorClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _line(self) -> Line:
        return Line(self._place, self._key())

    def _run(self, flow: Flow[T]) -> T:
        with self._line() as line:
            heard: Heard = None
            while True:
                try:
                    step = flow.send(heard)
                except StopIteration as end:
                    value: T = end.value
                    return value
                heard = line.do(step)

    @contextmanager
    def _slot_lent(self) -> Iterator[None]:
        name = secrets.token_hex(16)
        try:
            if self._has_slot:
                self._has_slot = self._run(flows.lend_slot(name, self._terms))
            yield
        except OrchestratorUnavailable:
            raise  # nobody is there to have it from
        except BaseException:
            self._take_slot_back(name)
            raise
        self._take_slot_back(name)

    def _take_slot_back(self, name: str) -> None:
        if self._has_slot:
            self._run(flows.take_slot_back(name, self._terms))


class RecursiveOrchestratorClient(_Client):
    """The same in an event loop. One client may be used by many tasks, and in one event loop after the other."""

    async def orchestrate_subtasks(
        self,
        request: str,
        max_workers: int = 5,
        timeout: float | None = None,  # noqa: ASYNC109 - the jobs' time, not that of this call
        wait: bool = True,
        raise_on_failure: bool = False,
        **config: Any,
    ) -> dict[str, Any]:
        """Do what ``SyncRecursiveOrchestratorClient.orchestrate_subtasks`` does."""
        handed_in = await self.submit(request, max_workers=max_workers, default_timeout=timeout, **config)
        if not wait:
            return handed_in
        with _goes_on(handed_in["job_id"]):
            return _checked(await self.wait(handed_in["job_id"]), raise_on_failure)

    async def submit(self, request: str, *, idempotency_key: str | None = None, **config: Any) -> dict[str, Any]:
        """Hand in ``request`` and return at once: ``job_id`` of the tree or of the batch, ``job_ids``, ``notes``."""
        return await self._run(self._submit(request, idempotency_key, config))

    async def status(self, job_id: str | int) -> dict[str, Any]:
        """Return what became of a job (``12``) or a batch (``12-1``) so far: ``status``, ``reason``, ``progress``, ..."""
        return await self._run(flows.ask(flows.job_call(job_id, "status"), self._terms))

    async def results(self, job_id: str | int, nested: bool = False) -> dict[str, Any]:
        """Return the results of a job or a batch that has ended. Raises RequestRefused (409) while it runs."""
        return await self._run(flows.ask(flows.results_call(job_id, nested=nested), self._terms))

    async def cancel(self, job_id: str | int) -> dict[str, Any]:
        """Cancel a job or a batch and all below it. Raises RequestRefused where it has ended otherwise."""
        return await self._run(flows.cancel(job_id, self._terms))

    async def wait(self, job_id: str | int, timeout: float | None = None) -> dict[str, Any]:  # noqa: ASYNC109 - as the other
        """Return the results of a job or a batch when it has ended. Raises StillRunning after ``timeout`` seconds.

        The calling job's slot is lent meanwhile, and is had again before this returns or raises, also when the task is
        cancelled: that may take as long as another job holds the slot.
        """
        handle = flows.checked_id(job_id)
        async with self._slot_lent():
            return await self._run(flows.outcome(handle, self._terms, timeout))

    async def events(
        self, since: int | None = None, job_id: str | int | None = None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield each change of a job, as ``SyncRecursiveOrchestratorClient.events`` does.

        Whoever leaves it early closes it: ``async with contextlib.aclosing(client.events()) as events``.
        """
        top = None if job_id is None else flows.checked_id(job_id)
        async with self._line() as line:
            feed = flows.follow(self._terms, since, top)
            heard: Heard = None
            while True:
                step = feed.send(heard)
                if isinstance(step, Tell):
                    heard = None
                    for job in step.jobs:
                        yield dict(job)
                else:
                    heard = await line.do(step)

    async def aclose(self) -> None:
        """Do nothing: no connection outlives a call."""

    close = aclose

    async def __aenter__(self) -> "RecursiveOrchestratorClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    def _line(self) -> AsyncLine:
        return AsyncLine(self._place, self._key())

    async def _run(self, flow: Flow[T]) -> T:
        async with self._line() as line:
            heard: Heard = None
            while True:
                try:
                    step = flow.send(heard)
                except StopIteration as end:
                    value: T = end.value
                    return value
                heard = await line.do(step)

    @asynccontextmanager
    async def _slot_lent(self) -> AsyncIterator[None]:
        name = secrets.token_hex(16)
        try:
            if self._has_slot:
                self._has_slot = await self._run(flows.lend_slot(name, self._terms))
            yield
        except OrchestratorUnavailable:
            raise  # nobody is there to have it from
        except BaseException:
            await self._take_slot_back(name)
            raise
        await self._take_slot_back(name)

    async def _take_slot_back(self, name: str) -> None:
        if self._has_slot:
            await self._run(flows.take_slot_back(name, self._terms))


def _checked(results: dict[str, Any], raise_on_failure: bool) -> dict[str, Any]:
    if raise_on_failure and results["status"] != "completed":
        raise SubtasksFailed(results)
    return results


@contextmanager
def _goes_on(job_id: str) -> Iterator[None]:
    """Tell whoever gets no answer any more how to come back to what goes on without."""
    try:
        yield
    except OrchestratorUnavailable as error:
        error.add_note(f"the subtasks go on as {job_id}: wait({job_id!r}) takes them up again")
        raise
