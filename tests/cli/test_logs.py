"""``orch logs``: all attempts or one, followed, raw or clean, and Claude Code's transcript made readable."""

import json
from pathlib import Path
from typing import Any

import pytest
from at_orch import AtOrch, one_line

from store.finish import release
from store.home import private_dir
from store.models import Fence
from store.states import Kind
from tui_orch.cli.transcript_view import entry_lines

NOISE = b"\x1b[31mred\x1b[0m 10%\r20%\r\n\xe6\x97\xa5 \xff end"


def write(orch: AtOrch, fence: Fence, data: bytes, name: str = "output") -> Path:
    path = private_dir(orch.home.attempt_dir(fence.job_id, fence.attempt)) / name
    with path.open("ab") as file:
        file.write(data)
    return path


def again(orch: AtOrch, fence: Fence) -> Fence:
    with orch.store.write() as tx:
        release(tx, fence, "shutdown", 1)
    return orch.start(fence.job_id)


@pytest.fixture
def command(orch: AtOrch) -> Fence:
    return orch.start(orch.tree("make", Kind.COMMAND))


def test_output_is_printed_clean_or_raw(orch: AtOrch, command: Fence) -> None:
    """Clean: nothing in it acts. Raw: byte for byte."""
    write(orch, command, NOISE)
    assert orch("logs", "1").out == "␛[31mred␛[0m 10%␍20%\n日 � end\n"
    raw = orch.start_process("logs", "1", "--raw")
    assert raw.stdout is not None
    assert raw.stdout.buffer.read() == NOISE
    assert raw.wait(20) == 0
    raw.stdout.close()
    assert raw.stderr is not None
    raw.stderr.close()


def test_all_attempts_are_printed_or_the_one_that_is_named(orch: AtOrch, command: Fence) -> None:
    """In their order."""
    write(orch, command, b"first try\n")
    write(orch, again(orch, command), b"second try\n")
    assert orch("logs", "1").out == "first try\n--- attempt 2 ---\nsecond try\n"
    assert orch("logs", "1", "--attempt", "2").out == "second try\n"


def test_following_goes_on_to_the_jobs_end(orch: AtOrch, command: Fence) -> None:
    """Through the next attempt; characters that come in halves are whole."""
    with orch.start_process("logs", "1", "-f") as logs:
        assert logs.stdout is not None
        write(orch, command, "日本".encode()[:4])
        write(orch, command, "日本".encode()[4:] + b"\n")
        assert logs.stdout.readline() == "日本\n"
        second = again(orch, command)
        assert logs.stdout.readline() == "--- attempt 2 ---\n"
        write(orch, second, b"last words")
        orch.finish(second)
        assert logs.stdout.read() == "last words\n"
        assert logs.wait(20) == 0


def test_following_waits_for_the_first_attempt(orch: AtOrch) -> None:
    """Without following it says that there is none yet."""
    orch.tree("make", Kind.COMMAND)
    assert "not started yet" in one_line(orch("logs", "1").err)
    with orch.start_process("logs", "1", "--follow") as logs:
        fence = orch.start(1)
        write(orch, fence, b"hello\n")
        orch.finish(fence)
        assert logs.communicate(timeout=20)[0] == "hello\n"


def test_what_is_no_plain_file_is_not_read(orch: AtOrch, command: Fence) -> None:
    """A link or a pipe in the log's place could lead anywhere, or block."""
    path = write(orch, command, b"")
    path.unlink()
    (orch.project / "secret").write_text("password")
    path.symlink_to(orch.project / "secret")
    done = orch("logs", "1")
    assert (done.code, done.out) == (1, "")
    one_line(done.err)


def test_a_group_has_no_log(orch: AtOrch) -> None:
    """It has no process."""
    assert orch("submit", "--request", "1. a\n2. b", "--no-supervisor").code == 0
    assert "orch tree 1" in orch.refused("logs", "1")


def entry(kind: str, **values: Any) -> bytes:
    return json.dumps({"at_ms": 1, "type": kind, **values}).encode() + b"\n"


def test_a_transcript_is_made_readable(orch: AtOrch) -> None:
    """Prompt, words, calls, what came back, and the end; a broken line is shown as it is."""
    fence = orch.start(orch.tree())
    write(
        orch,
        fence,
        entry("Prompt", text="Build\nit", resume=None)
        + entry("SystemMessage", subtype="init", data={"session_id": "s-1", "model": "m"})
        + entry("AssistantMessage", content=[{"block": "TextBlock", "text": "I look.\x1b[2J"}])
        + entry(
            "AssistantMessage",
            content=[
                {
                    "block": "ToolUseBlock",
                    "id": "t",
                    "name": "Bash",
                    "input": {"description": "look", "command": "ls\n-l"},
                }
            ],
        )
        + entry("UserMessage", content=[{"block": "ToolResultBlock", "tool_use_id": "t", "content": "a\nb"}])
        + b'{"half\n'
        + entry("ResultMessage", is_error=False, num_turns=3, total_cost_usd=0.5),
        "transcript.jsonl",
    )
    assert orch("logs", "1").out.splitlines() == [
        "> prompt",
        "  Build",
        "  it",
        "session s-1, model m",
        "I look.␛[2J",
        "-> Bash ls -l",
        "<- a",
        "   b",
        '{"half',
        "= ended after 3 turns, session so far $0.50",
    ]


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ({"type": "AssistantMessage", "content": [{"name": "mcp__orch__spawn_subtasks", "input": {"tasks": ["a"], "wait": True}}]},
         ['-> spawn_subtasks {"tasks": ["a"], "wait": true}']),
        ({"type": "AssistantMessage", "content": [], "error": "rate_limit"}, ["! rate_limit"]),
        ({"type": "UserMessage", "content": [{"tool_use_id": "t", "is_error": True, "content": [{"type": "text", "text": "no"}]}]},
         ["<- error: no"]),
        ({"type": "UserMessage", "content": [{"tool_use_id": "t", "content": "\n".join(map(str, range(40)))}]},
         ["<- 0", *(f"   {n}" for n in range(1, 12)), "   ... 28 more lines"]),
        ({"type": "SystemMessage", "subtype": "api_retry", "data": {"error_status": 529, "attempt": 2, "max_retries": 3}},
         ["! the API fails (529), try 2 of 3"]),
        ({"type": "RateLimitEvent", "rate_limit_info": {"status": "rejected", "rate_limit_type": "five_hour", "resets_at": 5}},
         ["! usage limit (five_hour): rejected, resets at 5"]),
        ({"type": "RateLimitEvent", "rate_limit_info": {"status": "allowed"}}, []),
        ({"type": "ResultMessage", "is_error": True, "api_error_status": 401}, ["= ended with an error (API status 401)"]),
        ({"type": "Something new", "content": 5}, []),
        ({"type": "AssistantMessage", "content": None}, []),
        ({"type": "AssistantMessage", "content": [7, {"thinking": "hm"}]}, []),
        ({"type": "SystemMessage", "data": "odd"}, []),
        ({}, []),
    ],
)  # fmt: skip
def test_entries_of_a_transcript(given: dict[str, Any], lines: list[str]) -> None:
    """What is known is short; what is not known is left out."""
    assert entry_lines(given) == lines
