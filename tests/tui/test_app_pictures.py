"""Pictures of the app: each screen, state and dialog, narrow and wide, with the clock, the cursor and the size standing still.

Made anew with ``pytest tests/tui/test_app_pictures.py --snapshot-update``; look at them before they are committed.
"""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from app_stage import (
    NARROW,
    NOW_MS,
    WIDE,
    Garden,
    Surroundings,
    app_over,
    calm,
    empty_store,
    garden,
    seen,
    talk,
    to,
    whole,
)
from detail_stores import until
from dialog_stage import HOSTILE, assert_plain, enter_text
from textual.pilot import Pilot

from store import brake, control
from tui_orch.tui.access import LocalAccess
from tui_orch.tui.app import OrchApp
from tui_orch.tui.detail.tabs import TABS

Steps = Callable[[OrchApp, Pilot[None]], Awaitable[None]]
Compare = Callable[..., bool]
_MEDIUM = (100, 30)


@pytest.fixture(autouse=True)
def _calm(monkeypatch: pytest.MonkeyPatch) -> None:
    calm(monkeypatch)
    monkeypatch.chdir("/")  # a new request runs its workers here


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Garden]:
    found = garden(tmp_path)
    talk(found)
    yield found
    found.made.store.close()


@pytest.fixture
def same(snap_compare: Compare) -> Compare:
    """Compare the app with its picture, after some steps have been taken in it and its feed has told of the store."""

    def compare(app: OrchApp, size: tuple[int, int] = NARROW, steps: Steps | None = None) -> bool:
        async def run_before(pilot: Pilot[None]) -> None:
            await whole(app, pilot)
            if steps is not None:
                await steps(app, pilot)
            await pilot.pause()
            assert_plain(app)

        return snap_compare(app, terminal_size=size, run_before=run_before)

    return compare


def pressing(*keys: str, until_seen: str) -> Steps:
    """Press keys and wait until something stands on the screen."""

    async def steps(app: OrchApp, pilot: Pilot[None]) -> None:
        await pilot.press(*keys)
        await seen(app, until_seen)

    return steps


# The tree


@pytest.mark.parametrize("size", [(50, 16), NARROW, WIDE], ids=["tiny", "narrow", "wide"])
def test_every_state(stage: Garden, same: Compare, size: tuple[int, int]) -> None:
    assert same(app_over(stage.made), size)


def test_ascii_alone(stage: Garden, same: Compare) -> None:
    assert same(app_over(stage.made, ascii_only=True))


