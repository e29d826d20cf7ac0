"""The program of a command job in a storm: holds what excludes an overlap, does what its plan says, and tells it.

Runs by itself (`python -I -S actor.py FOLDER PLAN`) and imports nothing but the standard library, so that it starts fast.
It holds the lock of its job's own file and one token of the store's slots and of its tree's workers for as long as it
works. A refusal is an overlap, or a limit, caught in the act; the kernel gives all back when the process is gone.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LURK_S = 300.0
CHAIN_STEP_S = 0.02
CHAIN_LENGTH = 400
#: How the actor leaves a process behind. See `lurk`.
WAYS = ("child", "setsid", "double", "bare", "stubborn", "chain")


def main(folder: str, plan: str, *lurking: str) -> int:
    if lurking:
        return lurk(*lurking)
    with open(f"{folder}/plans/{plan}.json", encoding="utf-8") as file:
        todo: dict[str, Any] = json.load(file)
    return Actor(folder, todo).run()


class Actor:
    """One attempt, seen from its inside."""

    def __init__(self, folder: str, todo: dict[str, Any]) -> None:
        self.folder = folder
        self.todo = todo
        self.label = os.environ["ORCH_ATTEMPT_ID"]
        self.job, self.attempt = (int(part) for part in self.label.split("."))
        self.log = os.open(f"{folder}/journal", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self.tokens: list[int] = []

    def say(self, what: str, **more: Any) -> None:
        facts = {"who": "actor", "what": what, "at": time.monotonic(), "job": self.job, "attempt": self.attempt}
        line = facts | {"plan": self.todo["name"], "pid": os.getpid()} | more
        os.write(self.log, (json.dumps(line) + "\n").encode())

    def run(self) -> int:
        alone = self.take(f"job-{self.job}")
        if alone is None:
            self.say("refused", lock="job")
            return 97
        self.take_tokens()
        self.say("start")
        if self.todo["stubborn"]:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for way in self.todo["leave"]:
            self.leave(way)
        self.work()
        code = self.spawn() if self.todo["children"] else 0
        if self.attempt <= self.todo["fail_first"]:
            code = 3
        elif not code:
            sys.stdout.write(f"done {self.todo['name']}\n")
        sys.stdout.flush()
        self.say("end", code=code)
        return code

    def work(self) -> None:
        sys.stdout.buffer.write(self.todo["raw"].encode("latin-1"))
        sys.stdout.buffer.write(b"x" * self.todo["loud"])
        sys.stdout.flush()
        time.sleep(self.todo["sleep_s"])

    def spawn(self) -> int:
        """Add the children by the real command; lend the tokens while it waits."""
        requests = [f"exec {sys.executable} -I -S {__file__} {self.folder} {name}" for name in self.todo["children"]]
        wait = ["--wait"] if self.todo["wait"] else []
        if wait:
            self.give_tokens()
        done = subprocess.run(
            ["orch", "spawn", "--json", *wait, "--kind", "command", *requests],
            capture_output=True,
            check=False,
            text=True,
        )
        try:
            children = json.loads(done.stdout)["jobs"]
        except ValueError:
            self.say("not spawned", code=done.returncode, error=done.stderr[-300:], greedy=self.todo["greedy"])
            return 0 if self.todo["greedy"] else 4
        if wait:  # it says so only once it has its slot again
            self.take_tokens()
        self.say("spawned", children=[[child["id"], child["status"]] for child in children], waited=bool(wait))
        return 0

    def leave(self, way: str) -> None:
        env: dict[str, str] | None = {} if way == "bare" else None
        argv = [sys.executable, "-I", "-S", __file__, self.folder, "-", self.label, way]
        subprocess.Popen(argv, env=env, start_new_session=way != "child")

    def take(self, name: str) -> int | None:
        file = os.open(f"{self.folder}/locks/{name}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        return file

    def take_tokens(self) -> None:
        """Take one of as many tokens as may work at once; one taker at a time, so a refusal is true of one moment."""
        with self.guard():
            for group, most in (("store", self.todo["slots"]), (self.todo["tree"], self.todo["max_workers"])):
                found = (self.take(f"{group}-{number}") for number in range(most))
                token = next((file for file in found if file is not None), None)
                if token is None:
                    self.say("refused", lock=group, most=most)
                else:
                    self.tokens.append(token)

    def give_tokens(self) -> None:
        while self.tokens:
            os.close(self.tokens.pop())

    @contextmanager
    def guard(self) -> Iterator[None]:
        file = os.open(f"{self.folder}/locks/guard", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)


def lurk(label: str, way: str) -> int:
    """Stay behind. ``label`` is read from outside: whose process it is."""
    assert "." in label
    if way in ("double", "bare") and os.fork():
        return 0
    if way == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if way == "chain":
        for _ in range(CHAIN_LENGTH):
            time.sleep(CHAIN_STEP_S)
            if os.fork():
                os._exit(0)
    time.sleep(LURK_S)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
