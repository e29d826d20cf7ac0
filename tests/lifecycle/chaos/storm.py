"""A storm: faults by seed for some seconds over a store full of work, then everything is healed and every clause checked.

One thread. The order of faults and the work are the seed's; the moments are the machine's.
"""

import heapq
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from store import control
from store.errors import StoreBusy
from store.queue import has_open_jobs
from store.submit import submit_tree
from tests.lifecycle.chaos import claude_work
from tests.lifecycle.chaos.clauses import Broken, broken, of, out_of_reach
from tests.lifecycle.chaos.facts import Facts, gather
from tests.lifecycle.chaos.faults import BALLAST, FAULTS, Fault
from tests.lifecycle.chaos.journal import Line, read
from tests.lifecycle.chaos.observer import Observer, living
from tests.lifecycle.chaos.stage import SUPERVISOR, Stage, wait_for
from tests.lifecycle.chaos.workload import WORK_S, Workload
from tui_orch.worker import failpoint

TICK_S = 0.03
LOOK_S = 0.4
OPEN_JOBS = 20
GAP_S = (0.1, 0.9)
#: How long the store is without a supervisor once one has gone.
ALONE_S = (0.0, 0.4)
#: How long all that is open may take to end once nothing is broken any more.
HEAL_S = 120.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a storm came to."""

    figures: dict[str, int]
    faults: dict[str, int]
    broken: tuple[Broken, ...]


class Storm:
    """See the module. ``faults``, ``supervisor``, ... are given where less, or something broken, is to be tested.

    With ``heal_s`` 0 nothing is given the time to end: what was caught in the act is told all the same.
    """

    def __init__(
        self,
        folder: Path,
        project: Path,
        env: Mapping[str, str],
        *,
        seed: int,
        faults: Sequence[Fault] = FAULTS,
        supervisor: Sequence[str] = SUPERVISOR,
        escapes: bool = True,
        work_s: float = WORK_S,
        have: frozenset[str] = frozenset(),
        open_jobs: int = OPEN_JOBS,
        heal_s: float = HEAL_S,
    ) -> None:
        self.random = random.Random(seed)
        self.stage = Stage(folder, project, env, supervisor)
        self.workload = Workload(folder, seed, escapes=escapes, work_s=work_s)
        self.observer = Observer(self.stage.store, self.stage.journal, folder)
        self.foreign: list[subprocess.Popen[bytes]] = []
        self._faults = [fault for fault in faults if not fault.needs or fault.needs in have]
        self._have = have
        self._open_jobs = open_jobs
        self._heal_s = heal_s
        self._todo: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        self._next_look = self._next_fault = self._next_claude = 0.0
        self._armed: set[str] = set()
        self._ballast = project / BALLAST
        self._end_expected = False
        self._healing = False

    def run(self, seconds: float, enough: Callable[[Line], bool] | None = None) -> Result:
        """Blow for so long, or until a line of the log is ``enough``; then heal, look, and judge."""
        try:
            self.stage.start_supervisor()
            until = time.monotonic() + seconds
            while time.monotonic() < until and not (enough and any(map(enough, read(self.stage.journal.path)))):
                self._tick()
            self._heal()
            facts = gather(self.stage.store, self.observer, self.stage.folder)
            log = read(self.stage.journal.path)
            return Result(_figures(log, facts), _counted(log), tuple(broken(log, facts)))
        finally:
            self.stage.end()

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something after a while; at the end of the storm at the latest."""
        heapq.heappush(self._todo, (time.monotonic() + seconds, next(self._order), act))

    def arm(self, place: str) -> None:
        """Let the next process that comes to this place die there."""
        if place in failpoint.SUPERVISOR:
            self.expect_end()
        (self.stage.points / place).touch()
        self._armed.add(place)

    def expect_end(self) -> None:
        """The supervisor will be gone for a reason of ours."""
        self._end_expected = True

    def resume(self) -> None:
        """Do what a person does who finds the store paused."""
        try:
            with self.stage.store.write() as tx:
                if control.resume(tx, None):
                    self.stage.journal.say("resumed")
        except StoreBusy:
            self.later(0.5, self.resume)

    @staticmethod
    def now_ms() -> int:
        return time.time_ns() // 1_000_000

    def _tick(self) -> None:
        now = time.monotonic()
        while self._todo and self._todo[0][0] <= now:
            heapq.heappop(self._todo)[2]()
        self._care_for_supervisor()
        self.observer.follow()
        if now >= self._next_look:
            self._look(now)
        if not self._healing and now >= self._next_fault:
            self._next_fault = now + self.random.uniform(*GAP_S)
            self._blow()
        time.sleep(TICK_S)

    def _look(self, now: float) -> None:
        self._see_deaths()
        self.observer.check_invariants()
        self.observer.look_for_the_dead(now)
        self._next_look = time.monotonic() + LOOK_S
        with self.stage.store.read() as reader:
            stopped = reader.value("SELECT 1 FROM store WHERE brake_kind = 'stop'")
        if stopped:
            self.later(0.3, self.resume)
        if self._healing:
            return
        while sum(job.ended_ms is None for job in self.observer.mirror.values()) < self._open_jobs and self._submit():
            self.observer.follow()

    def _see_deaths(self) -> None:
        for place in [place for place in self._armed if not (self.stage.points / place).exists()]:
            self._armed.discard(place)
            self.stage.journal.say("died", place=place)

    def _submit(self) -> bool:
        new = self.workload.tree(self.stage.project)
        if "claude" in self._have and time.monotonic() >= self._next_claude:
            self._next_claude = time.monotonic() + claude_work.EVERY_S
            new = claude_work.tree(self.stage.project)
        try:
            with self.stage.store.write() as tx:
                root_id = submit_tree(tx, new, self.now_ms())
        except StoreBusy:
            return False
        self.stage.journal.say("submitted", job=root_id)
        return True

    def _blow(self) -> None:
        fault = self.random.choices(self._faults, [fault.weight for fault in self._faults])[0]
        try:
            hit = fault.do(self)
        except StoreBusy as error:
            hit = f"busy: {error}"
        if hit is not None:
            self.stage.journal.say("fault", name=fault.name, hit=hit)

    def _care_for_supervisor(self) -> None:
        process = self.stage.supervisor
        if process is None or process.poll() is None:
            return
        journal = self.stage.journal
        journal.say("supervisor gone", code=process.returncode, wall_ms=self.now_ms())
        said = self.stage.supervisor_said()
        if self._ballast.exists() and said.startswith("orch: ") and process.returncode == 1:
            journal.say("no room to start", said=said)
        elif not self._end_expected:
            journal.say("supervisor died", code=process.returncode, said=said)
        self._end_expected = not self._armed.isdisjoint(failpoint.SUPERVISOR)
        self.stage.supervisor = None
        self.later(0.0 if self._healing else self.random.uniform(*ALONE_S), self.stage.start_supervisor)

    def _heal(self) -> None:
        """Mend everything, give what is open the time to end, then stop the supervisor and let all processes go."""
        self._healing = True
        self._see_deaths()
        for place in self._armed:
            (self.stage.points / place).unlink(missing_ok=True)
        for _, _, mend in sorted(self._todo):
            mend()
        self._todo.clear()
        for each in self.foreign:
            each.wait()
        self.stage.journal.say("healing")
        wait_until = time.monotonic() + self._heal_s
        while time.monotonic() < wait_until:
            self._tick()
            with self.stage.store.read() as reader:
                if not has_open_jobs(reader):
                    break
        if self._heal_s:
            wait_for(lambda: not self._busy(), 15)
        self._settle()

    def _settle(self) -> None:
        mine = self.stage
        last = time.monotonic() + 2 * LOOK_S
        while time.monotonic() < last:
            self._tick()
        self.expect_end()
        if mine.hit_supervisor(signal.SIGTERM) and mine.supervisor is not None:
            mine.supervisor.wait(60)
        mine.supervisor = None
        self.observer.follow()

    def _busy(self) -> bool:
        """Tell whether any process lives on; one that hides may do so for good, see ``clauses.out_of_reach``."""
        return any(not each.what.endswith(" bare") for each in living(self.stage.folder, self.stage.store.store_id))


def _figures(log: list[Line], facts: Facts) -> dict[str, int]:
    faults = [line["name"] for line in of(log, "fault")]
    states = Counter(job.status.value for job in facts.jobs.values())
    return {
        "jobs": len(facts.jobs),
        "trees": len(facts.trees),
        "attempts": len(facts.attempts),
        "faults": len(faults),
        "supervisors": 1 + sum(1 for _ in of(log, "supervisor gone")),
        "kills": sum(name.startswith("kill") for name in faults) + sum(1 for _ in of(log, "died")),
        **dict(sorted(states.items())),
        "results acknowledged": len({(line["job"], line["attempt"]) for line in of(log, "ended")}),
        "lost attempts": sum(attempt.outcome == "lost" for attempt in facts.attempts),
        "escaped processes out of reach": _escaped(facts, set(out_of_reach(log, facts))),
    }


def _escaped(facts: Facts, labels: set[str]) -> int:
    return sum(each.label in labels for each in facts.alive)


def _counted(log: list[Line]) -> dict[str, int]:
    return dict(sorted(Counter(line["name"] for line in of(log, "fault")).items()))
