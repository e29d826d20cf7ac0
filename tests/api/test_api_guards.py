"""What every call passes: host, origin, size, form, key, rate. Nothing gets by, and each refusal has its own status."""

import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from at_api import AtApi, at_api, problem

from store.keys import revoke_key
from tui_orch.api.guards import MAX_BODY_BYTES
from tui_orch.api.rates import Rates
from tui_orch.client.measures import now_ms

JSON = {"Content-Type": "application/json"}


def send(api: AtApi, head: str, body: bytes = b"") -> httpx.Response:
    """Send these very bytes and return the answer."""
    port = int(api.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)
        said = b""
        while piece := connection.recv(65_536):
            said += piece
    top, _, rest = said.partition(b"\r\n\r\n")
    first, *lines = top.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return httpx.Response(int(first.split()[1]), headers=headers, content=rest)


def head(api: AtApi, target: str, *more: str, host: str | None = None, method: str = "GET") -> str:
    named = host or api.url.removeprefix("http://")
    return "\n".join(
        [f"{method} {target} HTTP/1.1", f"Host: {named}", f"X-API-Key: {api.key}", "Connection: close", *more]
    )


def test_health_needs_no_key(quiet: AtApi) -> None:
    """And says nothing about the store."""
    answer = quiet.client().get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "LOCALHOST:{port}"])
def test_our_own_hosts_are_let_in(quiet: AtApi, host: str) -> None:
    """The three names of this machine, with the port."""
    port = quiet.url.rpartition(":")[2]
    assert send(quiet, head(quiet, "/api/v1/jobs", host=host.format(port=port))).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost:1",
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1:{port}.evil.example",
        "127.1:{port}",
    ],
)
def test_any_other_host_is_refused(quiet: AtApi, host: str) -> None:
    """A name that a page has pointed at this machine does not get in."""
    port = quiet.url.rpartition(":")[2]
    problem(send(quiet, head(quiet, "/api/v1/health", host=host.format(port=port))), 421, "wrong_host")


def test_a_call_without_a_host_is_refused(quiet: AtApi) -> None:
    """HTTP/1.0 allows it; we do not."""
    assert send(quiet, "GET /api/v1/health HTTP/1.0\nConnection: close").status_code == 421


@pytest.mark.parametrize("origin", ["null", "http://evil.example", "{url}"])
def test_any_origin_is_refused(quiet: AtApi, origin: str) -> None:
    """Even our own address: no page is ours. A preflight is refused, too."""
    headers = {"Origin": origin.format(url=quiet.url)}
    problem(quiet.person.get("/jobs", headers=headers), 403, "origin")
    problem(quiet.person.options("/orchestrate", headers=headers), 403, "origin")


def test_a_body_of_ten_megabytes_is_refused(quiet: AtApi) -> None:
    """With its length said before, and in chunks; the sender gets to see the answer."""
    body = json.dumps({"request": "x" * 10_000_000}).encode()
    problem(quiet.person.post("/orchestrate", content=body, headers=JSON), 413, "too_large")
    chunks = (body[at : at + 65_536] for at in range(0, len(body), 65_536))
    problem(quiet.person.post("/orchestrate", content=chunks, headers=JSON), 413, "too_large")
    assert quiet.count("jobs") == 1


def test_a_body_that_says_it_is_huge_is_not_waited_for(quiet: AtApi) -> None:
    """Not one byte of it is sent here."""
    problem(
        send(quiet, head(quiet, "/api/v1/orchestrate", "Content-Length: 999999999999", method="POST")), 413, "too_large"
    )


def test_the_largest_body_is_still_read(quiet: AtApi) -> None:
    """It fails for its form, not for its size."""
    body = b'{"request": "' + b"x" * (MAX_BODY_BYTES - 15) + b'"}'
    assert len(body) == MAX_BODY_BYTES
    problem(quiet.person.post("/orchestrate", content=body, headers=JSON), 422, "wrong_form")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/json; charset=utf-16",
    ],
)
def test_a_body_must_be_json(quiet: AtApi, kind: str) -> None:
    """What a form of a web page could send is not taken."""
    sent = quiet.person.post(
        "/orchestrate", content=b'{"request": "x"}', headers={"Content-Type": kind} if kind else {}
    )
    problem(sent, 415, "json_only")
    assert quiet.count("jobs") == 1


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json; charset="utf-8"']
)
def test_json_may_say_its_charset(api: AtApi, kind: str) -> None:
    """UTF-8 is what JSON is."""
    sent = api.person.post("/orchestrate", content=b'{"request": "x"}', headers={"Content-Type": kind})
    assert sent.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"request": "x",}',
        b'{"request": "x", "request": "y"}',
        b'{"request": "x", "config": {"timeout": NaN}}',
        b'{"request": "x", "config": {"timeout": Infinity}}',
        b'{"request": "\xff"}',
        b"[" * 500_000,
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        b'{"request": "x", "config": {"max_jobs": ' + b"9" * 5_000 + b"}}",
        b"\xef\xbb\xbf{}",
        b"\0",
    ],
)
def test_malformed_json_is_told_apart_from_a_wrong_form(quiet: AtApi, body: bytes) -> None:
    """400, and nothing is written."""
    problem(quiet.person.post("/orchestrate", content=body, headers=JSON), 400, "malformed")
    assert quiet.count("jobs") == 1


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/jobs/..%2f..%2fetc/status",
        "/api/v1/jobs/../../etc/passwd",
        "/api/v1/jobs/%00/status",
        "/api/v1/jobs/1%00/status",
        "/api/v1/jobs/1%0a/status",
        "/api/v1/jobs/-1/status",
        "/api/v1/jobs/0/status",
        "/api/v1/jobs/01/status",
        "/api/v1/jobs/1e3/status",
        "/api/v1/jobs/1.0/status",
        "/api/v1/jobs/1-/status",
        "/api/v1/jobs/1-0/status",
        "/api/v1/jobs/1--1/status",
        "/api/v1/jobs/%EF%BC%91/status",
        "/api/v1/jobs/%ff/status",
        "/api/v1/jobs/%F0%9F%92%A9/results",
        "/api/v1/jobs/9999999999999999999/status",
        "/api/v1/jobs/999999999999999999/status",
        "/api/v1/jobs/2/status",
        "/api/v1/jobs/1-1/status",
        "/api/v1/jobs/1/",
        "/api/v1/jobs/1'%20OR%201=1/tree",
        "/api/v1//jobs/1",
        "/api/v1/jobs/1/logs/../../../orch.db",
        "/api/v1/asks/..%2f1",
        "/docs",
        "/",
        "//",
    ],
)
def test_a_hostile_address_finds_nothing(quiet: AtApi, target: str) -> None:
    """All alike: 404, with the key in hand."""
    problem(send(quiet, head(quiet, target)), 404, "not_found")


