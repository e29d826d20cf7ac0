"""Facts about any launcher: one suite for this machine, for recorded engines, and (``tests/cluster``) for real ones.

A test module gives the fixture ``world`` and names a subclass of `LauncherFacts`.
"""

import select
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import pytest

from store.home import Home
from store.needs import Needs
from tui_orch.supervisor.engines.cluster import ClusterLauncher, engine_name
from tui_orch.supervisor.engines.engine import Engine
from tui_orch.supervisor.launcher import Handle, Launcher, LaunchError, Order

#: What a worker does: ends with code 7, or goes on until it is told to end.
Part = Literal["fail", "stay"]


def until(condition: Callable[[], object], otherwise: str, patience_s: float) -> None:
    """Look again and again, and not for longer than that."""
    end = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(otherwise)
        time.sleep(0.02)


class World(Protocol):
    """A place where workers run, and how a test acts on it."""

    patience_s: float

    def launcher(self) -> Launcher:
        """Return another launcher of the same store, as the next supervisor has it."""

    def order(self, job: int, part: Part) -> Order:
        """Return the order of a worker with a part to play."""

    def until_at_work(self, handle: Handle) -> None:
        """Wait until the worker plays its part."""


class ClusterWorld:
    """Any engine. Its workers are ``program``, which finds its part in ORCH_CLAIM_CODE and does not mind its arguments."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        home: Home,
        *,
        program: str = "orch",
        patience_s: float = 60.0,
        needs: Needs | None = None,
    ) -> None:
        self.patience_s = patience_s
        self.store_id = uuid.uuid4().hex
        self.leases: dict[tuple[int, int], int] = {}
        self._engine = engine
        self._asking = engine()
        self._home = home
        self._program = program
        self._needs = needs
        self._made: list[ClusterLauncher] = []

    def launcher(self) -> ClusterLauncher:
        """Return a launcher on an engine of its own."""
        made = ClusterLauncher(
            self._engine(),
            self._home,
            self.store_id,
            url="http://head:8000",
            lease_until_ms=lambda job, attempt: self.leases.get((job, attempt)),
            program=self._program,
            needs=self._needs,
        )
        self._made.append(made)
        return made

    def order(self, job: int, part: Part) -> Order:
        """Return an order whose claim code is the part."""
        return Order(job, 1, {"ORCH_TOKEN": part, "SECRET": "stays here"})

    def until_at_work(self, handle: Handle) -> None:
        """Wait until the engine says that it runs."""
        name = engine_name(self.store_id, handle.job_id, handle.attempt)

        def runs() -> bool:
            found = self._asking.poll([name]).get(name)
            return found is not None and found.standing == "running"

        until(runs, f"{name} never runs", self.patience_s)

    def close(self) -> None:
        """End what the engine still runs of ours, and close all."""
        names = [engine_name(self.store_id, job, 1) for job in range(1, 4)]
        self._asking.stop(names)
        for each in self._made:
            each.close()
        self._asking.close()


def begun(launcher: Launcher, *orders: Order) -> list[Handle]:
    """Start workers, all of which can be."""
    handles = []
    for started in launcher.start(orders):
        if isinstance(started, LaunchError):
            raise started
        handles.append(started)
    return handles


def wait_for_end(world: World, launcher: Launcher, handle: Handle) -> None:
    """Wait as the loop of a supervisor does: for the descriptor."""
    assert select.select([handle], [], [], world.patience_s)[0], "the worker does not end"
    assert launcher.has_ended(handle)


class LauncherFacts:
    """The suite."""

    def test_the_end_wakes_is_told_and_buried(self, world: World) -> None:
        launcher = world.launcher()
        (handle,) = begun(launcher, world.order(1, "fail"))
        wait_for_end(world, launcher, handle)
        assert launcher.bury(handle) == 7
        assert not launcher.is_alive(1, 1)
        assert launcher.end_leftovers(1, 1) == 0

    def test_a_worker_lives_until_it_is_stopped(self, world: World) -> None:
        launcher = world.launcher()
        (handle,) = begun(launcher, world.order(1, "stay"))
        world.until_at_work(handle)
        assert launcher.is_alive(1, 1)
        assert launcher.close_off(1, 1) == "alive"
        assert not launcher.has_ended(handle)
        with pytest.raises(ValueError, match="has not ended"):
            launcher.bury(handle)
        launcher.stop(handle, kill=False)
        wait_for_end(world, launcher, handle)
        launcher.bury(handle)
        assert not launcher.is_alive(1, 1)
        assert launcher.close_off(1, 1) != "alive"

    def test_a_worker_is_killed(self, world: World) -> None:
        launcher = world.launcher()
        (handle,) = begun(launcher, world.order(1, "stay"))
        world.until_at_work(handle)
        launcher.stop(handle, kill=True)
        wait_for_end(world, launcher, handle)
        launcher.bury(handle)

    def test_to_stop_what_has_ended_is_no_error(self, world: World) -> None:
        launcher = world.launcher()
        (handle,) = begun(launcher, world.order(1, "fail"))
        wait_for_end(world, launcher, handle)
        launcher.stop(handle, kill=False)
        launcher.stop(handle, kill=True)
        assert launcher.bury(handle) == 7

    def test_workers_end_one_by_one(self, world: World) -> None:
        launcher = world.launcher()
        stays, fails = begun(launcher, world.order(1, "stay"), world.order(2, "fail"))
        assert stays.fd != fails.fd
        wait_for_end(world, launcher, fails)
        assert launcher.bury(fails) == 7
        world.until_at_work(stays)
        assert not launcher.has_ended(stays)
        launcher.stop(stays, kill=True)
        wait_for_end(world, launcher, stays)
        launcher.bury(stays)

    def test_workers_outlive_their_launcher_and_the_next_takes_them_over(self, world: World) -> None:
        first = world.launcher()
        (handle,) = begun(first, world.order(1, "stay"))
        world.until_at_work(handle)
        first.close()
        second = world.launcher()
        adopted = second.adopt(1, 1, handle.pid or None)
        assert adopted is not None
        assert second.is_alive(1, 1)
        assert not second.has_ended(adopted)
        second.stop(adopted, kill=True)
        wait_for_end(world, second, adopted)
        second.bury(adopted)
        assert second.adopt(1, 1, None) is None
        assert not second.is_alive(1, 1)

    def test_what_nobody_runs_is_soon_known_to_be_dead(self, world: World) -> None:
        launcher = world.launcher()
        adopted = launcher.adopt(3, 1, None)
        if adopted is not None:  # the engine has to be asked first
            wait_for_end(world, launcher, adopted)
            assert launcher.bury(adopted) is None
        assert launcher.adopt(3, 1, None) is None
        assert not launcher.is_alive(3, 1)
        assert launcher.close_off(3, 1) == "never"

    def test_nothing_is_held_back_or_refused_in_good_times(self, world: World) -> None:
        launcher = world.launcher()
        (handle,) = begun(launcher, world.order(1, "fail"))
        assert launcher.holds_back() is None
        wait_for_end(world, launcher, handle)
        launcher.bury(handle)
        assert launcher.refusal(1, 1) is None
        lived_ms = launcher.lived_ms(1, 1, 1_000_000)
        assert lived_ms is not None
        assert 0 <= lived_ms <= 1_000_000


def part_program(folder: Path) -> str:
    """Write the program that plays the parts on a real node, where ``folder`` is seen, too."""
    path = folder / "plays-its-part"
    path.write_text('#!/bin/sh\n[ "$ORCH_CLAIM_CODE" = fail ] && exit 7\nexec sleep 600\n')
    path.chmod(0o755)
    return str(path)
