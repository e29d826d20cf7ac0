"""Every key of the app, pressed over a real store: what comes of it stands in the store, or on the screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_stage import Garden, Surroundings, calm, empty_store, footer, garden, gone, job, seen, shown, talk, to
from detail_stores import Made, at, until
from dialog_stage import enter_text, text
from textual.widgets import Input

from store import asks, control
from store.claim import set_activity
from store.states import Status
from store.tree import children, get_tree, store_state
from tui_orch.tui.app import OrchApp
from tui_orch.tui.dialogs.filter_bar import FilterBar
from tui_orch.tui.dialogs.inbox import AskAnswer, Inbox
from tui_orch.tui.keys import ACTIONS
from tui_orch.tui.messages import CursorMoved, JobsChanged, StoreRecovered
from tui_orch.tui.sorting import Sort
from tui_orch.tui.steering import Steering


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Garden]:
    calm(monkeypatch)
    monkeypatch.delenv("PAGER", raising=False)
    found = garden(tmp_path)
    talk(found)
    yield found
    found.made.store.close()


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    calm(monkeypatch)
    made = empty_store(tmp_path)
    yield made
    made.store.close()


def test_every_action_can_be_done() -> None:
    """The table of keys and what does them can not drift apart."""
    assert [action.name for action in ACTIONS if not callable(getattr(Steering, action.name, None))] == []


async def test_every_key_of_the_table_is_bound(stage: Garden) -> None:
    async with shown(stage.made) as (app, _):
        bound = {binding.key for binding in (found.binding for found in app.active_bindings.values())}
        # "escape" is bound once on the screen by Textual and once by the app; "?" is Textual's question_mark.
        assert {action.key for action in ACTIONS if action.key} - bound == set()


# On a job


async def test_c_asks_and_y_cancels_the_subtree(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.digging)
        await pilot.press("c")
        await seen(app, f"Cancel #{stage.digging}?", "This ends 3 jobs")
        await pilot.press("y")
        await seen(app, f"#{stage.digging}:", "being stopped")
        assert stage.job(stage.digs[1]).status is Status.CANCELLED
        assert stage.job(stage.digs[0]).stop_reason == "cancelled"
        assert stage.job(stage.pruning).stop_reason is None


@pytest.mark.parametrize("key", ["escape", "n", "enter"])
async def test_c_changes_nothing_without_a_yes(stage: Garden, key: str) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.painting)
        await pilot.press("c")
        await seen(app, f"Cancel #{stage.painting}?")
        await pilot.press(key)
        await gone(app, f"Cancel #{stage.painting}?")
        await pilot.press("q")
    assert stage.job(stage.painting).status is Status.QUEUED


async def test_r_queues_a_failed_job_again_and_starts_a_supervisor_for_it(stage: Garden) -> None:
    around = Surroundings(supervisor=False)
    async with shown(stage.made, surroundings=around) as (app, pilot):
        await to(app, pilot, stage.watered)
        await pilot.press("r")
        await seen(app, f"queued again: #{stage.watered}")
        assert stage.job(stage.watered).status is Status.QUEUED
        assert around.started == 1


async def test_upper_r_queues_the_failed_leaves(stage: Garden) -> None:
    with stage.made.store.read() as reader:
        pot = children(reader, stage.counted)[0]
    assert pot.status is Status.FAILED
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.counted)
        await pilot.press("R")
        await seen(app, f"queued again: #{pot.id}")
        assert stage.job(pot.id).status is Status.QUEUED
        assert stage.job(stage.counted).status is Status.WAITING


async def test_enter_opens_the_detail_and_esc_closes_it(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("enter")
        await seen(app, "Attempts", "I look at the beds first.")
        await pilot.press("escape")
        await gone(app, "Attempts")
        assert app.side is None
        assert app.focused is app.pane


async def test_space_folds_and_unfolds(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.digging)
        await seen(app, "Dig the north bed")
        await pilot.press("space")
        await gone(app, "Dig the north bed")
        await pilot.press("space")
        await seen(app, "Dig the north bed")


async def test_o_says_what_to_do_where_the_terminal_can_not_be_left(
    stage: Garden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGER", "cat")
    async with shown(stage.made) as (app, pilot):
        await pilot.press("o")
        await seen(app, f"this terminal can not be left; see: orch logs {stage.root}")


async def test_o_names_a_pager_that_is_not_there(stage: Garden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "no-such-pager -R")
    async with shown(stage.made) as (app, pilot):
        await pilot.press("o")
        await seen(app, "there is no pager no-such-pager; set PAGER")


async def test_y_copies_what_is_chosen(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.planned)
        await pilot.press("y")
        await seen(app, f"Copy of #{stage.planned}", "session")
        await pilot.press("s")
        await seen(app, "copied the session: 5e551011")
        assert app.clipboard == "5e551011"


# On a tree


async def test_l_raises_max_depth_at_once(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.pruning)
        await pilot.press("l")
        await seen(app, f"Limits of tree #{stage.root}")
        field = app.screen.query_one("#max_depth", Input)
        field.focus()
        field.value = ""
        await enter_text(pilot, "4")
        await pilot.press("enter")
        await seen(app, f"limits of tree #{stage.root} changed")
        with stage.made.store.read() as reader:
            assert get_tree(reader, stage.root).max_depth == 4


async def test_l_changes_nothing_with_esc(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("l")
        await seen(app, "Limits of tree")
        app.screen.query_one("#max_depth", Input).value = "4"
        await pilot.press("escape")
        await gone(app, "Limits of tree")
        await pilot.press("q")
    with stage.made.store.read() as reader:
        assert get_tree(reader, stage.root).max_depth == 3


async def test_p_pauses_the_tree_and_lets_it_go_on(stage: Garden) -> None:
    def paused() -> int | None:
        with stage.made.store.read() as reader:
            return get_tree(reader, stage.root).paused_ms

    async with shown(stage.made) as (app, pilot):
        await pilot.press("p")
        await seen(app, f"tree #{stage.root} starts nothing new")
        assert paused() is not None
        await pilot.press("p")
        await seen(app, f"tree #{stage.root} goes on")
        assert paused() is None


# On the store


async def test_upper_p_pauses_all_and_takes_a_brake_back(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("P")
        await seen(app, "nothing new starts in the whole store", "P goes on")
        await until(lambda: app.state.paused_ms is not None)
        with stage.made.store.write() as tx:
            assert store_state(tx).paused_ms is not None
            control.set_brake(tx, "the limit of the plan", app.outside.now_ms() + 60_000)
        await seen(app, "the limit of the plan")
        await pilot.press("P")
        await seen(app, "the store goes on")
        await gone(app, "the limit of the plan")
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


# On the screen


async def test_slash_filters_and_keeps_what_is_above_a_match(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("slash")
        await until(lambda: app.query_one(FilterBar).is_open)
        await enter_text(pilot, "south")
        await gone(app, "Water the basil")
        await seen(app, "Rebuild the herb garden", "Dig the beds", "Dig the south bed")
        await pilot.press("enter")
        await until(lambda: app.focused is app.pane)
        assert "Water the basil" not in text(app)
        await pilot.press("escape")
        await seen(app, "Water the basil")


async def test_esc_in_the_line_of_the_filter_shows_all_jobs_again(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("slash")
        await enter_text(pilot, "state:failed")
        await gone(app, "Prune the sage")
        await pilot.press("escape")
        await seen(app, "Prune the sage")
        assert app.focused is app.pane


async def test_esc_closes_the_detail_before_it_takes_the_filter_away(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("slash")
        await enter_text(pilot, "south")
        await gone(app, "Water the basil")
        await seen(app, "Dig the south bed")
        await pilot.press("enter")
        await until(lambda: app.focused is app.pane)
        await pilot.press("enter")
        await seen(app, "Attempts")
        await pilot.press("escape")
        await seen(app, "Dig the south bed")
        assert "Water the basil" not in text(app)
        await pilot.press("escape")
        await seen(app, "Water the basil")


async def test_f_follows_what_happens_until_it_is_pressed_again(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("f")
        await seen(app, "follows the newest activity")
        _works(stage, stage.pruning, "Read beds/sage.md")
        await until(lambda: app.pane.cursor_id == stage.pruning)
        await pilot.press("f")
        await seen(app, "stays where it is")
        _works(stage, stage.digs[0], "Bash dig")
        await seen(app, "Bash dig ")
        assert app.pane.cursor_id == stage.pruning


async def test_upper_j_goes_from_one_job_that_calls_to_the_next(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        found = []
        for _ in range(4):
            await pilot.press("J")
            await pilot.pause()
            found.append(app.pane.cursor_id)
        assert found == [stage.watered, stage.asking, stage.pruning, stage.counted]


async def test_t_shows_the_timeline_and_esc_takes_it_away(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("t")
        await until(lambda: app.side == "timeline")
        await seen(app, "holds the root")
        await pilot.press("escape")
        await until(lambda: app.side is None)
        assert app.focused is app.pane


async def test_s_sorts_siblings_by_what_is_chosen(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("s")
        await seen(app, "Sort by")
        await pilot.press("s")
        await until(lambda: app.pane.model.forest.sort is Sort.STATE)
        screen = text(app)
        assert screen.index("Talk to the neighbour") < screen.index("Water the basil") < screen.index("Plan the beds")


async def test_question_mark_shows_the_keys_and_does_what_is_picked(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("question_mark")
        await seen(app, "Keys and commands")
        await enter_text(pilot, "sort siblings")
        await pilot.press("enter")
        await seen(app, "Sort by")


async def test_ctrl_p_finds_an_action_by_its_name(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("ctrl+p")
        await until(lambda: app.screen is not app.default_screen)
        await enter_text(pilot, "timeline")
        await seen(app, "timeline (t)")
        await pilot.press("down", "enter")
        await until(lambda: app.side == "timeline")


async def test_q_ends_the_app_well_and_what_runs_goes_on(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("q")
    assert app.return_code == 0
    assert stage.job(stage.pruning).status is Status.RUNNING


async def test_what_the_feed_tells_while_the_app_closes_does_no_harm(stage: Garden) -> None:
    """The parts are taken away before the app's last messages are handled."""
    async with shown(stage.made) as (app, pilot):
        await app.default_screen.remove_children()
        app.post_message(JobsChanged((stage.job(stage.root),), app.state))
        app.post_message(CursorMoved(stage.root))
        app.post_message(StoreRecovered())
        app.say("the last word")
        await pilot.pause()
    assert app.return_code in (None, 0)


