"""The keys for the whole store, pressed over a real one: pause, requests, asks, a supervisor."""

import asyncio
import threading
from typing import Any

import pytest
from app_stage import Garden, Surroundings, gone, job, seen, shown
from detail_stores import Made, until
from dialog_stage import enter_text
from textual.worker import WorkerFailed

from store import asks, brake
from store.tree import store_state
from tui_orch.tui.app import OrchApp
from tui_orch.tui.control import Control
from tui_orch.tui.dialogs.inbox import AskAnswer, Inbox


async def test_upper_p_pauses_all_and_takes_a_brake_back(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("P")
        await seen(app, "nothing new starts in the whole store", "P goes on")
        await until(lambda: app.state.paused_ms is not None)
        with stage.made.store.write() as tx:
            assert store_state(tx).paused_ms is not None
            brake.set_brake(tx, "the plan's limit", app.outside.now_ms() + 60_000)
        await seen(app, "the plan's limit")
        await pilot.press("P")
        await seen(app, "the store goes on")
        await gone(app, "the plan's limit")
        with stage.made.store.read() as reader:
            state = store_state(reader)
        assert (state.paused_ms, state.brake_reason) == (None, None)


async def test_n_hands_in_what_is_written_and_goes_there(nothing: Made) -> None:
    around = Surroundings(supervisor=False)
    async with shown(nothing, surroundings=around) as (app, pilot):
        await seen(app, "No jobs yet.")
        await pilot.press("n")
        await seen(app, "New request")
        await enter_text(pilot, "Paint the shed")
        await pilot.press("ctrl+s")
        await seen(app, "tree #1 is handed in", "#1 Paint the shed")
        assert job(nothing, 1).request == "Paint the shed"
        await until(lambda: app.pane.cursor_id == 1)
        assert around.started == 1


async def test_n_hands_in_nothing_with_esc(nothing: Made) -> None:
    async with shown(nothing) as (app, pilot):
        await pilot.press("n")
        await seen(app, "New request")
        await enter_text(pilot, "Paint the shed")
        await pilot.press("escape")
        await seen(app, "No jobs yet.")
        await pilot.press("q")
    with nothing.store.read() as reader:
        assert reader.value("SELECT count(*) FROM jobs") == 0


async def test_a_allows_what_a_worker_asks(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("a")
        await seen(app, "Inbox: 1 ask waits for an answer", "ring --door 12")
        await pilot.press("a")
        await until(lambda: app.state.open_asks == 0)
        with stage.made.store.read() as reader:
            assert asks.get_ask(reader, stage.ask).answer == "allow"
        assert isinstance(app.screen, Inbox)
        await pilot.press("escape")
        await seen(app, "Rebuild the herb garden")


async def test_a_takes_words(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("a")
        await seen(app, "Inbox")
        await pilot.press("w")
        await enter_text(pilot, "not before noon")
        await pilot.press("enter")
        await until(lambda: app.state.open_asks == 0)
    with stage.made.store.read() as reader:
        answered = asks.get_ask(reader, stage.ask)
    assert (answered.answer, answered.text) == ("answered", "not before noon")


async def test_a_goes_to_the_job_that_asks(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("a")
        await seen(app, "Inbox")
        await pilot.press("g")
        await until(lambda: app.pane.cursor_id == stage.asking)


async def test_an_answer_that_comes_too_late_says_so(stage: Garden) -> None:
    """It was answered elsewhere between the last look and the key."""
    async with shown(stage.made) as (app, pilot):
        await pilot.press("a")
        await seen(app, "Inbox")
        message = Inbox.Answered(AskAnswer(stage.ask, "allow"))
        with stage.made.store.write() as tx:
            asks.answer(tx, stage.ask, "deny", None, app.outside.now_ms())
        app.steering.answered(message)
        await seen(app, "already answered: deny")


async def test_upper_s_starts_a_supervisor(stage: Garden) -> None:
    around = Surroundings(supervisor=False)
    async with shown(stage.made, surroundings=around) as (app, pilot):
        await seen(app, "no supervisor runs, so nothing goes on: S starts one")
        await pilot.press("S")
        await seen(app, "a supervisor is started")
        await gone(app, "no supervisor runs")
        assert around.started == 1


async def test_what_can_not_be_done_outside_is_told_and_the_app_goes_on(stage: Garden) -> None:
    def refuse() -> None:
        raise RuntimeError("the supervisor did not come up; see: supervisor.log")

    around = Surroundings(supervisor=False)
    async with shown(stage.made, surroundings=around, start_supervisor=refuse) as (app, pilot):
        await pilot.press("S")
        await seen(app, "the supervisor did not come up")
        await pilot.press("?")
        await seen(app, "Keys and commands")


async def test_a_change_under_way_when_the_screen_closes_is_done_and_told_to_nobody(
    stage: Garden, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on = threading.Event(), threading.Event()
    pause = Control.pause

    def slowly(self: Control, root_id: int | None, *, pause: bool, do: Any = pause) -> bool:
        began.set()
        assert go_on.wait(20)
        return bool(do(self, root_id, pause=pause))

    monkeypatch.setattr(Control, "pause", slowly)
    async with shown(stage.made) as (app, pilot):
        await pilot.press("P")
        await until(began.is_set)
        await pilot.press("q")
    assert app.return_code == 0
    go_on.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    with stage.made.store.read() as reader:
        assert store_state(reader).paused_ms is not None


async def test_what_goes_wrong_in_telling_of_a_change_is_not_hidden(
    stage: Garden, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: OrchApp, text: str) -> None:
        raise RuntimeError(f"can not say: {text}")

    monkeypatch.setattr(OrchApp, "say", broken)

    async def press() -> None:
        async with shown(stage.made) as (app, pilot):
            await pilot.press("P")
            await until(lambda: app.return_code == 1)

    with pytest.raises(WorkerFailed, match="can not say: nothing new starts"):
        await press()
