"""A store, and the real ``orch mcp`` process on it, called through the client of the official package."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from store import control
from tests.by_hand import ByHand, now_ms
from tui_orch.supervisor import daemon

PROGRAM = str(Path(sys.executable).parent / "orch")


class Calls:
    """The tools of one connection."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def raw(self, tool: str, /, **arguments: Any) -> Any:
        return await self.client.call_tool(tool, arguments)

    async def text(self, tool: str, /, **arguments: Any) -> str:
        """Call a tool that must succeed; return its text."""
        found = await self.raw(tool, **arguments)
        assert not found.is_error, found
        return str(found.content[0].text)

    async def data(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool that must succeed; return its data, which holds all that its text says."""
        found = await self.raw(tool, **arguments)
        assert not found.is_error, found
        assert found.structured_content["message"] == found.content[0].text
        return dict(found.structured_content)

    async def refused(self, tool: str, /, **arguments: Any) -> str:
        """Call a tool that must fail, in one line, which is returned."""
        found = await self.raw(tool, **arguments)
        assert found.is_error, found
        (content,) = found.content
        assert content.text.isprintable(), content.text
        assert len(content.text) <= 1_000
        return str(content.text)


class Bench(ByHand):
    """A project folder with the tools of ``orch mcp`` on it."""

    def __init__(self, project: Path, env: Mapping[str, str]) -> None:
        super().__init__(project)
        self.env = dict(env)

    def close(self) -> None:
        if self.home.root.exists():
            daemon.stop(self.home)
        super().close()

    @asynccontextmanager
    async def serving(self, *, mode: Any = "legacy", env: Mapping[str, str] | None = None) -> AsyncIterator[Calls]:
        """Start ``orch mcp`` in the project's folder and connect to it."""
        server = StdioServerParameters(
            command=PROGRAM, args=["mcp"], env={**self.env, **(env or {})}, cwd=str(self.project)
        )
        with (self.project.parent / "mcp.log").open("a") as log:
            async with Client(stdio_client(server, errlog=log), mode=mode) as client:
                yield Calls(client)

    def hold(self) -> None:
        """Let no supervisor start anything, so that a test plays the workers itself."""
        with self.store.write() as tx:
            control.pause(tx, None, now_ms())

    def log(self) -> str:
        return (self.project.parent / "mcp.log").read_text()