def test_another_method_is_refused(quiet: AtApi) -> None:
    """And the answer names those that are taken."""
    answer = quiet.person.put("/orchestrate", json={})
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "orch_wrong"},
        {"X-API-Key": "0" * 64},
        {"X-API-Key": "é".encode().decode("latin-1").encode("latin-1").decode("latin-1")},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer"},
    ],
)
def test_without_a_good_key_nothing_is_told(quiet: AtApi, headers: dict[str, str]) -> None:
    """Not even whether a job is there."""
    client = quiet.client()
    for target in ("/jobs", "/jobs/1/status", "/events", "/nothing"):
        sent = client.get(target, headers={name: value.encode("latin-1") for name, value in headers.items()})  # type: ignore[arg-type]
        problem(sent, 401, "not_authenticated")
        assert sent.headers["www-authenticate"]


def test_a_key_may_come_as_a_bearer(api: AtApi) -> None:
    """In either header, but not two different ones."""
    client = api.client()
    assert client.get("/jobs", headers={"Authorization": f"Bearer {api.key}"}).status_code == 200
    both = {"Authorization": f"bearer {api.key}", "X-API-Key": api.key}
    assert client.get("/jobs", headers=both).status_code == 200
    problem(client.get("/jobs", headers=both | {"X-API-Key": "other"}), 401, "not_authenticated")


def test_a_revoked_key_opens_nothing(api: AtApi) -> None:
    """From the moment on."""
    key_id, secret = api.new_key("another")
    client = api.client(secret)
    assert client.get("/jobs").status_code == 200
    with api.store.write() as tx:
        revoke_key(tx, key_id, now_ms())
    assert "revoked" in problem(client.get("/jobs"), 401, "not_authenticated")["detail"]


def test_an_expired_key_opens_nothing(api: AtApi) -> None:
    """And says why."""
    until = now_ms() + 400
    client = api.client(api.new_key("a short one", expires_ms=until)[1])
    api.wait_for(lambda: now_ms() > until, "the key to expire")
    assert "expired" in problem(client.get("/jobs"), 401, "not_authenticated")["detail"]


def test_calls_are_counted_by_caller(tmp_path: Path) -> None:
    """Who calls too often waits; others do not wait for it. All without a key are one."""
    now: list[float] = [0.0]
    with at_api(tmp_path, Rates(per_second=1, burst=3, clock_s=lambda: now[0])) as api:
        other = api.client(api.new_key("another")[1])
        assert [api.person.get("/jobs").status_code for _ in range(4)] == [200, 200, 200, 429]
        answer = api.person.get("/jobs")
        problem(answer, 429, "too_many")
        assert answer.headers["retry-after"] == "1"
        assert other.get("/jobs").status_code == 200
        nobody = api.client()
        said: list[Any] = [nobody.get("/health"), api.client("orch_wrong").get("/jobs"), api.client("x").get("/jobs")]
        assert [each.status_code for each in said] == [200, 401, 401]
        problem(nobody.get("/jobs"), 429, "too_many")
        now[0] = 1.0
        assert api.person.get("/jobs").status_code == 200


def test_rates_fill_up_again() -> None:
    """At so many a second, up to the burst, however long nobody called."""
    now = [0.0]
    rates = Rates(per_second=2, burst=2, clock_s=lambda: now[0])
    assert [rates.take("a") for _ in range(3)] == [0, 0, 1]
    now[0] = 0.5
    assert [rates.take("a"), rates.take("a")] == [0, 1]
    now[0] = 1_000.0
    assert [rates.take("a") for _ in range(3)] == [0, 0, 1]


def test_many_callers_do_not_make_it_grow() -> None:
    """Those that have not called for long are forgotten."""
    now = [0.0]
    rates = Rates(per_second=1, burst=1, clock_s=lambda: now[0])
    for caller in range(5_000):
        now[0] += 1.0
        assert rates.take(f"key:{caller}") == 0
    assert len(rates._buckets) <= 1_002
