"""The server itself: offers the tools, carries out calls, turns refusals into failed calls of one clear line.

Standard output carries the protocol alone; what is to be logged goes to standard error.
"""

import logging
import sys
from importlib.metadata import version
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from store.errors import BadInput, StaleAttempt, StoreError
from tui_orch.client.text import one_line
from tui_orch.mcp_server.answer import Answer
from tui_orch.mcp_server.catalog import ENTRIES, INSTRUCTIONS
from tui_orch.mcp_server.desk import Desk, Ways
from tui_orch.mcp_server.given import BadArguments, Given
from tui_orch.mcp_server.stdio import standard_input
from tui_orch.request.errors import RequestError
from tui_orch.worker.claude.tasks import BadTasks
from tui_orch.worker.claude.wording import sound

NAME = "orch"
_BY_NAME = {entry.offer.name: entry for entry in ENTRIES}
_ERROR_CHARS = 1_000

Context = ServerRequestContext[dict[str, Any]]


def serve(ways: Ways) -> None:
    """Serve the one client on standard input and output until it closes them."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="orch mcp: %(levelname)s %(name)s: %(message)s"
    )
    anyio.run(_serve, build(Desk(ways)))


def build(desk: Desk) -> Server[dict[str, Any]]:
    """Return the server that works on ``desk``."""

    async def list_tools(_: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[entry.offer for entry in ENTRIES])

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        return await _call(desk, context, params)

    return Server(
        NAME,
        version=version("tui-orch"),
        title="tui-orch",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _serve(server: Server[dict[str, Any]]) -> None:
    async with stdio_server(stdin=standard_input()) as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


async def _call(desk: Desk, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    entry = _BY_NAME.get(params.name)
    if entry is None:
        raise MCPError(types.INVALID_PARAMS, f"there is no tool {one_line(params.name)[:100]!r}")

    async def progress(amount: float, message: str) -> None:
        await context.session.report_progress(amount, message=message)

    try:
        known = entry.offer.input_schema["properties"]
        given = Given(params.name, sound(dict(params.arguments or {})), tuple(known))
        return _result(await entry.do(desk, given, progress))
    except (BadArguments, BadTasks, RequestError, BadInput) as error:
        return _failed(f"Not done: {error}")
    except StaleAttempt as error:
        return _failed(f"This attempt is over: stop, nothing that you do counts any more ({error}).")
    except StoreError as error:
        return _failed(f"Refused: {error}")
    except OSError as error:
        return _failed(f"Not done: {error}")


def _result(answer: Answer) -> types.CallToolResult:
    data = None if answer.data is None else dict(answer.data)
    return types.CallToolResult(content=[types.TextContent(text=answer.text)], structured_content=data)


def _failed(text: str) -> types.CallToolResult:
    line = one_line(text)
    shown = line if len(line) <= _ERROR_CHARS else f"{line[: _ERROR_CHARS - 1]}…"
    return types.CallToolResult(content=[types.TextContent(text=shown)], is_error=True)