# What can not be done is told


@pytest.mark.parametrize(
    ("where", "key", "why"),
    [
        ("planned", "c", "has ended (completed); there is nothing to cancel"),
        ("pruning", "r", "is running; only what failed"),
        ("planned", "R", "nothing is below"),
        ("painting", "space", "has no children"),
        ("painting", "o", "has not started yet, so it has no output"),
        ("root", "escape", "no filter is on"),
        ("root", "S", "a supervisor runs already"),
    ],
)
async def test_a_key_that_does_nothing_says_why(stage: Garden, where: str, key: str, why: str) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, getattr(stage, where))
        await pilot.press(key)
        await until(lambda: why in footer(app))


@pytest.mark.parametrize("key", ["c", "r", "R", "l", "p", "o", "y", "enter", "space", "slash", "f", "J", "t", "s", "a"])
async def test_a_store_without_jobs_tells_what_to_do_first(nothing: Made, key: str) -> None:
    async with shown(nothing) as (app, pilot):
        before = footer(app)
        await pilot.press(key)
        await until(lambda: footer(app) != before)
        assert app.screen is app.default_screen


async def test_watching_only_changes_nothing(stage: Garden) -> None:
    async with shown(stage.made, read_only=True) as (app, pilot):
        for key in ("c", "l", "p", "P", "n", "a"):
            app.say("")
            await pilot.press(key)
            await until(lambda: "this screen only watches" in footer(app))


