"""Sends what an attempt elsewhere writes to the head, in parts and while it is written; fetches the session it goes on with.

A part that can not be sent now is sent later. Never changes the files that it sends.
"""

import base64
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from store.errors import IllegalChange, StaleAttempt, StoreError
from tui_orch.worker.remote.api import AttemptApi

#: Seconds between two looks at what is new.
LOOK_S = 2.0
PART_BYTES = 524_288

Sources = Callable[[], Mapping[str, Path]]


class Upload:
    """``with Upload(...)`` sends the files that ``sources`` names, as they grow."""

    def __init__(self, api: AttemptApi, sources: Sources) -> None:
        self._api = api
        self._sources = sources
        self._sent: dict[str, int] = {}
        self._one_at_a_time = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="upload", daemon=True)

    def __enter__(self) -> "Upload":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._ended.set()

    def flush(self) -> None:
        """Send all that there is now. Raises StoreError."""
        with self._one_at_a_time:
            for name, path in self._sources().items():
                self._send(name, path)

    def _follow(self) -> None:
        while not self._ended.wait(LOOK_S):
            try:
                self.flush()
            except StaleAttempt:
                return
            except (StoreError, OSError) as error:
                print(f"what was written could not be sent yet: {error}", file=sys.stderr)

    def _send(self, name: str, path: Path) -> None:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return
        with file:
            while True:
                at = self._sent.get(name, 0)
                file.seek(at)
                part = file.read(PART_BYTES)
                if not part:
                    return
                body = {"offset": at, "data": base64.b64encode(part).decode()}
                try:
                    self._sent[name] = int(self._api.post(f"/attempt/files/{name}", body)["size"])
                except IllegalChange:
                    self._sent[name] = 0  # the head has less than it said: all over again


def fetch_session(api: AttemptApi, session_id: str, config_dir: Path, work_dir: Path) -> bool:
    """Put the session's file where Claude Code looks for it; False where the head has none. Raises StoreError, OSError.

    A file of an attempt that died is cut off behind its last whole line.
    """
    parts = bytearray()
    while True:
        told = api.get(f"/attempt/session?offset={len(parts)}")
        parts += base64.b64decode(told["data"])
        if len(parts) >= told["size"] or not told["data"]:
            break
    whole = bytes(parts[: parts.rfind(b"\n") + 1])
    if not whole:
        return False
    path = session_path(config_dir, session_id, work_dir)
    if path.is_file() and path.stat().st_size >= len(whole):
        return True  # it ran on this machine, or home is shared
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as to:
        to.write(whole)
    new.replace(path)
    return True


def session_path(config_dir: Path, session_id: str, work_dir: Path) -> Path:
    """Return where Claude Code keeps a session of that folder."""
    return config_dir / "projects" / re.sub(r"[^A-Za-z0-9]", "-", os.path.realpath(work_dir)) / f"{session_id}.jsonl"
