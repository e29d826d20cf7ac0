"""The keys of the parts of the screen: what footer and help tell of them is what the parts have bound."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_stage import WIDE, Garden, footer, gone, seen, shown, to
from detail_stores import until
from dialog_stage import TREE as A_TREE
from dialog_stage import a_job, a_state, enter_text
from textual.widget import Widget

from store.states import Status
from tui_orch.tui.app import OrchApp
from tui_orch.tui.dialogs.inbox import AskList, Inbox
from tui_orch.tui.footer import KeyFooter
from tui_orch.tui.keys import Around, hints
from tui_orch.tui.pane_keys import INBOX, SECTIONS, Keyboard, PaneKey, Part, pane_keys
from tui_orch.tui.tree_pane import TreePane


def names(keys: tuple[PaneKey, ...]) -> set[str]:
    return {name for key in keys for name in key.keys}


def bound(app: OrchApp, *nodes: type[Widget]) -> set[str]:
    """Return what parts of these kinds have bound now."""
    active = app.screen.active_bindings.items()
    return {key for key, found in active if isinstance(found.node, nodes)}


def every_key() -> Iterator[PaneKey]:
    for keys in SECTIONS.values():
        yield from keys


def test_every_key_is_told_in_a_line_that_fits_80_cells() -> None:
    for key in every_key():
        assert key.sentence.endswith(".")
        assert len(key.sentence) <= 62
        assert len(key.shown) <= 10


async def test_the_tree_has_bound_what_is_told_of_it(stage: Garden) -> None:
    """And nothing else but what two actions do."""
    async with shown(stage.made) as (app, pilot):
        await to(app, pilot, stage.digging)
        assert bound(app, TreePane) == names(pane_keys(Keyboard(Part.TREE))) | {"space", "enter"}


async def test_the_tabs_have_bound_what_is_told_of_them(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("enter")
        await seen(app, "Attempts")
        told = names(pane_keys(Keyboard(Part.OUTPUT)))
        assert told - {"escape"} <= bound(app, Widget) - bound(app, OrchApp)
        await pilot.press("slash")
        await enter_text(pilot, "beds")
        await pilot.press("enter")
        await until(lambda: "n N matches" in footer(app))
        assert names(pane_keys(Keyboard(Part.OUTPUT, finding=True))) <= bound(app, Widget)
        await pilot.press("2")
        await until(lambda: app.detail.tab == "request")
        assert names(pane_keys(Keyboard(Part.TEXT))) - {"escape"} <= bound(app, Widget)


async def test_the_timeline_has_bound_what_is_told_of_it(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("t")
        await seen(app, "holds the root")
        assert names(pane_keys(Keyboard(Part.TIMELINE))) - {"escape"} <= bound(app, Widget)


async def test_the_inbox_has_bound_what_is_told_of_it(stage: Garden) -> None:
    """The numbers are those of options, which not every ask has."""
    async with shown(stage.made) as (app, pilot):
        await pilot.press("a")
        await seen(app, "Inbox")
        assert {name for name in names(INBOX) if not name.isdecimal()} <= bound(app, Inbox, AskList)


# The footer fits what has the keyboard


def said(part: Part, **more: bool) -> list[str]:
    job = a_job(status=Status.FAILED, attempt=2, children=2)
    found = hints(job, A_TREE, Around(a_state(), side="detail", keyboard=Keyboard(part, **more)))
    return [f"{hint.action.shown} {hint.label}" for hint in found]


def test_a_key_stands_in_the_footer_once_whatever_has_the_keyboard() -> None:
    """Where a part has a key of its own, what it would do elsewhere is not offered."""
    for part in Part:
        shown_keys = [words.split()[0] for words in said(part)]
        assert len(set(shown_keys)) == len(shown_keys), part


def test_what_belongs_to_the_tree_is_offered_there_alone() -> None:
    assert {"Enter close detail", "Space unfold", "/ filter", "f follow"} <= set(said(Part.TREE))
    for part in (Part.OUTPUT, Part.TEXT, Part.TIMELINE):
        assert not {"Enter detail", "Enter close detail", "Space unfold"} & set(said(part))
    assert {"Esc back", "/ find", "f follow", "r retry", "q quit"} <= set(said(Part.OUTPUT))
    assert "+ - zoom" in said(Part.TIMELINE)
    assert "Enter job" in said(Part.TIMELINE)


def test_matches_and_attempts_are_offered_where_there_are_some() -> None:
    assert "n new" in said(Part.OUTPUT)
    assert "n N matches" in said(Part.OUTPUT, finding=True)
    assert "n new" not in said(Part.OUTPUT, finding=True)
    assert "< > attempts" not in said(Part.OUTPUT)
    assert "< > attempts" in said(Part.OUTPUT, attempts=True)


def test_where_text_is_typed_only_what_ends_that_is_offered() -> None:
    assert said(Part.FILTER) == ["Enter keep the filter", "Esc all jobs"]
    assert said(Part.FIND) == ["Enter find", "Esc back"]


async def test_the_footer_follows_the_keyboard(stage: Garden) -> None:
    async with shown(stage.made, WIDE) as (app, pilot):
        await until(lambda: "Enter detail" in footer(app))
        await pilot.press("enter")
        await until(lambda: "Esc back" in footer(app) and "Enter" not in footer(app))
        await pilot.press("slash")
        await until(lambda: footer(app) == "Enter find  Esc back")
        await pilot.press("escape")
        await until(lambda: "/ find" in footer(app))
        await pilot.press("shift+tab")
        await until(lambda: app.focused is app.pane)
        await until(lambda: "Enter close detail" in footer(app))
        await pilot.press("t")
        await until(lambda: "+ - zoom" in footer(app))
        await pilot.press("escape", "slash")
        await until(lambda: footer(app) == "Enter keep the filter  Esc all jobs")
        await pilot.press("escape")
        await until(lambda: "/ filter" in footer(app))


async def test_a_click_on_a_key_of_the_detail_does_what_it_does(stage: Garden) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.press("enter")
        await until(lambda: "← → tabs" in footer(app))
        line = " " + footer(app)
        await pilot.click(KeyFooter, offset=(line.index("tabs"), 0))
        await until(lambda: app.detail.tab == "request")
        await pilot.click(KeyFooter, offset=(line.index("Esc"), 0))
        await gone(app, "Attempts")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
