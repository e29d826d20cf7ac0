"""One way to call git: without the outside's ``GIT_*``, without prompts, with a person's settings made harmless.

What a repository says about its files (attributes, ignores, line ends, filters, merge drivers) is respected. What would
open an editor, ask, sign, stash, clean up in the background or colour the output is switched off for the call alone;
no configuration file is ever written.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

#: The oldest git that has all that is used here (``merge -s ort`` as the default, sparse worktrees, ``--path-format``).
OLDEST = (2, 34)
_WORDS = 400
_LOOK_S = 0.1
_END_S = 10.0
#: Commands that write commits and so need to know who does.
_COMMITTING = frozenset({"commit", "merge", "commit-tree"})
_NOBODY = ("-c", "user.name=tui-orch", "-c", "user.email=tui-orch@localhost")
_SETTINGS = (
    "core.fsync=all",  # a commit that a row tells of is on the disk before the row is
    "core.fsyncMethod=fsync",
    "gc.auto=0",
    "maintenance.auto=false",
    "rerere.enabled=false",
    "core.quotePath=false",
    "core.fsmonitor=false",
    "core.safecrlf=false",
    "submodule.recurse=false",
    "color.ui=false",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
    "commit.verbose=false",
    "merge.verifySignatures=false",
    "merge.autoStash=false",
    "merge.stat=false",
    "merge.log=false",
    "branch.autoSetupMerge=false",
    "worktree.guessRemote=false",
)
_ENVIRONMENT = {
    "LC_ALL": "C",
    "LANGUAGE": "",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "SSH_ASKPASS_REQUIRE": "force",
    "GIT_EDITOR": "true",
    "GIT_SEQUENCE_EDITOR": "true",
    "GIT_MERGE_AUTOEDIT": "no",
    "GIT_PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",
}


class GitError(Exception):
    """Git could not do it; one line: what was tried, where, and git's last words. ``code`` is its exit code or None."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class Stopped(Exception):
    """The caller was asked to stop; git was ended, and what it left is undone by ``mend``."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Which of the repository's customs are followed: its hooks, and its signing of commits."""

    hooks: bool = False
    signing: bool = False


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class How:
    """How git is called, wherever it is called: environment (None: this process's), ways, and when to stop."""

    env: Mapping[str, str] | None = None
    ways: Ways = field(default_factory=Ways)
    stopped: Callable[[], bool] = _never

    def git(self, folder: Path) -> "Git":
        """Return git in this folder."""
        return Git(folder, env=self.env, ways=self.ways, stopped=self.stopped)


PLAIN = How()


class Git:
    """Git in one folder. ``stopped`` is asked ten times a second while git runs."""

    def __init__(
        self,
        folder: Path,
        *,
        env: Mapping[str, str] | None = None,
        ways: Ways | None = None,
        stopped: Callable[[], bool] = _never,
    ) -> None:
        self.folder = folder
        self._ways = ways or Ways()
        self._stopped = stopped
        outside = os.environ if env is None else env
        self._env = {key: value for key, value in outside.items() if not key.startswith("GIT_")} | _ENVIRONMENT
        self._identity: tuple[str, ...] | None = None

    def run(self, *args: str, input: str | bytes | None = None, index: Path | None = None) -> str:  # noqa: A002
        """Return what git says, without its last line end. ``index`` names an index file other than the worktree's.

        Raises GitError when git fails or can not be started, Stopped when ``stopped`` turned true meanwhile.
        """
        code, said, words = self._call(args, input, index)
        if code != 0:
            raise self._error(args, words, code)
        return said.removesuffix("\n")

    def succeeds(self, *args: str) -> bool:
        """Return whether git says yes (0) or no (1); anything else raises GitError."""
        code, _, words = self._call(args, None, None)
        if code not in {0, 1}:
            raise self._error(args, words, code)
        return code == 0

    def answer(self, *args: str) -> str | None:
        """Return what git says, or None where it says no (exit code 1); anything else raises GitError."""
        code, said, words = self._call(args, None, None)
        if code not in {0, 1}:
            raise self._error(args, words, code)
        return said.removesuffix("\n") if code == 0 else None

    def lines(
        self,
        *args: str,
        input: str | bytes | None = None,  # noqa: A002
        index: Path | None = None,
        fine: tuple[int, ...] = (0,),
    ) -> list[str]:
        """Return the parts of an answer in which NUL ends each (the caller asks with ``-z``); any bytes are kept.

        ``fine``: the exit codes that are no failure.
        """
        code, said, words = self._call(args, input, index)
        if code not in fine:
            raise self._error(args, words, code)
        return said.split("\0")[:-1]

    def _call(self, args: tuple[str, ...], given: str | bytes | None, index: Path | None) -> tuple[int, str, str]:
        if self._stopped():
            raise Stopped
        data = given.encode("utf-8", "surrogateescape") if isinstance(given, str) else given
        env = self._env if index is None else {**self._env, "GIT_INDEX_FILE": str(index)}
        try:
            process = subprocess.Popen(
                ["git", *self._options(args), *args],
                cwd=self.folder,
                env=env,
                stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,  # a stop reaches what git started, and Ctrl-C at a terminal does not cut it in the middle
            )
        except OSError as error:
            raise GitError(f"git {_short(args)} in {self.folder}: {error}") from error
        with process:
            said, words = self._hear(process, data)
        return (
            process.returncode,
            said.decode("utf-8", "surrogateescape"),
            words.decode("utf-8", "replace"),
        )

    def _hear(self, process: "subprocess.Popen[bytes]", data: bytes | None) -> tuple[bytes, bytes]:
        while True:
            try:
                return process.communicate(data, timeout=_LOOK_S)
            except subprocess.TimeoutExpired:
                data = None
                if self._stopped():
                    _end(process)
                    raise Stopped from None
            except BaseException:
                _end(process)
                raise

    def _options(self, args: tuple[str, ...]) -> list[str]:
        settings = list(_SETTINGS)
        if not self._ways.hooks:
            settings.append("core.hooksPath=/dev/null")
        if not self._ways.signing:
            settings.append("commit.gpgSign=false")
        options = [word for setting in settings for word in ("-c", setting)]
        if args[0] in _COMMITTING:
            options += self._who()
        return options

    def _who(self) -> tuple[str, ...]:
        if self._identity is None:
            code, _, _ = self._call(("var", "GIT_COMMITTER_IDENT"), None, None)
            known = code == 0 and self._call(("var", "GIT_AUTHOR_IDENT"), None, None)[0] == 0
            self._identity = () if known else _NOBODY
        return self._identity

    def _error(self, args: tuple[str, ...], words: str, code: int) -> GitError:
        return GitError(f"git {_short(args)} in {self.folder}: {last_words(words) or f'exit code {code}'}", code)


def last_words(words: str) -> str:
    """Return what git said at its end, as one bounded line without hints and without control characters."""
    lines = [line.strip() for line in words.splitlines() if line.strip() and not line.startswith("hint:")]
    said = "; ".join(lines[-4:])
    plain = "".join(c if c.isprintable() else " " for c in said)
    return plain if len(plain) <= _WORDS else "…" + plain[1 - _WORDS :]


def _short(args: tuple[str, ...]) -> str:
    said = " ".join(args[:6])
    plain = "".join(c if c.isprintable() else " " for c in said)
    return plain if len(plain) <= 120 else plain[:119] + "…"


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End git and what it started: asked first, so that it takes its lock files away."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):  # it has just ended by itself
            os.killpg(process.pid, number)
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            continue
        return
