"""What ``orch doctor`` looks at: each check is a name, a level and one line. Changes nothing, prints no secret."""

import importlib.util
import os
import platform
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import apsw

from store.database import Store
from store.errors import StoreError
from store.home import Home
from store.settings import Settings, get_settings
from store.workspaces import OnDisk, on_disk
from tui_orch.client.measures import duration, now_ms, size
from tui_orch.supervisor.ownership import holder

#: Older ones do not speak as the Agent SDK expects.
OLDEST_CLAUDE = (2, 0, 0)
LEAST_DISK_BYTES = 1_000_000_000
#: A worker of kind claude takes this much, measured.
WORKER_BYTES = 400_000_000
_VERSION_S = 20.0
_MOST_FOLDERS = 2_000
_MB = 1_000_000

_LOGINS = {
    "ANTHROPIC_API_KEY": "an API key",
    "ANTHROPIC_AUTH_TOKEN": "an auth token",
    "CLAUDE_CODE_OAUTH_TOKEN": "a subscription's token",
    "CLAUDE_CODE_USE_BEDROCK": "Bedrock",
    "CLAUDE_CODE_USE_VERTEX": "Vertex",
    "CLAUDE_CODE_USE_FOUNDRY": "Foundry",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. ``note``: works, but worth knowing."""

    name: str
    level: Literal["ok", "note", "bad"]
    text: str


def claude_checks(environ: Mapping[str, str] = os.environ) -> Iterator[Check]:
    """Look for the Claude Code that workers run, its version, and a login for it."""
    path = claude_path(environ)
    if path is None:
        yield Check("claude", "bad", "no Claude Code; install claude-agent-sdk again, or set ORCH_CLAUDE_PATH")
    else:
        yield _claude_version(path)
    yield login_check(environ)


def claude_path(environ: Mapping[str, str]) -> Path | None:
    """Return the Claude Code that workers run: the one that is named, or the one in the SDK's wheel."""
    if environ.get("ORCH_CLAUDE_PATH"):
        return Path(environ["ORCH_CLAUDE_PATH"])
    # Found without importing the SDK, which takes more than a second.
    spec = importlib.util.find_spec("claude_agent_sdk")
    if spec is None or not spec.submodule_search_locations:
        return None
    bundled = Path(spec.submodule_search_locations[0]) / "_bundled" / "claude"
    if bundled.is_file():
        return bundled
    found = shutil.which("claude")
    return Path(found) if found else None


def _claude_version(path: Path) -> Check:
    try:
        done = subprocess.run(
            [str(path), "--version"], capture_output=True, text=True, errors="replace", timeout=_VERSION_S, check=False
        )
    except OSError as error:
        return Check("claude", "bad", f"{path} can not be started: {error.strerror}")
    except subprocess.TimeoutExpired:
        return Check("claude", "bad", f"{path} did not tell its version within {_VERSION_S:g} s")
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", done.stdout)
    if done.returncode != 0 or found is None:
        return Check("claude", "bad", f"{path} ended with code {done.returncode} when asked for its version")
    if tuple(map(int, found.groups())) < OLDEST_CLAUDE:
        needed = ".".join(map(str, OLDEST_CLAUDE))
        return Check("claude", "bad", f"{path} is version {found[0]}; needed: {needed} or later")
    return Check("claude", "ok", f"version {found[0]}, {path}")


def login_check(environ: Mapping[str, str]) -> Check:
    """Tell by what Claude Code would log in; says nothing of the secret itself, and does not try it."""
    for name, what in _LOGINS.items():
        if environ.get(name):
            return Check("login", "ok", f"{what} is set ({name}); not tried")
    folder = Path(environ.get("CLAUDE_CONFIG_DIR") or Path(environ.get("HOME") or "~").expanduser() / ".claude")
    if (folder / ".credentials.json").is_file():
        return Check("login", "ok", f"Claude Code has logged in ({folder}); not tried")
    return Check(
        "login", "note", "none found: set ANTHROPIC_API_KEY or log in with claude; orch demo and commands need none"
    )


def sqlite_check(version: str) -> Check:
    """Judge a SQLite: those before 3.51.3 can damage a WAL file when it is reset, but for two repaired lines."""
    numbers = tuple(int(part) for part in version.split(".")[:3])
    repaired = numbers >= (3, 51, 3) or (3, 50, 7) <= numbers < (3, 51) or (3, 44, 6) <= numbers < (3, 45)
    if repaired:
        return Check("sqlite", "ok", f"{version}, with the repair of the WAL-reset bug")
    return Check("sqlite", "bad", f"{version} has the WAL-reset bug, which can damage the store; update apsw")


def machine_checks(home: Home) -> Iterator[Check]:
    """Look at Python, SQLite, disk and memory."""
    pidfd = hasattr(os, "pidfd_open")
    level: Literal["ok", "bad"] = "ok" if pidfd else "bad"
    missing = "" if pidfd else "; no pidfd here, so workers can not be watched (Linux 5.3 or later is needed)"
    yield Check("python", level, f"{platform.python_version()} on {platform.system()} {platform.release()}{missing}")
    yield sqlite_check(apsw.sqlite_lib_version())
    place = next(folder for folder in (home.root, *home.root.parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    yield Check("disk", "ok" if free >= LEAST_DISK_BYTES else "bad", f"{size(free)} free at {place}")
    yield _memory_check()


def _memory_check() -> Check:
    import psutil  # noqa: PLC0415 - only this command needs it

    free = int(psutil.virtual_memory().available)
    fits = free // WORKER_BYTES
    return Check(
        "memory", "ok" if fits else "note", f"{size(free)} available: room for about {fits} Claude Code workers"
    )


def git_check(environ: Mapping[str, str] = os.environ) -> Check:
    """Look for git, which trees with worktrees need."""
    from tui_orch.workspace.git import OLDEST  # noqa: PLC0415 - only this command needs it

    needed = ".".join(map(str, OLDEST))
    path = shutil.which("git", path=environ.get("PATH"))
    if path is None:
        return Check("git", "note", f"none; with {needed} or later each job can have a worktree of its own")
    done = subprocess.run([path, "--version"], capture_output=True, text=True, errors="replace", check=False)
    found = re.search(r"(\d+)\.(\d+)(\.\d+)*", done.stdout)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        return Check(
            "git", "note", f"{done.stdout.strip() or path} is too old for worktrees; needed: {needed} or later"
        )
    return Check("git", "ok", f"version {found[0]}, {path}")


def _worktrees_check(found: OnDisk, settings: Settings) -> Check:
    most = f"of {size(round(settings.worktrees_mb * _MB))}" if settings.worktrees_mb else "of any size"
    text = f"{found.number} of {settings.max_worktrees} on disk, {size(found.size_bytes)} {most}"
    is_full = found.number >= settings.max_worktrees or 0 < settings.worktrees_mb * _MB <= found.size_bytes
    if not is_full:
        return Check("worktrees", "ok", text)
    return Check(
        "worktrees",
        "note",
        f"{text}: jobs that need one wait; free some: orch merge, orch gc, orch settings max_worktrees",
    )


def store_checks(home: Home) -> Iterator[Check]:
    """Look at the store, its rules, the modes of its folder, and its supervisor."""
    if not os.path.lexists(home.database):
        yield Check("store", "note", f"none at {home.root} yet; orch run makes one")
        return
    try:
        with Store.open(home) as store:
            changed = store.schema_differences()
            with store.read() as reader:
                settings, worktrees = get_settings(reader), on_disk(reader)
    except StoreError as error:
        yield Check("store", "bad", str(error))
        return
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        yield Check("store", "bad", f"{home.root}: its rules were changed: {', '.join(changed[:3])}{more}")
    else:
        yield Check("store", "ok", f"{home.root}, {settings.slots} slots, its rules in force")
    yield _modes_check(home)
    yield _worktrees_check(worktrees, settings)
    found = holder(home)
    if found is None:
        yield Check("supervisor", "note", "none runs; orch run starts one, orch up keeps one")
    else:
        yield Check("supervisor", "ok", f"process {found.pid}, for {duration(now_ms() - found.since_ms)}")


def _modes_check(home: Home) -> Check:
    open_ones = [path for path in islice(_entries(home), _MOST_FOLDERS) if _is_open(path)]
    if not open_ones:
        return Check("modes", "ok", "only you can read the store")
    return Check("modes", "bad", f"others can read {open_ones[0]} (of {len(open_ones)}); run: chmod -R go= {home.root}")


def _entries(home: Home) -> Iterator[Path]:
    yield home.root
    yield from home.root.iterdir()
    jobs = home.root / "jobs"
    if jobs.is_dir():
        yield from jobs.iterdir()


def _is_open(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return not stat.S_ISLNK(found.st_mode) and bool(found.st_mode & 0o077)
