"""A log on the screen while it grows: followed, scrolled, folded, searched; and whatever a worker may put into it."""

import asyncio
import time
from pathlib import Path

import pytest
from detail_stores import DEEP, Made, called, grow, returned, said, until
from textual.app import App, ComposeResult

from store.states import Kind
from tui_orch.tui.detail import folded_text
from tui_orch.tui.detail.output_view import WINDOWS, OutputView
from tui_orch.tui.detail.source import Log, StoreDetailSource


class LogApp(App[None]):
    """The log of one attempt."""

    def __init__(self, log: Log, kind: Kind, *, live: bool = False) -> None:
        super().__init__()
        self.animation_level = "none"
        self._log_file, self._kind, self._live = log, kind, live

    def compose(self) -> ComposeResult:
        yield OutputView(look_every_s=0.1)

    def on_mount(self) -> None:
        self.view.show_log(self._log_file, self._kind, live=self._live)
        self.view.focus()

    @property
    def view(self) -> OutputView:
        return self.query_one(OutputView)

    def screen_text(self) -> list[str]:
        return [self.view.render_line(y).text.rstrip() for y in range(self.view.size.height)]

    def all_text(self) -> list[str]:
        return [line.text for line in self.view.text_layout.lines]

    async def read(self) -> None:
        await until(lambda: self.view.reading.over or self.view.reading.trouble)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def app_of(made: Made, job_id: int, kind: Kind, *, live: bool = False) -> LogApp:
    return LogApp(StoreDetailSource(made.store).log(job_id, 1, kind), kind, live=live)


async def test_a_log_is_followed_until_a_person_scrolls_up(made: Made) -> None:
    """End or f follow it again."""
    path = made.log(1, "".join(f"line {number}\n" for number in range(100)))
    app = app_of(made, 1, Kind.COMMAND, live=True)
    async with app.run_test(size=(40, 10)) as pilot:
        await until(lambda: app.screen_text()[-1] == "line 99")
        grow(path, "line 100\n")
        await until(lambda: app.screen_text()[-1] == "line 100")
        await pilot.press("up", "up")
        assert not app.view.following
        grow(path, "line 101\n")
        await until(lambda: app.all_text()[-1] == "line 101")
        assert app.screen_text()[-1] == "line 100"
        await pilot.press("end")
        assert app.view.following
        await until(lambda: app.screen_text()[-1] == "line 101")
        await pilot.press("home")
        assert not app.view.following
        assert app.screen_text()[0] == "line 0"
        await pilot.press("f")
        await until(lambda: app.screen_text()[-1] == "line 101")
        app.view.scroll_to(y=20, animate=False)
        assert not app.view.following
        grow(path, "line 102\n")
        await until(lambda: app.all_text()[-1] == "line 102")
        assert app.screen_text()[0] == "line 20"


async def test_a_line_without_an_end_is_shown_as_it_grows(made: Made) -> None:
    """A progress, or a prompt."""
    path = made.log(1, "one\nprogress")
    app = app_of(made, 1, Kind.COMMAND, live=True)
    async with app.run_test(size=(40, 10)):
        await until(lambda: app.all_text() == ["one", "progress"])
        grow(path, " 50%")
        await until(lambda: app.all_text() == ["one", "progress 50%"])
        grow(path, " done\n")
        await until(lambda: app.all_text() == ["one", "progress 50% done"])


async def test_a_log_that_is_not_there_yet_is_shown_when_it_comes(made: Made) -> None:
    """And is looked at no more once its attempt has ended."""
    app = app_of(made, 1, Kind.COMMAND, live=True)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause(0.05)
        assert app.view.reading.size is None
        path = made.log(1, "here\n")
        await until(lambda: app.all_text() == ["here"])
        grow(path, "last words\n")
        app.view.end()
        await app.read()
        assert app.all_text() == ["here", "last words"]
        await until(lambda: not app.view.workers)


async def test_a_fold_is_opened_by_key_and_by_mouse(made: Made) -> None:
    """The cursor stands on its line; what is above stays where it is."""
    made.transcript(1, said("I look."), called("Read", file_path="a.py"), returned("one\ntwo\nthree"), said("Done."))
    app = app_of(made, 1, Kind.CLAUDE)
    async with app.run_test(size=(40, 20)) as pilot:
        await app.read()
        assert app.all_text() == ["", "I look.", "▸ → Read a.py", "▸ ← one  … 2 more lines", "", "Done."]
        await pilot.press("home", "down", "down", "down", "enter")
        assert app.all_text()[3:7] == ["▾ ← one  … 2 more lines", "    one", "    two", "    three"]
        assert app.screen_text()[2] == "▸ → Read a.py"
        await pilot.click(OutputView, offset=(3, 2))
        assert app.all_text()[2:4] == ["▾ → Read a.py", "    file_path: a.py"]
        await pilot.press("e")
        assert app.all_text()[2:4] == ["▸ → Read a.py", "▸ ← one  … 2 more lines"]
        await pilot.press("e")
        assert "    two" in app.all_text()


async def test_what_is_folded_is_found(made: Made) -> None:
    """It is unfolded, and no longer followed."""
    made.transcript(1, *(returned(f"first\nneedle {number}\nlast") for number in range(50)))
    app = app_of(made, 1, Kind.CLAUDE)
    async with app.run_test(size=(40, 10)) as pilot:
        await app.read()
        assert app.view.look_for("needle 7")
        await pilot.pause()
        assert "    needle 7" in app.screen_text()
        assert not app.view.following
        assert sum(text.startswith("▾") for text in app.all_text()) == 1


