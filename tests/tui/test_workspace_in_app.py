"""Worktrees on the screen: chosen in the form of a request, told when it is handed in, shown beside a result."""

from pathlib import Path

import pytest
from detail_stores import Made, at
from dialog_stage import SETTINGS, open_store, staged, text
from textual.widgets import Select

from store import workspaces
from store.models import Ground, NewJob, NewTree
from store.states import Kind
from store.submit import submit_tree
from store.tree import get_tree
from tests.repository import git, repository
from tui_orch.request.errors import RequestError
from tui_orch.tui.control import Control
from tui_orch.tui.detail.source import StoreDetailSource
from tui_orch.tui.detail.tabs import BY_NAME
from tui_orch.tui.dialogs.new_request import NewRequest
from tui_orch.tui.dialogs.request_draft import Draft, read
from tui_orch.tui.remote.control import config


def test_the_field_reaches_the_tree_also_from_afar() -> None:
    new = read(Draft("do it", {"workspace": "shared"}), SETTINGS, Path("/tmp")).new
    assert new is not None
    assert (new.workspace, config(new)["workspace"]) == ("shared", "shared")
    found = read(Draft("---\nworkspace: worktree\n---\ndo it", {"workspace": ""}), SETTINGS, Path("/tmp")).new
    assert found is not None
    assert found.workspace == "worktree"


async def test_the_form_offers_what_there_is(tmp_path: Path) -> None:
    async with staged(NewRequest(SETTINGS, tmp_path, draft=Draft("do it"))) as (app, pilot):
        assert "workspace" in text(app)
        app.screen.query_one("#workspace", Select).value = "shared"
        await pilot.press("ctrl+s")
        await pilot.pause()
        (new,) = app.results
    assert new.workspace == "shared"


def test_what_is_handed_in_gets_its_ground(tmp_path: Path) -> None:
    base = repository(tmp_path)
    with open_store(tmp_path) as store:
        control = Control(store.home, lambda: 1)
        new = NewTree(NewJob("do it", Kind.COMMAND), work_dir=str(tmp_path))
        made = control.submit(new)
        assert f"orch/{made.root_id}/..." in made.notes[0]
        with store.read() as reader:
            assert get_tree(reader, made.root_id).base_commit == base
        git(tmp_path, "branch", "orch")
        with pytest.raises(RequestError, match="branch named orch"):
            control.submit(NewTree(NewJob("do it"), work_dir=str(tmp_path), workspace="worktree"))


def test_the_tab_of_the_result_tells_where_work_is(tmp_path: Path) -> None:
    made = Made(tmp_path)
    ground = Ground("/project", "c0ffee" * 5, "main")
    with made.store.write() as tx:
        new = NewTree(NewJob("do it", Kind.CLAUDE), ground=ground)
        root = submit_tree(tx, new, at(0))
    fence = made.start(root)
    (child,) = made.spawn(fence, "a part")
    part = made.start(child)
    with made.store.write() as tx:
        workspaces.note_made(tx, fence, "c0ffee" * 5, 1, at(2))
        workspaces.note_made(tx, part, "c0ffee" * 5, 1, at(2))
        workspaces.note_head(tx, part, "badc0de" * 5, (2, 30, 4), 1)
        workspaces.note_conflict(tx, fence, child, ["a.py", "\x1b[2Jb.py"])
    tab = BY_NAME["result"]
    shown = [line.text for line in tab.lines(tab.read(StoreDetailSource(made.store), root), at(5))]
    assert f"orch/{root}/{root}, in conflict with #{child} in 2 files" in shown
    assert "  ␛[2Jb.py" in shown
    assert f"    orch/{root}/{child} badc0debad, 2 files +30 -4, not merged" in shown
