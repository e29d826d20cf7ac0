"""The inbox: every open ask, one answer each, and nobody allows what they have not seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dialog_stage import (
    HOSTILE,
    NARROW,
    NOW_MS,
    WIDE,
    ask_to_run,
    assert_fits,
    assert_plain,
    enter_text,
    open_store,
    running_tree,
    staged,
    text,
)
from inbox_desk import answers_in, ask_question, desk, items_of, three_asks
from textual.widgets import Button, Input, OptionList

from store import asks
from store.database import Store
from store.rules import rules_in_force
from tui_orch.tui.dialogs.inbox import Inbox


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as store:
        yield store


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_the_oldest_ask_stands_there_with_all_that_decides(store: Store, size: tuple[int, int]) -> None:
    """And text of workers is text."""
    _, below = running_tree(store, HOSTILE, children=1)
    ask_to_run(store, below[0], HOSTILE, command=f"ls\n{HOSTILE}")
    async with desk(store, size) as (app, _, _):
        seen = text(app)
        for expected in ("1 ask waits", "#1 [/foo]", "› #2", "tool  Bash", "│ ls", "[bold]x[/]", "1m00s"):
            assert expected in seen
        assert_fits(app)
        assert_plain(app)


async def test_allow_deny_and_words_reach_the_store(store: Store) -> None:
    """Each with the words beside it."""
    ids = three_asks(store)
    async with desk(store) as (app, pilot, _):
        await pilot.press("a", "down", "w")
        await enter_text(pilot, "no way")
        await pilot.press("tab", "tab", "tab", "tab", "enter")
        await pilot.pause()
        assert answers_in(store, ids) == [("allow", None), ("deny", "no way"), (None, None)]
        await pilot.press("down", "w", "r", "enter")
        await pilot.pause()
        assert answers_in(store, ids)[2] == ("answered", "r")
        assert "Nothing waits for an answer." in text(app)
        assert_fits(app)


@pytest.mark.parametrize(
    ("key", "kept"), [("s", (2, "allow", "Bash(ls)")), ("t", (1, "allow", "Bash(ls)")), ("D", (2, "deny", "Bash(ls)"))]
)
async def test_an_answer_for_good_keeps_the_rule_that_stands_there(
    store: Store, key: str, kept: tuple[int, str, str]
) -> None:
    """From the asking job down, or for the tree; other asks there that it answers go away with it."""
    ids = three_asks(store)
    async with desk(store) as (app, pilot, _):
        assert "rule  Bash(ls)" in text(app)
        await pilot.press(key)
        await pilot.pause()
        assert ("Inbox: 1 ask" in text(app)) is (key == "t")
    assert answers_in(store, ids) == [(kept[1], None), ("allow", None) if key == "t" else (None, None), (None, None)]
    with store.read() as reader:
        (rule,) = rules_in_force(reader)
    assert (rule.job_id, rule.verdict, rule.rule) == kept


async def test_what_no_rule_can_say_is_not_answered_for_good(store: Store) -> None:
    """It says how one names a rule; allowing it once works."""
    _, below = running_tree(store, children=1)
    ids = [ask_to_run(store, below[0], command="rm *")]
    async with desk(store) as (app, pilot, _):
        for key in ("s", "t", "D"):
            await pilot.press(key)
            await pilot.pause()
            assert "no rule says just this; name one: orch answer 1" in text(app)
        assert answers_in(store, ids) == [(None, None)]
        await pilot.press("a")
        await pilot.pause()
    assert answers_in(store, ids) == [("allow", None)]


async def test_a_question_is_not_answered_for_good(store: Store) -> None:
    ids = three_asks(store)
    async with desk(store, at_job=1) as (app, pilot, _):
        for key in ("s", "t", "D"):
            await pilot.press(key)
            await pilot.pause()
            assert "answer it in words" in text(app)
        for name in ("#allow", "#below", "#tree", "#deny_below"):
            assert not app.screen.query_one(name, Button).display
        assert_fits(app)
    assert answers_in(store, ids)[2] == (None, None)


async def test_a_question_is_answered_by_the_number_of_an_option(store: Store) -> None:
    ids = three_asks(store)
    async with desk(store, at_job=1) as (_, pilot, _):
        await pilot.press("a", "3", "2")
        await pilot.pause()
    assert answers_in(store, ids) == [(None, None), (None, None), ("answered", "blue")]


async def test_a_question_can_not_be_allowed(store: Store) -> None:
    ids = three_asks(store)
    async with desk(store, at_job=1) as (app, pilot, _):
        await pilot.press("a")
        await pilot.pause()
        assert "answer it in words" in text(app)
        assert not app.screen.query_one("#allow", Button).display
        await pilot.press("d")
        await pilot.pause()
    assert answers_in(store, ids)[2] == ("deny", None)


async def test_enter_never_allows(store: Store) -> None:
    """It goes to the words; and without words nothing is sent."""
    ids = three_asks(store)
    async with desk(store) as (app, pilot, _):
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen.query_one("#words", Input).has_focus
        await pilot.press("enter")
        await pilot.pause()
        assert "there are no words yet" in text(app)
    assert answers_in(store, ids) == [(None, None)] * 3


async def test_the_next_ask_is_not_allowed_by_pressing_twice(store: Store) -> None:
    """After an answer no ask is chosen until the person moves on."""
    ids = three_asks(store)
    async with desk(store) as (app, pilot, _):
        await pilot.press("a", "a", "a", "d")
        await pilot.pause()
        assert [answer for answer, _ in answers_in(store, ids)] == ["allow", None, None]
        assert "Press ↓ for the next ask." in text(app)
        assert all(button.disabled for button in app.screen.query(Button))


async def test_an_ask_that_goes_away_takes_no_other_in_its_place(store: Store) -> None:
    """It was answered elsewhere just before the key was pressed."""
    ids = three_asks(store)
    async with desk(store) as (app, pilot, inbox):
        with store.write() as tx:
            asks.answer(tx, ids[0], "deny", None, NOW_MS)
        inbox.show(items_of(store))
        await pilot.press("a")
        await pilot.pause()
        assert "answered elsewhere" in text(app)
        assert answers_in(store, ids) == [("deny", None), (None, None), (None, None)]


async def test_new_asks_come_in_without_moving_the_cursor(store: Store) -> None:
    root, (first, second) = running_tree(store)
    ids = [ask_to_run(store, first, "one?"), ask_to_run(store, second, "two?")]
    async with desk(store) as (app, pilot, inbox):
        await pilot.press("down", "w")
        await enter_text(pilot, "half")
        ids.append(ask_question(store, root))
        inbox.show(items_of(store))
        await pilot.pause()
        assert "Inbox: 3 asks wait" in text(app)
        assert app.screen.query_one("#words", Input).value == "half"
        await pilot.press("enter")
        await pilot.pause()
    assert answers_in(store, ids) == [(None, None), ("answered", "half"), (None, None)]


async def test_words_stay_with_the_ask_they_were_written_for(store: Store) -> None:
    ids = three_asks(store)
    async with desk(store) as (app, pilot, _):
        await pilot.press("w", "x", "shift+tab", "shift+tab", "down")
        await pilot.pause()
        assert app.screen.query_one("#words", Input).value == ""
        await pilot.press("d", "up")  # the one above that which was answered
        await pilot.pause()
        assert app.screen.query_one("#words", Input).value == "x"
    assert answers_in(store, ids)[:2] == [(None, None), ("deny", None)]


async def test_one_goes_on_where_one_was(store: Store) -> None:
    """Down is the ask behind the answered one, up the one before it."""
    _, below = running_tree(store, children=4)
    ids = [ask_to_run(store, fence) for fence in below]
    async with desk(store) as (_, pilot, _):
        await pilot.press("down", "a", "down", "d", "down", "a")
        await pilot.pause()
    assert [answer for answer, _ in answers_in(store, ids)] == [None, "allow", "deny", "allow"]


async def test_what_the_store_refuses_is_told(store: Store) -> None:
    """Somebody was faster, and the screen does not know yet."""
    ids = three_asks(store)
    async with desk(store) as (app, pilot, _):
        with store.write() as tx:
            asks.answer(tx, ids[0], "deny", None, NOW_MS)
        await pilot.press("a")
        await pilot.pause()
        assert "already answered: deny" in text(app)


async def test_an_answer_that_is_on_its_way_is_not_asked_for_again(store: Store) -> None:
    """A look at the store before the commit does not bring the ask back."""
    three_asks(store)
    before = items_of(store)
    async with staged(Inbox(before, lambda: NOW_MS)) as (app, pilot):
        inbox = app.screen
        assert isinstance(inbox, Inbox)
        await pilot.press("a")
        inbox.show(before)
        await pilot.pause()
        assert inbox.query_one(OptionList).option_count == 2
        inbox.refused(before[0].ask.id, "the disk is full")
        inbox.show(before)
        await pilot.pause()
        assert inbox.query_one(OptionList).option_count == 3
        assert "the disk is full" in text(app)


async def test_words_of_a_refused_answer_are_not_lost(store: Store) -> None:
    three_asks(store)
    items = items_of(store)
    async with staged(Inbox(items, lambda: NOW_MS)) as (app, pilot):
        inbox = app.screen
        assert isinstance(inbox, Inbox)
        await pilot.press("w", "x", "enter")
        inbox.refused(items[0].ask.id, "the disk is full")
        inbox.show(items)
        await pilot.press("up")
        await pilot.pause()
        assert inbox.query_one("#words", Input).value == "x"


async def test_one_goes_to_the_job_or_closes(store: Store) -> None:
    three_asks(store)
    for key, result in (("g", 3), ("escape", None)):
        async with desk(store) as (app, pilot, _):
            await pilot.press("down", key)
            await pilot.pause()
            assert app.results == [result]


async def test_the_mouse_does_it_all(store: Store) -> None:
    ids = three_asks(store)
    async with desk(store, WIDE) as (_, pilot, _):
        await pilot.click(OptionList, offset=(5, 1))
        await pilot.click("#allow")
        await pilot.pause()
        assert answers_in(store, ids) == [(None, None), ("allow", None), (None, None)]
        await pilot.click("#deny")
        await pilot.pause()
        assert answers_in(store, ids)[0] == (None, None)


async def test_an_empty_inbox_says_so(store: Store) -> None:
    async with desk(store) as (app, pilot, _):
        assert "Nothing waits for an answer." in text(app)
        await pilot.press("a", "d", "w", "g", "1", "enter")
        await pilot.pause()
        assert app.results == []


async def test_more_asks_than_it_holds_are_counted(store: Store) -> None:
    three_asks(store)
    async with desk(store, total=950) as (app, _, _):
        assert "Inbox: 950 asks wait for an answer, the oldest 3 of them here" in text(app)


async def test_asks_that_come_before_it_is_drawn_are_drawn(store: Store) -> None:
    """The app shows it and gives it the newest asks at once."""
    inbox = Inbox([], lambda: NOW_MS)
    three_asks(store)
    inbox.show(items_of(store))
    async with staged(inbox) as (app, _):
        assert "Inbox: 3 asks wait" in text(app)


async def test_the_ages_go_on_by_themselves(store: Store) -> None:
    """And nothing else is drawn for it."""
    three_asks(store)
    now = [NOW_MS]
    async with staged(Inbox(items_of(store), lambda: now[0])) as (app, pilot):
        now[0] += 125_000
        inbox = app.screen
        assert isinstance(inbox, Inbox)
        inbox._tick()
        await pilot.pause()
        assert "2m05s  #2 Bash: one?" in text(app)
        assert "wants to use a tool, 2m05s ago" in text(app)


async def test_a_key_acts_on_what_is_shown(store: Store) -> None:
    """Not on what the list holds by then under another id."""
    ids = three_asks(store)
    items = items_of(store)
    async with desk(store) as (_, pilot, inbox):
        inbox.show([items[2], items[1], items[0]])
        await pilot.press("a")
        await pilot.pause()
    assert answers_in(store, ids) == [("allow", None), (None, None), (None, None)]