async def test_the_last_line_of_a_transcript_is_waited_for(made: Made) -> None:
    """While its worker lives it is not shown; when that was killed, as what it is."""
    path = made.transcript(1, said("one"), rest='{"type": "Assis')
    app = app_of(made, 1, Kind.CLAUDE, live=True)
    async with app.run_test(size=(60, 10)):
        await until(lambda: app.all_text() == ["", "one"])
        grow(path, 'tantMessage", "content": "two"}\n{"type"')
        await until(lambda: app.all_text() == ["", "one", "", "two"])
        app.view.end()
        await app.read()
        assert app.all_text()[-1] == '! cut off here: {"type"'


@pytest.mark.parametrize("kind", [Kind.COMMAND, Kind.CLAUDE])
async def test_a_line_of_a_hundred_megabytes_is_read_at_its_end_alone(made: Made, kind: Kind) -> None:
    """In little memory, and the loop is never held up."""
    name = "output" if kind is Kind.COMMAND else "transcript.jsonl"
    path = made.log(1, b"", name=name)
    with path.open("r+b") as file:
        file.truncate(100_000_000)  # of NUL
        file.seek(-20, 2)
        file.write(b"\xff\xfe the end \x1b[2J")
    app = app_of(made, 1, kind)
    async with app.run_test(size=(80, 20)) as pilot:
        slowest, last = 0.0, time.perf_counter()
        while not app.view.reading.over:
            await asyncio.sleep(0.001)
            slowest, last = max(slowest, time.perf_counter() - last), time.perf_counter()
        await pilot.pause()
        assert app.view.reading.skipped >= 100_000_000 - WINDOWS[kind]
        assert sum(len(text) for text in app.all_text()) <= folded_text.MOST_CHARS
        assert slowest < 0.5
        assert "the end" in "".join(app.screen_text()) or kind is Kind.CLAUDE
        assert "\x1b" not in "".join(app.all_text())
        assert app.all_text()[0].startswith("… what came before")


@pytest.mark.parametrize(
    "rest",
    [
        DEEP + "\n",
        '{"type": "AssistantMessage", "content": [{"text": "\\ud800 \\u0000"}]}\n',
        "\xff\n\x00\n",
        "\r\r\r\n",
    ],
)
async def test_nothing_in_a_transcript_stops_it(made: Made, rest: str) -> None:
    """What follows is shown."""
    made.transcript(1, said("before"), rest=rest + '{"type": "AssistantMessage", "content": "after"}\n')
    app = app_of(made, 1, Kind.CLAUDE)
    async with app.run_test(size=(60, 20)) as pilot:
        await app.read()
        await pilot.pause()
        assert app.all_text()[1] == "before"
        assert app.all_text()[-1] == "after"


async def test_memory_is_bounded_while_a_log_grows(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest lines go, which is told; the place on the screen is kept."""
    monkeypatch.setattr(folded_text, "MOST_BLOCKS", 1_000)
    path = made.log(1, "".join(f"line {number}\n" for number in range(900)))
    app = app_of(made, 1, Kind.COMMAND, live=True)
    async with app.run_test(size=(40, 10)) as pilot:
        await until(lambda: app.screen_text()[-1] == "line 899")
        await pilot.press("up")
        before = app.screen_text()
        grow(path, "".join(f"line {number}\n" for number in range(900, 1_400)))
        await until(lambda: app.all_text()[-1] == "line 1399")
        assert len(app.all_text()) <= 1_001
        assert app.all_text()[0].startswith("… what came before")
        assert app.screen_text() == before


async def test_a_log_that_is_no_plain_file_is_not_read(made: Made, tmp_path: Path) -> None:
    """A worker could put a link to anything there."""
    (tmp_path / "secret").write_text("secret")
    path = made.log(1, "")
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    app = app_of(made, 1, Kind.COMMAND)
    async with app.run_test(size=(80, 10)):
        await app.read()
        assert "secret" not in "".join(app.all_text()).replace(str(tmp_path), "")
        assert app.all_text()[0].startswith("! it can not be read")


async def test_a_hidden_log_is_not_read(made: Made) -> None:
    """It is read when it can be seen again."""
    path = made.log(1, "one\n")
    app = app_of(made, 1, Kind.COMMAND, live=True)
    async with app.run_test(size=(40, 10)) as pilot:
        await until(lambda: app.all_text() == ["one"])
        app.view.display = False
        await pilot.pause(0.05)
        grow(path, "two\n")
        await pilot.pause(0.1)
        assert app.all_text() == ["one"]
        app.view.display = True
        await until(lambda: app.all_text() == ["one", "two"])


async def test_only_rows_in_view_are_drawn_of_a_long_log(made: Made) -> None:
    """However much there is."""
    made.log(1, "".join(f"line {number}\n" for number in range(15_000)))
    app = app_of(made, 1, Kind.COMMAND)
    async with app.run_test(size=(40, 10)) as pilot:
        await app.read()
        await pilot.pause()
        app.view.rows_drawn = 0
        await pilot.press("pageup")
        await pilot.pause()
        assert 10 <= app.view.rows_drawn <= 60
