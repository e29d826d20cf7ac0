"""The command line for a test: in this process where only text matters, as a program where the process matters."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.by_hand import PATIENCE_S, ByHand
from tui_orch.cli.main import main

PROGRAM = str(Path(sys.executable).parent / "orch")


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


class AtOrch(ByHand):
    """A project folder, the store in it, and commands called there."""

    def __init__(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(project)
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, env: Mapping[str, str] | None = None) -> Done:
        """Call a command in this process."""
        out, err = _stream(), _stream()
        with self._monkeypatch.context() as patch:
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            with redirect_stdout(out), redirect_stderr(err):
                code = main(arguments)
        return Done(code, _text(out), _text(err))

    def refused(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Call a command that must refuse: exit code 2, nothing on stdout, one line on stderr, which is returned."""
        done = self(*arguments, env=env)
        assert (done.code, done.out) == (2, ""), done
        return one_line(done.err)

    def start_process(
        self, *arguments: str, env: Mapping[str, str] | None = None, **more: Any
    ) -> "subprocess.Popen[str]":
        """Start the program ``orch``."""
        return subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.project,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def process(
        self, *arguments: str | bytes, env: Mapping[str, str] | None = None, stdin: bytes | None = None
    ) -> Done:
        """Run the program ``orch`` to its end."""
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.project,
            env={**os.environ, **(env or {})},
            input=stdin or b"",
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def one_line(text: str) -> str:
    """Return the one line that ``text`` must be, without its ``orch:``."""
    assert text.startswith("orch: "), text
    assert text.endswith("\n"), text
    assert len(text.splitlines()) == 1, text
    return text.removeprefix("orch: ").rstrip("\n")


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace", newline="", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()
