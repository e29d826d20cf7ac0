"""The store that the attacks are made on, and the ways in which they are made."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import apsw
import pytest
from at_store import AtStore, sqlite3
from invariants import check

from store import claim, handed_in, keys, leases, rules
from store.database import Store
from store.home import Home
from store.models import NewJob, Usage
from store.needs import Needs
from store.states import Kind, Status

#: Fifty numbers, for one INSERT ... SELECT of as many children.
FIFTY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)"
#: What each way in says before the attack: switches that have undone rules of other schemas.
SWITCHES = {
    "plain": "",
    "recursive triggers": "PRAGMA recursive_triggers = ON;",
    "checks ignored": "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; PRAGMA recursive_triggers = OFF;",
    "keys deferred": "PRAGMA foreign_keys = ON; PRAGMA defer_foreign_keys = ON;",
}


def build(project: Path) -> Home:
    """Make a store in which every kind of row can be attacked.

    #1 root, running, max_depth 2, max_children 3, max_jobs 6, max_workers 3, all three at work
    ├── #2 running, with an open ask (1) and one that was allowed and used (2)
    │   └── #5 running elsewhere, at the deepest level, with a call that was answered
    ├── #3 completed, with a result
    └── #4 queued, with needs
    #6 root, waiting for #7 (failed) and #8 (queued)
    #9 root, cancelled     #10 root, running, lends its slot under a name
    Rules of #1: one that allows (1), one that denies (2), one that is removed (3). Keys: 1 and, revoked, 2. Key 1 has
    handed in #1.
    """
    at = AtStore.create(project)
    with at.store:
        root = at.tree("the whole thing", max_depth=2, max_children=3, max_jobs=6, max_workers=3)
        top = at.start(root)
        fourth = NewJob("fourth", Kind.COMMAND, needs=Needs(cpus=2.0))
        second, third, _ = at.spawn(top, "second", "third", fourth)
        at.run(third, result="what it found", usage=Usage(cost_usd=0.5, input_tokens=7))
        middle = at.start(second)
        at.ask(middle, "may I?", kind="permission", tool="Bash", input={"command": "rm"})
        used = at.ask(middle, "and now?", kind="permission", tool="Bash", input={"command": "ls"})
        at.answer(used, "allow")
        with at.store.write() as tx:
            tx.run("UPDATE asks SET used_ms = ? WHERE id = ?", (at.now_ms, used))
        (deepest,) = at.spawn(middle, "deepest")
        with at.store.write() as tx:
            fence = claim.start_attempt(tx, deepest, claim.token_hash("its code"), at.now_ms)
            leases.claim_remote(tx, fence, claim.token_hash("its token"), "there", 60_000, at.now_ms)
            leases.remember(tx, fence, "a call", "its answer")
        _, (failing, _) = at.waiting_parent("failing", "later")
        at.run(failing, Status.FAILED, reason="exit_code", error="it broke")
        at.cancel(at.tree("nobody wants this"))
        at.lend(at.start(at.tree("blocks in its client", max_workers=1)), "a client")
        with at.store.write() as tx:
            rules.add_rule(tx, root, "allow", "Bash(ls)", at.now_ms)
            rules.add_rule(tx, root, "deny", "Bash(rm:*)", at.now_ms)
            rules.remove_rule(tx, rules.add_rule(tx, root, "allow", "Read", at.now_ms), at.now_ms)
            keys.new_key(tx, "a program", at.now_ms, expires_ms=at.now_ms + 1)
            keys.revoke_key(tx, keys.new_key(tx, "another", at.now_ms)[0].id, at.now_ms)
            handed_in.once(tx, "key:1", "first", "{}", at.now_ms, lambda: handed_in.Handle(root))
    return at.home


@dataclass(frozen=True)
class Attack:
    """One statement or more, and what the refusal must say."""

    name: str
    sql: str
    says: str


def attack(name: str, says: str, *statements: str) -> object:
    """Return a parameter for a test."""
    return pytest.param(Attack(name, "; ".join(statements), says), id=name)


def by_shell(switches: str) -> Callable[[Home, str], str]:
    def run(home: Home, sql: str) -> str:
        done = sqlite3(home.database, f"{switches} {sql}")
        assert done.returncode != 0, f"it got through: {done.stdout}"
        return done.stderr

    return run


def by_program(home: Home, sql: str) -> str:
    """Attack as a program with the newest SQLite, in one transaction that it commits in spite of the error."""
    connection = apsw.Connection(str(home.database))
    connection.execute("BEGIN IMMEDIATE").fetchall()
    try:
        with pytest.raises(apsw.Error) as refused:
            connection.execute(sql).fetchall()
        if connection.in_transaction:
            connection.execute("COMMIT").fetchall()
    finally:
        connection.close()
    return str(refused.value)


def by_attaching(home: Home, sql: str) -> str:
    """Attack through a connection whose main database is another one."""
    connection = apsw.Connection(":memory:")
    connection.execute("ATTACH ? AS other", (str(home.database),)).fetchall()
    try:
        with pytest.raises(apsw.Error) as refused:
            connection.execute(sql).fetchall()
    finally:
        connection.close()
    return str(refused.value)


WAYS: dict[str, Callable[[Home, str], str]] = {
    **{name: by_shell(switches) for name, switches in SWITCHES.items()},
    "a program": by_program,
    "attached": by_attaching,
}


def copy_store(source: Home, project: Path) -> Home:
    """Return a copy of a store that nobody has open."""
    home = Home(project / ".orch")
    shutil.copytree(source.root, home.root)
    return home


class Target:
    """A store that many tests attack in turn; one that an attack has changed is never handed to the next."""

    def __init__(self, built: Home, folder: Path) -> None:
        self._built = built
        self._folder = folder
        self._copies = 0
        self._store: Store | None = None
        with Store.open(built) as store:
            self.before = AtStore(store).everything()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    @property
    def home(self) -> Home:
        """Where to attack."""
        return self._at().home

    def assert_unchanged(self) -> None:
        """Not one row has changed, and no rule has."""
        at = self._at()
        found, differences = at.everything(), at.store.schema_differences()
        if found != self.before or differences:
            self._drop()
        assert differences == []
        assert found == self.before

    def _at(self) -> AtStore:
        if self._store is None:
            self._copies += 1
            self._store = Store.open(copy_store(self._built, self._folder / f"copy{self._copies}"))
        return AtStore(self._store)

    def _drop(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None


def assert_sound(at: AtStore) -> None:
    """Every invariant and the schema hold."""
    assert at.store.schema_differences() == []
    with at.store.read() as reader:
        check(reader)
        assert reader.value("PRAGMA integrity_check") == "ok"
