"""What goes to the terminal past Textual is made of constants, and what is copied is cleaned."""

import base64

import pytest
from dialog_stage import HOSTILE, a_job
from textual.app import App

from tui_orch.tui.clipboard import MOST_BYTES, Copyable, copy, copyables, fitting
from tui_orch.tui.notify import APART_MS, AskTeller, Notice, sequence, tell


def test_nothing_is_sent_when_it_is_off_or_nobody_asks() -> None:
    assert sequence(Notice.OFF, 3, {}) == ""
    assert sequence(Notice.BELL, 0, {}) == ""


def test_a_notification_is_what_the_terminal_knows() -> None:
    """OSC 9; OSC 777 where that is known instead; the bell where a multiplexer would swallow both."""
    assert sequence(Notice.BELL, 1, {}) == "\x07"
    assert (
        sequence(Notice.NOTIFICATION, 1, {"TERM": "xterm-kitty"}) == "\x1b]9;tui-orch: 1 ask waits for an answer\x1b\\"
    )
    assert (
        sequence(Notice.NOTIFICATION, 2, {"TERM": "foot"}) == "\x1b]777;notify;tui-orch;2 asks wait for an answer\x1b\\"
    )
    assert sequence(Notice.NOTIFICATION, 2, {"VTE_VERSION": "7600"}).startswith("\x1b]777;")
    assert sequence(Notice.NOTIFICATION, 2, {"TMUX": "/tmp/x"}) == "\x07"
    assert sequence(Notice.NOTIFICATION, 2, {"STY": "x"}) == "\x07"


def test_only_more_asks_than_before_are_news() -> None:
    """What was open when the screen was opened is not."""
    teller = AskTeller()
    assert not teller.news(3, 0)
    assert not teller.news(3, 10_000)
    assert teller.news(4, 20_000)
    assert not teller.news(2, 30_000)
    assert teller.news(3, 40_000)


def test_many_asks_at_once_are_told_once() -> None:
    teller = AskTeller()
    teller.news(0, 0)
    assert [teller.news(count, 1_000 + count) for count in range(1, 5)] == [True, False, False, False]
    assert teller.news(5, 1_001 + APART_MS)


async def test_without_a_terminal_nothing_is_written() -> None:
    app: App[None] = App()
    async with app.run_test():
        tell(app, Notice.BELL, 1, {})
        tell(app, Notice.NOTIFICATION, 1, {})


async def test_a_notification_goes_through_the_driver_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """So it can not fall into the middle of a frame."""
    written: list[str] = []
    app: App[None] = App()
    async with app.run_test():
        monkeypatch.setattr(type(app), "is_headless", property(lambda _: False))
        monkeypatch.setattr(app._driver, "write", written.append)
        tell(app, Notice.NOTIFICATION, 1, {})
        tell(app, Notice.BELL, 1, {})
        monkeypatch.undo()
    assert written == ["\x1b]9;tui-orch: 1 ask waits for an answer\x1b\\", "\x07"]


def test_what_a_job_has_can_be_copied() -> None:
    assert [found.name for found in copyables(a_job())] == ["id", "title", "request"]
    everything = copyables(a_job(result="r", error="e", session_id="s"))
    assert [found.name for found in everything] == ["id", "title", "request", "result", "error", "session"]
    assert len({found.key for found in everything}) == len(everything)


def test_what_is_copied_is_cleaned() -> None:
    """It will be pasted into a terminal."""
    for found in copyables(a_job(title=HOSTILE, request=HOSTILE, result=HOSTILE, error=HOSTILE, session_id=HOSTILE)):
        assert not set(found.text) & {"\x1b", "\x07", "\x9b", "\u202e"}


def test_more_than_a_terminal_takes_is_cut_between_characters() -> None:
    cut = fitting("日" * MOST_BYTES)
    assert cut == "日" * (MOST_BYTES // 3)


async def test_copying_tells_what_was_copied() -> None:
    written: list[str] = []
    app: App[None] = App()
    async with app.run_test():
        assert app._driver is not None
        app._driver.write = written.append  # type: ignore[method-assign]  # to see what would go to the terminal
        assert copy(app, Copyable("i", "id", "#12")) == "copied the id: #12"
        assert copy(app, Copyable("r", "result", "x" * 1_000)) == "copied the result: 1,000 characters"
        told = copy(app, Copyable("r", "result", "x" * 80_000))
    assert told == "copied the result: 74,994 characters, the first of 80,000: the terminal takes no more"
    sent = [text for text in written if text.startswith("\x1b]52;c;")]
    assert base64.b64decode(sent[0][7:-1]) == b"#12"
    assert all(len(text) < 100_100 for text in sent)