def test_without_colours(stage: Garden, same: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert same(app_over(stage.made))


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
def test_japanese_and_emoji_titles(tmp_path: Path, same: Compare, size: tuple[int, int]) -> None:
    titles = {
        "root": "ハーブ園を作り直す 🌿",
        "planned": "花壇の計画を立てる",
        "watered": "バジルに水をやる 💧",
        "digging": "花壇を掘る 👩‍🌾 とても長い題名なので途中で切れるはずです",
        "pruning": "ｾｰｼﾞを剪定する",
        "activity": "編集 花壇/セージ.md",
        "ask": "十二番地の呼び鈴を鳴らしますか？",
    }
    with garden(tmp_path, titles).made.store as store:
        assert same(OrchApp(LocalAccess(store.home, lambda: NOW_MS), Surroundings().outside()), size)


@pytest.mark.parametrize("key", ["", "enter", "c", "a", "y"], ids=["tree", "detail", "cancel", "inbox", "copy"])
def test_hostile_words(tmp_path: Path, same: Compare, key: str) -> None:
    """What a worker wrote is never markup, and never reaches the terminal as more than text."""
    named = dict.fromkeys(("planned", "pruning", "asking", "ask", "activity"), f"see {HOSTILE}")
    found = garden(tmp_path, {**named, "root": f"\x1b]0;owned\x07see [/foo] {HOSTILE}"})
    talk(found, HOSTILE)
    places = {"a": "Inbox", "c": "Cancel #", "y": "Copy of #", "enter": "Four parts of it"}
    steps = pressing(key, until_seen=places[key]) if key else None
    assert same(app_over(found.made), _MEDIUM, steps)
    found.made.store.close()


def test_an_empty_store(tmp_path: Path, same: Compare) -> None:
    made = empty_store(tmp_path)
    assert same(app_over(made, Surroundings(supervisor=False)))
    made.store.close()


def test_no_supervisor(stage: Garden, same: Compare) -> None:
    assert same(app_over(stage.made, Surroundings(supervisor=False)))


def test_a_paused_store(stage: Garden, same: Compare) -> None:
    with stage.made.store.write() as tx:
        control.pause(tx, None, NOW_MS - 65_000)
    assert same(app_over(stage.made))


def test_a_brake(stage: Garden, same: Compare) -> None:
    with stage.made.store.write() as tx:
        control.pause(tx, None, NOW_MS - 65_000)
        brake.set_brake(tx, "the plan's limit is reached", NOW_MS + 600_000)
    assert same(app_over(stage.made))


def test_a_filter(stage: Garden, same: Compare) -> None:
    async def steps(app: OrchApp, pilot: Pilot[None]) -> None:
        await pilot.press("slash")
        await enter_text(pilot, "state:failed,queued")
        await seen(app, "4 of 12 jobs")
        await until(lambda: "so far" not in str(app.query("#filter-said").first().render()))

    assert same(app_over(stage.made), steps=steps)


# Beside the tree


@pytest.mark.parametrize("tab", [tab.name for tab in TABS])
def test_the_detail(stage: Garden, same: Compare, tab: str) -> None:
    """Its six tabs, of a job that has something in each."""
    job_id = stage.root if tab in ("output", "limits") else stage.planned
    wanted = {
        "output": "Four parts of it",
        "request": "created",
        "result": "Four beds",
        "attempts": "5e551011",
        "limits": "max_depth",
        "changes": "completed",
    }[tab]

    async def steps(app: OrchApp, pilot: Pilot[None]) -> None:
        await to(app, pilot, job_id)
        await pilot.press("enter")
        await until(lambda: app.detail.job_id == job_id)
        await pilot.press(str([each.name for each in TABS].index(tab) + 1))
        await seen(app, wanted)

    assert same(app_over(stage.made), steps=steps)


def test_the_detail_beside_the_tree(stage: Garden, same: Compare) -> None:
    assert same(app_over(stage.made), WIDE, pressing("enter", until_seen="400 B"))


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
def test_the_timeline(stage: Garden, same: Compare, size: tuple[int, int]) -> None:
    assert same(app_over(stage.made), size, pressing("t", until_seen="holds the root"))


# The dialogs

_DIALOGS = {
    "cancel": ("c", "Cancel #1?"),
    "limits": ("l", "Limits of tree #1"),
    "new": ("n", "New request"),
    "inbox": ("a", "ring --door 12"),
    "help": ("question_mark", "Keys and commands"),
    "copy": ("y", "Copy of #1"),
    "sort": ("s", "Sort by"),
}


@pytest.mark.parametrize("name", _DIALOGS)
def test_a_dialog(stage: Garden, same: Compare, name: str) -> None:
    key, wanted = _DIALOGS[name]
    assert same(app_over(stage.made), steps=pressing(key, until_seen=wanted))


def test_no_picture_tells_of_the_machine() -> None:
    """A picture is committed: no path, user or host may stand in one."""
    pictures = list((Path(__file__).parent / "__snapshots__" / "test_app_pictures").glob("*.svg"))
    assert pictures
    told: dict[str, Any] = {
        picture.name: word
        for picture in pictures
        for word in ("/tmp", "/home", "/root", "/work", "pytest", str(Path.home()))
        if word in picture.read_text()
    }
    assert told == {}
