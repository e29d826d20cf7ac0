"""``python -m tests.lifecycle.chaos --seed N --seconds N``: one storm, its figures, and what it broke. Exit code 1: a clause."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.lifecycle.chaos import claude_work
from tests.lifecycle.chaos.storm import Result, Storm
from tui_orch.demo.model import ScriptedModel

#: Set in the second life of this process, in which it may mount a small disk that vanishes with it.
INSIDE = "CHAOS_INSIDE"
_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")
DISK_MB = 48


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--claude", action="store_true", help="a few real Claude Code workers, with a scripted model")
    parser.add_argument("--keep", type=Path, help="an empty folder for the log and the store, kept for a look")
    asked = parser.parse_args()
    if (
        INSIDE not in os.environ
        and subprocess.run([*_UNSHARE, "true"], check=False, capture_output=True).returncode == 0
    ):
        os.execvpe(_UNSHARE[0], [*_UNSHARE, sys.executable, *sys.orig_argv[1:]], {**os.environ, INSIDE: "1"})
    with ExitStack() as stack:
        folder = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        result = run(folder.absolute(), asked.seed, asked.seconds, claude=asked.claude)
    print(f"seed {asked.seed}, {asked.seconds:g} s")
    for name, number in [*result.figures.items(), *(("  " + fault, times) for fault, times in result.faults.items())]:
        print(f"{number:7} {name}")
    for each in result.broken[:50]:
        print(f"BROKEN clause {each.clause}: {each.said}")
    print(json.dumps({"seed": asked.seed, **result.figures, "broken": len(result.broken)}))
    return 1 if result.broken else 0


def run(folder: Path, seed: int, seconds: float, *, claude: bool) -> Result:
    """Make the place and let the storm blow. Without the right to mount a disk, none runs full."""
    home, log, project = (folder / name for name in ("home", "log", "project"))
    for each in (home, log, project):
        each.mkdir(parents=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb"}
    have = set()
    with ExitStack() as stack:
        if INSIDE in os.environ and _mounted(project):
            have.add("small_disk")
            stack.callback(_unmount, project)
        if claude:
            have.add("claude")
            env |= _of_claude(stack.enter_context(ScriptedModel(claude_work.SCRIPT)).url, home)
        return Storm(log, project, env, seed=seed, have=frozenset(have)).run(seconds)


def _of_claude(url: str, home: Path) -> dict[str, str]:
    return {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "made-up",
        "CLAUDE_CONFIG_DIR": str(home / "claude"),
        "CLAUDE_CODE_MAX_RETRIES": "0",
    }


def _mounted(place: Path) -> bool:
    size = f"size={DISK_MB}m,mode=700"
    return not subprocess.run(["mount", "-t", "tmpfs", "-o", size, "chaos", place], check=False).returncode


def _unmount(place: Path) -> None:
    subprocess.run(["umount", "--lazy", place], check=True)


if __name__ == "__main__":
    sys.exit(main())
