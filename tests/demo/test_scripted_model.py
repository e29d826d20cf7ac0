"""The double of the Messages API, asked over real sockets as Claude Code asks it."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tui_orch.demo import wire
from tui_orch.demo.faults import overloaded, unauthorized, usage_limit
from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import Role, Script, Tokens, ToolCall, Turn, script_to_json

BASH = ToolCall("Bash", {"command": "echo 'ü'"})


def script(*turns: Turn) -> Script:
    return Script((Role("^Build", turns),))


def question(prompt: str = "Build it.\nNow.", *, stream: bool = False, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": prompt}]
    return {"model": "m", "stream": stream, "messages": messages, "tools": [{"name": "Bash"}], **more}


def connect(url: str) -> HTTPConnection:
    return HTTPConnection(urlsplit(url).netloc, timeout=30)


def post(url: str, body: Any, path: str = "/v1/messages?beta=true") -> tuple[int, Any]:
    connection = connect(url)
    try:
        connection.request("POST", path, json.dumps(body), {"X-Claude-Code-Session-Id": "s1"})
        answer = connection.getresponse()
        raw = answer.read().decode()
        return answer.status, json.loads(raw) if answer.headers["Content-Type"] == "application/json" else raw
    finally:
        connection.close()


def until(come: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def test_a_turn_is_one_message() -> None:
    with ScriptedModel(script(Turn("Hello", (BASH,), usage=Tokens(7, 8, 9, 10)))) as model:
        status, answer = post(model.url, question())
    assert status == 200
    assert answer["content"][0] == {"type": "text", "text": "Hello"}
    assert answer["content"][1].items() >= {"type": "tool_use", "name": "Bash", "input": BASH.input}.items()
    assert (answer["role"], answer["model"], answer["stop_reason"]) == ("assistant", "m", "tool_use")
    assert list(answer["usage"].values()) == [7, 8, 9, 10]


def test_the_same_turn_as_a_stream_adds_up_to_the_message() -> None:
    with ScriptedModel(script(Turn("Hello", (BASH,)))) as model:
        status, raw = post(model.url, question(stream=True))
    events = [json.loads(line[6:]) for line in raw.splitlines() if line.startswith("data: ")]
    assert status == 200
    assert [event["type"] for event in events] == [
        "message_start",
        *(["content_block_start", "content_block_delta", "content_block_stop"] * 2),
        "message_delta",
        "message_stop",
    ]
    assert events[2]["delta"] == {"type": "text_delta", "text": "Hello"}
    assert json.loads(events[5]["delta"]["partial_json"]) == BASH.input
    assert events[7]["delta"]["stop_reason"] == "tool_use"


def test_one_connection_serves_many_questions_and_a_look() -> None:
    with ScriptedModel(script(Turn("Hello"))) as model:
        connection = connect(model.url)
        for method, path, status in [("HEAD", "/", 200), ("GET", "/x", 404), ("HEAD", "/", 200)]:
            connection.request(method, path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
        connection.close()
        assert model.entries() == ()


def test_side_calls_are_answered_and_play_no_turn() -> None:
    with ScriptedModel(script(Turn("Hello"))) as model:
        assert post(model.url, {**question(), "tools": []})[1]["content"][0]["text"] == "ok"
        status, count = post(model.url, question(), "/v1/messages/count_tokens?beta=true")
        assert status == 200
        assert count["input_tokens"] > 0
        assert [entry.what for entry in model.entries()] == ["utility", "utility"]


def test_an_error_is_answered_as_often_as_it_says_per_request_text() -> None:
    with ScriptedModel(script(Turn("Hello", error=overloaded(2)))) as model:
        first = [post(model.url, question())[0] for _ in range(3)]
        other = [post(model.url, question("Build that."))[0] for _ in range(3)]
        assert first == other == [529, 529, 200]
        assert post(model.url, question("Build x."))[1]["error"]["type"] == "overloaded_error"
        assert [entry.what for entry in model.entries()][:3] == ["error", "error", "answered"]


def test_a_wrong_key_stays_wrong() -> None:
    with ScriptedModel(script(Turn("Hello", error=unauthorized()))) as model:
        assert [post(model.url, question())[0] for _ in range(4)] == [401] * 4


def test_a_usage_limit_carries_its_headers() -> None:
    with ScriptedModel(script(Turn("Hello", error=usage_limit(1_800_000_000)))) as model:
        connection = connect(model.url)
        connection.request("POST", "/v1/messages", json.dumps(question()))
        answer = connection.getresponse()
        answer.read()
        connection.close()
    assert answer.status == 429
    assert answer.headers["anthropic-ratelimit-unified-status"] == "rejected"
    assert answer.headers["anthropic-ratelimit-unified-reset"] == "1800000000"
    assert answer.headers["anthropic-ratelimit-unified-representative-claim"] == "five_hour"


def test_a_stream_is_cut_once_and_then_whole() -> None:
    with ScriptedModel(script(Turn("Hello", drop_after=2))) as model:
        with pytest.raises(IncompleteRead) as cut:
            post(model.url, question(stream=True))
        assert cut.value.partial.count(b"event: ") == 2
        assert post(model.url, question(stream=True))[1].count("event: ") == 6
        assert [entry.what for entry in model.entries()] == ["dropped", "answered"]


def test_a_held_turn_waits_for_its_file(tmp_path: Path) -> None:
    with ScriptedModel(script(Turn("Hello", hold="{x}/go")), substitutions={"x": str(tmp_path)}) as model:
        answers: list[Any] = []
        asking = threading.Thread(target=lambda: answers.append(post(model.url, question())))
        asking.start()
        until(lambda: [entry.what for entry in model.entries()] == ["held"])
        assert not answers
        (tmp_path / "go").touch()
        asking.join()
        assert answers[0][0] == 200
        assert [entry.what for entry in model.entries()] == ["held", "answered"]


def test_a_client_that_leaves_a_held_turn_has_not_been_answered() -> None:
    with ScriptedModel(script(Turn("Hello", hold="/nowhere/at/all"))) as model:
        connection = connect(model.url)
        connection.request("POST", "/v1/messages", json.dumps(question()))
        until(lambda: len(model.entries()) == 1)
        connection.close()
        until(lambda: [entry.what for entry in model.entries()] == ["held", "gone"])


def test_closing_ends_held_turns_idle_connections_and_threads(capfd: pytest.CaptureFixture[str]) -> None:
    before = threading.active_count()
    model = ScriptedModel(script(Turn("Hello", hold="/nowhere/at/all")))
    idle, held = connect(model.url), connect(model.url)
    idle.connect()
    held.request("POST", "/v1/messages", json.dumps(question()))
    until(lambda: len(model.entries()) == 1)
    model.close()
    model.close()
    assert threading.active_count() == before
    assert [entry.what for entry in model.entries()] == ["held", "gone"]
    idle.close()
    held.close()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("body", ["no json", "[]", '{"messages": []}', '"\\ud800"', "[" * 100_000])
def test_a_body_that_is_no_conversation_is_refused(body: str) -> None:
    with ScriptedModel(script(Turn("Hello"))) as model:
        connection = connect(model.url)
        connection.request("POST", "/v1/messages", body)
        answer = connection.getresponse()
        assert json.loads(answer.read())["error"]["type"] == "invalid_request_error"
        connection.close()
        assert (answer.status, [entry.what for entry in model.entries()]) == (400, ["rejected"])
        assert post(model.url, question())[0] == 200


def test_a_body_that_is_too_big_is_refused_unread() -> None:
    with (
        ScriptedModel(script(Turn("Hello"))) as model,
        socket.create_connection(("127.0.0.1", urlsplit(model.url).port or 0), timeout=30) as client,
    ):
        client.sendall(b"POST /v1/messages HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (wire.MAX_BODY_BYTES + 1))
        with client.makefile("rb") as answer:
            assert answer.readline().split()[1] == b"413"


def test_the_log_has_a_line_for_everything_that_happened(tmp_path: Path) -> None:
    with ScriptedModel(script(Turn("Hello")), tmp_path / "log.jsonl") as model:
        post(model.url, question())
        post(model.url, question("Else"))
        post(model.url, {"nothing": 1}, "/v1/elsewhere")
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert abs(lines[0].pop("time") - time.time()) < 60
    assert lines[0] == {
        "what": "answered", "status": 200, "role": "^Build", "turn": 0, "prompt": "Build it.", "session": "s1",
    }  # fmt: skip
    assert [(line["what"], line["status"], line["role"]) for line in lines[1:]] == [
        ("answered", 200, None),
        ("rejected", 404, None),
    ]


def test_it_runs_as_a_command_until_it_is_told_to_end(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text(script_to_json(script(Turn("Hello"))))
    argv = [sys.executable, "-m", "tui_orch.demo.model", tmp_path / "script.json", "--log", tmp_path / "log.jsonl"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        assert post(url, question())[1]["content"][0]["text"] == "Hello"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert (tmp_path / "log.jsonl").read_text().count("\n") == 1


def test_a_script_that_can_not_be_used_ends_the_command_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text('{"roles": 1}')
    argv = [sys.executable, "-m", "tui_orch.demo.model", tmp_path / "script.json"]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "script.json: roles: " in ended.stderr
