"""What the workers of a storm have to do: seeded trees of command jobs, each with a plan that its actor reads.

Only makes plans and submits them. What became of them is for ``clauses``.
"""

import json
import random
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from store.models import Limits, NewJob, NewTree
from store.states import Kind
from tests.lifecycle.chaos.actor import WAYS

ACTOR = Path(__file__).with_name("actor.py")
SLOTS = 4
MOST_WORKERS = 3
WORK_S = 0.4  # of one command, on average; many take less, some a lot more
MOST_CHILDREN = 5
MOST_JOBS = 24
#: Bytes that a terminal, a JSON text or a database might choke on.
ODD_BYTES = (
    "",
    "",
    "",
    "\xff\xfe not UTF-8 \x80\n",
    "nul \x00 in it\n",
    "\x1b[31mred\x1b]0;title\x07\n",
    '{"a":' * 2000,
)
LOUD_BYTES = 3_000_000  # beyond the storm's cap on output


@dataclass(frozen=True, slots=True)
class Plan:
    """What one command does. See ``actor``."""

    name: str
    tree: str
    slots: int
    max_workers: int
    sleep_s: float
    raw: str = ""
    loud: int = 0
    fail_first: int = 0  # attempts that fail; many: it never succeeds
    stubborn: bool = False  # it ignores SIGTERM
    leave: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    wait: bool = True
    greedy: bool = False  # it spawns more than its tree allows, and must be refused


class Workload:
    """Trees by seed; plans are written where the actors find them."""

    def __init__(self, folder: Path, seed: int, *, escapes: bool = True, work_s: float = WORK_S) -> None:
        self._folder = folder
        self._random = random.Random(seed)
        self._escapes = escapes
        self._work_s = work_s
        self._trees = 0
        (folder / "plans").mkdir()
        (folder / "locks").mkdir()

    def tree(self, work_dir: Path) -> NewTree:
        """Return the next tree: a group of commands or one command, which spawn."""
        self._trees += 1
        label, rng = f"t{self._trees}", self._random
        workers = rng.randint(1, MOST_WORKERS)
        tops = [self._plan(label, f"{label}.{n}", workers, 1) for n in range(rng.randint(1, 4))]
        items = tuple(NewJob(self._request(plan), Kind.COMMAND, plan.name) for plan in tops)
        limits = Limits(
            max_workers=workers,
            max_children=MOST_CHILDREN,
            max_jobs=MOST_JOBS,
            max_depth=3,
            max_attempts=4,
            timeouts_s=(8.0,) if rng.random() < 0.05 else (600.0,),
        )
        if len(items) == 1:
            return NewTree(items[0], limits=limits, work_dir=str(work_dir))
        return NewTree(NewJob(label, Kind.GROUP), items, limits, str(work_dir))

    def _plan(self, tree: str, name: str, workers: int, depth: int) -> Plan:
        rng = self._random
        greedy = rng.random() < 0.05
        children: list[str] = []
        if greedy:
            children = [f"{name}.{n}" for n in range(MOST_CHILDREN + 1)]
        elif depth < 3 and rng.random() < 0.4:
            children = [f"{name}.{n}" for n in range(rng.randint(1, 3))]
            for child in children:
                self._plan(tree, child, workers, depth + 1)
        plan = Plan(
            name=name,
            tree=tree,
            slots=SLOTS,
            max_workers=workers,
            sleep_s=round(rng.expovariate(1 / self._work_s), 3),
            raw=rng.choice(ODD_BYTES),
            loud=LOUD_BYTES if rng.random() < 0.03 else 0,
            fail_first=rng.choice((0,) * 12 + (1, 1, 99)),
            stubborn=rng.random() < 0.08,
            leave=tuple(rng.sample(WAYS, rng.randint(1, 2))) if self._escapes and rng.random() < 0.3 else (),
            children=tuple(children),
            wait=rng.random() < 0.7,
            greedy=greedy,
        )
        (self._folder / "plans" / f"{name}.json").write_text(json.dumps(asdict(plan)), "utf-8")
        return plan

    def _request(self, plan: Plan) -> str:
        return f"exec {sys.executable} -I -S {ACTOR} {self._folder} {plan.name}"
