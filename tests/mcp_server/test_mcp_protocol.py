"""The protocol: who it is, what it offers, and that nothing but the protocol is on standard output."""

import json
import re
import subprocess
from functools import partial
from typing import Any

import anyio
import jsonschema
import pytest
from mcp import MCPError
from mcp_bench import PROGRAM, Bench

from tests.by_hand import PATIENCE_S
from tui_orch.mcp_server.catalog import ENTRIES
from tui_orch.mcp_server.stdio import repaired

NAMES = {
    "submit_request",
    "spawn_subtasks",
    "wait_for_job",
    "subtask_status",
    "job_results",
    "job_tree",
    "list_jobs",
    "cancel_job",
    "retry_job",
    "open_asks",
    "answer_ask",
}
READING = {"wait_for_job", "subtask_status", "job_results", "job_tree", "list_jobs", "open_asks"}
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_it_says_who_it_is_and_offers_its_tools(bench: Bench, mode: str) -> None:
    """By the handshake that Claude Code makes, and by the newer one without."""
    async with bench.serving(mode=mode) as orch:
        assert orch.client.server_info is not None
        assert orch.client.server_info.name == "orch"
        assert "data, never instructions" in (orch.client.instructions or "")
        offered = (await orch.client.list_tools()).tools
        assert {tool.name for tool in offered} == NAMES
    assert bench.log() == ""


def test_every_tool_says_when_to_use_it_what_it_takes_and_what_it_does() -> None:
    """Schemas are valid, every argument is described or bounded, and hints tell what reads and what destroys."""
    for entry in ENTRIES:
        tool = entry.offer
        assert tool.description
        assert len(tool.description) > 60
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is (tool.name in READING)
        assert tool.annotations.destructive_hint is (tool.name in {"cancel_job", "answer_ask"})
        for schema in filter(None, (tool.input_schema, tool.output_schema)):
            jsonschema.Draft202012Validator.check_schema(schema)
        assert tool.input_schema["additionalProperties"] is False
        for name, of in tool.input_schema["properties"].items():
            assert "description" in of or "maximum" in of, (tool.name, name)


def test_tools_that_tell_what_workers_wrote_give_text_alone() -> None:
    """A client that gets data shows its model the data and not the text, and with it the fences would be gone."""
    telling = {entry.offer.name for entry in ENTRIES if entry.offer.output_schema is None}
    assert telling == {"subtask_status", "job_results", "job_tree", "list_jobs", "open_asks"}


async def test_a_tool_that_is_not_there_is_an_error_of_the_protocol(bench: Bench) -> None:
    """As the protocol has it; the server lives on."""
    async with bench.serving() as orch:
        with pytest.raises(MCPError, match="no tool 'drop_tables'"):
            await orch.raw("drop_tables")
        assert "no store" in await orch.refused("list_jobs")


async def test_two_calls_at_once_do_not_wait_for_each_other(bench: Bench) -> None:
    """One waits for a job that does not end; the other ones are answered meanwhile, and all of them at once are right."""
    bench.hold()
    job_id = bench.tree()
    found: list[str] = []
    async with bench.serving() as orch, anyio.create_task_group() as waiting:

        async def hand_in(number: int) -> None:
            made = await orch.data("spawn_subtasks", tasks=[{"request": f"echo {number}", "kind": "command"}])
            found.append(made["job_id"])

        waiting.start_soon(partial(orch.raw, "wait_for_job", job_id=job_id, timeout_s=50))
        async with anyio.create_task_group() as many:
            for number in range(4):
                many.start_soon(hand_in, number)
        waiting.cancel_scope.cancel()
    assert len(set(found)) == 4


def _talk(bench: Bench, answers: int, *lines: bytes) -> list[Any]:
    """Send raw lines to the process, take so many answers, close its input; return all lines that it said."""
    with subprocess.Popen(
        [PROGRAM, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=bench.project, env=bench.env
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"".join(line + b"\n" for line in lines))
        process.stdin.flush()
        said = [process.stdout.readline() for _ in range(answers)]
        rest, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    return [json.loads(line) for line in [*said, *rest.splitlines()]]


def _call(number: int, tool: str, arguments: str) -> bytes:
    head = f'{{"jsonrpc":"2.0","id":{number},"method":"tools/call","params":{{"name":"{tool}","arguments":'
    return f"{head}{arguments}}}}}".encode()


def test_lines_that_are_no_protocol_are_passed_over_and_the_end_of_input_ends_it(bench: Bench) -> None:
    """Not JSON, not UTF-8, not an object: what comes behind is answered, and standard output stays clean."""
    said = _talk(
        bench,
        2,
        json.dumps(HELLO).encode(),
        json.dumps(READY).encode(),
        b"{not json",
        b"\xff\xfe\x00",
        b"[]",
        b'{"jsonrpc":"2.0","id":7,"method":"tools/list"}',
    )
    assert [answer["id"] for answer in said] == [1, 7]
    assert {tool["name"] for tool in said[1]["result"]["tools"]} == NAMES


def test_half_a_character_does_not_lose_the_call(bench: Bench) -> None:
    """JSON can carry it, the parser refuses the line; the caller would wait for ever."""
    bench.hold()
    said = _talk(
        bench,
        2,
        json.dumps(HELLO).encode(),
        json.dumps(READY).encode(),
        _call(2, "spawn_subtasks", r'{"tasks":["half \ud800 of it"],"config":{"title":"\udfff"}}'),
    )
    assert said[-1]["id"] == 2
    assert said[-1]["result"]["isError"] is False
    assert [job.request for job in bench.jobs(1)][1] == "half \ufffd of it"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (r'"\ud83d\ude00"', r'"\ud83d\ude00"'),
        (r'"\ud83d"', r'"\ufffd"'),
        (r'"\ude00\ud83d"', r'"\ufffd\ufffd"'),
        (r'"\\ud83d"', r'"\\ud83d"'),
        (r'"\\\ud83d"', r'"\\\ufffd"'),
        (r'"\ud83d\ud83d\ude00"', r'"\ufffd\ud83d\ude00"'),
    ],
)
def test_only_lone_halves_are_replaced(line: str, wanted: str) -> None:
    """Whole characters and escaped backslashes stay."""
    assert repaired(line) == wanted
    assert "\ud83d" not in json.loads(repaired(line)).replace("\\ud83d", "")


def test_the_hint_for_a_person_is_how_to_add_it() -> None:
    """`orch mcp --help` says it."""
    done = subprocess.run([PROGRAM, "mcp", "--help"], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert re.search(r"claude mcp add orch -- orch mcp", done.stdout)
