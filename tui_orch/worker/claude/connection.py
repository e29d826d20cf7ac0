"""The line to one Claude Code process: start it, say one prompt, hear its messages, interrupt it, end it.

Turns everything that the SDK raises into one of two errors of ours, since it also raises plain ``Exception`` (a control
request that fails or times out). Knows nothing of jobs.
"""

import asyncio
import logging
import warnings
from asyncio.subprocess import DEVNULL, PIPE
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from claude_agent_sdk import (
    CanUseToolShadowedWarning,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    ClaudeSDKError,
    CLINotFoundError,
    Message,
    ProcessError,
    ResultError,
    ResultMessage,
)

from tui_orch.worker.claude.judge import is_too_old, too_old_text
from tui_orch.worker.claude.prompt import Prompt
from tui_orch.worker.claude.wording import cut

_LAST_LINES = 20
#: Seconds and characters for the word of a Claude Code that never began on how old it is.
_VERSION_S = 5.0
_VERSION_CHARS = 40
_LAST_CHARS = 2_000
_log = logging.getLogger(__name__)


class Broken(Exception):
    """Claude Code could not be started, or broke off. The text is for a person."""


class Unusable(Broken):
    """There is no Claude Code that could be started: missing, not executable, not a program."""


class ResumeRefused(Broken):
    """Claude Code ran, but refused to begin: what a session that is not there any more looks like."""


class Connection:
    """``async with Connection(options) as line: ...``. Raises Broken from each call."""

    def __init__(self, options: ClaudeAgentOptions) -> None:
        self._stderr: deque[str] = deque(maxlen=_LAST_LINES)
        self._client = ClaudeSDKClient(replace(options, stderr=self._stderr.append))
        self._resumes = options.resume is not None
        self._cli_path = options.cli_path

    async def __aenter__(self) -> Self:
        try:
            with warnings.catch_warnings():
                # That our own tools and the tree's allowed ones answer before the callback is what we want.
                warnings.simplefilter("ignore", CanUseToolShadowedWarning)
                await self._client.connect()
        except ResultError as error:
            raise (ResumeRefused if self._resumes else Broken)(explain(error)) from error
        except Exception as error:
            if isinstance(error, CLINotFoundError) or isinstance(error.__cause__, OSError):
                raise Unusable(explain(error)) from error
            raise await self._why_it_never_began(error) from error
        return self

    async def _why_it_never_began(self, error: Exception) -> Broken:
        """Tell a Claude Code that is too old, which knows neither our options nor how to say so, from one that broke."""
        version = None if self._cli_path is None else await _version_of(str(self._cli_path))
        return Unusable(too_old_text(version)) if version and is_too_old(version) else _broken(error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closes its input, and after 5 s terminates it, after 10 s kills it.
        await self._client.disconnect()

    @property
    def last_words(self) -> str:
        """What Claude Code last wrote to its standard error; complete once the connection is closed."""
        return cut("\n".join(self._stderr), _LAST_CHARS)

    async def say(self, prompt: Prompt) -> None:
        """Say the prompt: as typed by a person, or as a text in which nothing is expanded or run."""

        async def one() -> AsyncIterator[dict[str, Any]]:
            yield {
                "type": "user",
                "message": {"role": "user", "content": prompt.text},
                "parent_tool_use_id": None,
                **({"client_composed": True} if prompt.verbatim else {}),
            }

        try:
            await self._client.query(one())
        except Exception as error:
            raise _broken(error) from error

    async def messages(self) -> AsyncIterator[Message]:
        """Yield what Claude Code says, up to the end of its turn."""
        heard = self._client.receive_messages()
        while True:
            try:
                message = await anext(heard)
            except StopAsyncIteration:
                return
            except Exception as error:
                raise _broken(error) from error
            yield message
            if isinstance(message, ResultMessage):
                return

    async def interrupt(self, timeout_s: float) -> None:
        """Ask Claude Code to end its turn now; whether it did shows in its messages."""
        with suppress(TimeoutError):
            try:
                async with asyncio.timeout(timeout_s):
                    await self._client.interrupt()
            except TimeoutError:
                raise
            except Exception as error:  # noqa: BLE001 - see the module's docstring; it is ended anyway
                _log.info("Claude Code did not take the interrupt: %s", error)


def explain(error: Exception) -> str:
    """Return what the SDK's error says, for a person, and what to do where that is known."""
    if isinstance(error, CLINotFoundError):
        return f"{str(error).splitlines()[0]}. Set ORCH_CLAUDE_PATH to it, or install again; see: orch doctor"
    if isinstance(error, ProcessError) and not isinstance(error, ResultError):
        return f"Claude Code broke off with exit code {error.exit_code}"
    if isinstance(error, ClaudeSDKError):
        return str(error)
    return f"{type(error).__name__}: {error}"


async def _version_of(program: str) -> str | None:
    """Return what a Claude Code says to ``--version``, None where it says nothing."""
    try:
        process = await asyncio.create_subprocess_exec(
            program, "--version", stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(_VERSION_S):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    return said.decode(errors="replace").strip()[:_VERSION_CHARS] or None


def _broken(error: Exception) -> Broken:
    return error if isinstance(error, Broken) else Broken(explain(error))
