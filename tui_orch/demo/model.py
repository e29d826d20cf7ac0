"""A double of the Messages API on loopback, which plays a script; it knows no account and no network.

``with ScriptedModel(script) as model`` serves on ``model.url`` (for ``ANTHROPIC_BASE_URL``) until the block
ends; ``python -m tui_orch.demo.model SCRIPT.json`` prints its URL and serves until SIGTERM or SIGINT. What
is said next is decided in ``script``, how it looks on the wire in ``answer``; here are only the waiting,
the counting of faults, the log.
"""

import argparse
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

from tui_orch.demo.answer import error_body, events, message
from tui_orch.demo.conversation import Conversation
from tui_orch.demo.journal import Entry, Journal, What
from tui_orch.demo.script import Cue, Script, ScriptError, Turn, load_script, next_turn
from tui_orch.demo.wire import Exchange, Gone, LoopbackServer

_POLL_S = 0.02  # how soon a held answer notices its file, or that its client has gone
_SIDE_ANSWER = Turn(text="ok")


class ScriptedModel:
    """Serves one script. ``substitutions`` fill in further ``{names}``; ``cwd`` among them overrides what
    is learnt.

    Raises OSError where the port or the log file can not be had.
    """

    def __init__(
        self,
        script: Script,
        log_path: Path | None = None,
        *,
        substitutions: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> None:
        self.script = script
        self._substitutions = dict(substitutions or {})
        self._faults: Counter[tuple[str, str, int]] = Counter()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._journal = Journal(log_path)
        try:
            self._server = LoopbackServer(port, self)
        except OSError:
            self._journal.close()
            raise
        self._thread = threading.Thread(target=self._server.serve, name="scripted-model")
        self._thread.start()

    def __enter__(self) -> "ScriptedModel":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where it listens: the value for ``ANTHROPIC_BASE_URL``."""
        return self._server.url

    def entries(self) -> tuple[Entry, ...]:
        """What happened so far, as in the log file."""
        return self._journal.entries()

    def close(self) -> None:
        """Stop: held answers are given up, connections closed, threads joined. A second call does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._server.stop()
        self._thread.join()
        self._journal.close()

    def converse(self, said: Conversation, exchange: Exchange) -> None:
        """Answer one conversation. What comes of it is noted first, so who has the answer finds it in the log."""
        if said.utility:
            self.pass_over("utility", 200, exchange.session)
            exchange.send_message(message(_SIDE_ANSWER, exchange.model))
            return
        cue = next_turn(self.script, said, self._substitutions)
        turn, note = cue.turn, partial(self._note, cue, said, exchange.session)
        try:
            self._hold(turn, exchange, note)
        except Gone:
            note("gone", 0)
            raise
        if turn.error is not None and self._is_due("error", turn.error.times, cue, said):
            note("error", turn.error.status)
            body = error_body(turn.error.type, turn.error.message)
            exchange.send_json(turn.error.status, body, turn.error.headers)
        elif turn.drop_after is not None and self._is_due("drop", 1, cue, said):
            note("dropped", 200)
            exchange.send_events(events(message(turn, exchange.model))[: turn.drop_after], cut=True)
        else:
            note("answered", 200)
            exchange.send_message(message(turn, exchange.model))

    def pass_over(self, what: What, status: int, session: str | None) -> None:
        """Take note of a request that plays no turn."""
        self._journal.add(what, status, role=None, turn=0, prompt="", session=session)

    def _hold(self, turn: Turn, exchange: Exchange, note: Callable[[What, int], None]) -> None:
        if turn.hold is not None and not Path(turn.hold).exists():
            note("held", 0)
            self._wait(Path(turn.hold).exists, exchange)
        until = time.monotonic() + turn.delay_s
        self._wait(lambda: time.monotonic() >= until, exchange)
        if exchange.client_left():
            raise Gone

    def _is_due(self, fault: str, times: int | None, cue: Cue, said: Conversation) -> bool:
        """Count one use of a turn's fault. It is used up per request text, whatever session asks."""
        with self._lock:
            key = (fault, said.prompt, cue.index)
            self._faults[key] += 1
            return times is None or self._faults[key] <= times

    def _wait(self, come: Callable[[], bool], exchange: Exchange) -> None:
        while not come():
            if self._closing.wait(_POLL_S) or exchange.client_left():
                raise Gone

    def _note(self, cue: Cue, said: Conversation, session: str | None, what: What, status: int) -> None:
        first_line = next(iter(said.prompt.strip().splitlines()), "")
        self._journal.add(what, status, role=cue.role, turn=cue.index, prompt=first_line, session=session)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve a script's file until SIGTERM or SIGINT. Exit code 2: script, log or port can not be used."""
    parser = argparse.ArgumentParser(prog="python -m tui_orch.demo.model", description=__doc__.split("\n", 1)[0])
    parser.add_argument("script", type=Path, help="JSON, as script.Script describes it")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--log", type=Path, help="append a line of JSON for every request")
    asked = parser.parse_args(argv)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        model = ScriptedModel(load_script(asked.script), asked.log, port=asked.port)
    except (ScriptError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    with model:
        print(model.url, flush=True)
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