# What happens elsewhere


async def test_new_children_appear_without_moving_the_cursor(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.painting)
        at_line = _line(app, "Paint the fence")
        new = stage.made.spawn(stage.job(stage.digs[0]).fence, "Loosen the clay", second=700)
        await seen(app, "Loosen the clay")
        assert app.pane.cursor_id == stage.painting
        assert _line(app, "Paint the fence") == at_line + 1
        assert _line(app, "Loosen the clay") == _line(app, "Dig the north bed") + 1
        assert job(stage.made, new[0]).parent_id == stage.digs[0]


async def test_an_open_inbox_takes_in_a_new_ask(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("a")
        await seen(app, "Inbox: 1 ask waits")
        fence = stage.job(stage.pruning).fence
        with stage.made.store.write() as tx:
            asks.ask(tx, fence, kind="question", question="how short?", now_ms=app.outside.now_ms())
        await seen(app, "Inbox: 2 asks wait")


async def test_a_narrow_and_a_wide_screen_show_tree_and_detail_one_at_a_time_or_beside_each_other(
    stage: Garden,
) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("enter")
        await seen(app, "Attempts")
        assert "Plan the beds" not in text(app)
        await pilot.resize_terminal(160, 40)
        await seen(app, "Attempts", "Plan the beds")


def _works(stage: Garden, job_id: int, words: str) -> None:
    fence = stage.job(job_id).fence
    with stage.made.store.write() as tx:
        set_activity(tx, fence, words, at(700))


def _line(app: OrchApp, words: str) -> int:
    return next(at for at, line in enumerate(text(app).split("\n")) if words in line)
