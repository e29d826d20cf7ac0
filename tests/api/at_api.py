"""A store that the API serves: real uvicorn in a thread, on a loopback port of the system's choice, and short verbs."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx

from store import asks, claim, finish, keys, submit
from store.database import Store
from store.home import Home
from store.models import Fence, Job, Limits, NewJob, NewTree, Outcome
from store.states import Kind, Status
from store.tree import get_job
from tui_orch.api.rates import Rates
from tui_orch.api.server import Server
from tui_orch.client.measures import now_ms

PATIENCE_S = 20.0


class AtApi:
    """The store, its server, and a person's key. Nothing supervises: a test itself starts and ends jobs."""

    def __init__(self, store: Store, server: Server) -> None:
        self.store = store
        self.server = server
        self.key_id, self.key = self.new_key("a test")
        self.clients: list[httpx.Client] = []
        self.person = self.client(self.key)

    @property
    def url(self) -> str:
        return self.server.url

    def new_key(self, name: str, expires_ms: int | None = None) -> tuple[int, str]:
        with self.store.write() as tx:
            found, secret = keys.new_key(tx, name, now_ms(), expires_ms=expires_ms)
        return found.id, secret

    def client(self, secret: str | None = None) -> httpx.Client:
        """Return a client with this key or token, or without any."""
        headers = {} if secret is None else {"X-API-Key": secret}
        made = httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=PATIENCE_S, trust_env=False)
        self.clients.append(made)
        return made

    def tree(self, request: str = "the whole thing", kind: Kind = Kind.COMMAND, **limits: Any) -> int:
        with self.store.write() as tx:
            return submit.submit_tree(tx, NewTree(NewJob(request, kind), limits=Limits(**limits)), now_ms())

    def group(self, *items: str, **limits: Any) -> tuple[int, list[int]]:
        """Submit a group of commands and return its id and theirs."""
        new = NewTree(NewJob("all", Kind.GROUP), tuple(NewJob(item, Kind.COMMAND) for item in items), Limits(**limits))
        with self.store.write() as tx:
            root = submit.submit_tree(tx, new, now_ms())
            return root, [row[0] for row in tx.rows("SELECT id FROM jobs WHERE parent_id = ? ORDER BY id", (root,))]

    def start(self, job_id: int) -> tuple[Fence, str]:
        """Start a job's next attempt and return it with its token."""
        token = secrets.token_hex(16)
        with self.store.write() as tx:
            fence = claim.start_attempt(tx, job_id, claim.token_hash(token), now_ms())
            claim.claim(tx, fence, 4711, now_ms())
        return fence, token

    def worker(self, job_id: int) -> tuple[Fence, httpx.Client]:
        """Start a job and return its attempt with a client of its worker."""
        fence, token = self.start(job_id)
        return fence, self.client(token)

    def spawn(self, fence: Fence, *tasks: str) -> tuple[int, ...]:
        with self.store.write() as tx:
            return submit.spawn(tx, fence, [NewJob(task, Kind.COMMAND) for task in tasks], now_ms()).job_ids

    def finish(self, fence: Fence, status: Status = Status.COMPLETED, **told: Any) -> Status:
        with self.store.write() as tx:
            return finish.finish(tx, fence, Outcome(status, retry=False, **told), now_ms())

    def run(self, job_id: int, status: Status = Status.COMPLETED, **told: Any) -> Status:
        return self.finish(self.start(job_id)[0], status, **told)

    def suspend(self, fence: Fence) -> None:
        with self.store.write() as tx:
            finish.suspend(tx, fence, "children", "session-1", Outcome(Status.COMPLETED).usage, now_ms())

    def ask(self, fence: Fence, **told: Any) -> int:
        with self.store.write() as tx:
            return asks.ask(tx, fence, **{"kind": "question", "question": "which colour?", "now_ms": now_ms()} | told)

    def grant(self, job_id: int) -> bool:
        with self.store.write() as tx:
            return claim.grant_slot(tx, job_id)

    def job(self, job_id: int) -> Job:
        with self.store.read() as reader:
            return get_job(reader, job_id)

    def count(self, table: str) -> int:
        with self.store.read() as reader:
            return int(reader.value(f"SELECT count(*) FROM {table}"))

    def depths(self) -> dict[int, int]:
        with self.store.read() as reader:
            return dict(reader.rows("SELECT id, depth FROM jobs"))

    def wait_for(self, look: Callable[[], Any], what: str) -> Any:
        """Return what ``look`` finds once it is something."""
        until = time.monotonic() + PATIENCE_S
        while not (found := look()):
            assert time.monotonic() < until, f"still waiting for {what}"
            time.sleep(0.005)
        return found

    def close(self) -> None:
        for client in self.clients:
            client.close()


@contextmanager
def at_api(project: Path, rates: Rates | None = None) -> Iterator[AtApi]:
    """Serve a new store in ``project`` while the block runs."""
    with (
        Store.open(Home(project / ".orch"), create=True) as store,
        Server(store.home, port=0, rates=rates) as server,
    ):
        at = AtApi(store, server)
        try:
            yield at
        finally:
            at.close()


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem that an answer is, of this status and code, in the one shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= set(found)
    assert found["code"] == code, found
    assert found["status"] == status
    assert found["type"] == f"urn:tui-orch:{code}"
    assert "\n" not in found["detail"]
    return found


class Listener:
    """Reads server-sent events from an answer that streams."""

    def __init__(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        self._lines = answer.iter_lines()

    def next(self) -> tuple[str, int, Any]:
        """Return the next event: its kind, number and data. A line of a comment is the kind ``:``."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if line.startswith(":"):
                assert next(self._lines) == ""
                return ":", int(line[1:]), None
            if line == "":
                return fields["event"], int(fields["id"]), json.loads(fields["data"])
            name, _, value = line.partition(": ")
            fields[name] = value
        raise EOFError("the stream has ended")

    def until(self, **wanted: Any) -> dict[str, Any]:
        """Return the first job that is as wanted."""
        while True:
            kind, seq, data = self.next()
            if kind == "job" and all(data[name] == value for name, value in wanted.items()):
                assert data["seq"] == seq
                return dict(data)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[str, int, Any]:
        try:
            return self.next()
        except EOFError:
            raise StopIteration from None
