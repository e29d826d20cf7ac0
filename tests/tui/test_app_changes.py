"""What a change costs the app: header and footer are looked at anew only where it concerns them."""

from dataclasses import replace

import pytest
from app_stage import Garden, shown
from detail_stores import until

from store.states import Status
from tui_orch.tui.app import OrchApp
from tui_orch.tui.messages import JobsChanged


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that footer and header are looked at anew."""
    found: list[int] = []
    situation = OrchApp.situation

    def counted(self: OrchApp) -> object:
        found.append(1)
        return situation(self)

    monkeypatch.setattr(OrchApp, "situation", counted)
    monkeypatch.setattr("tui_orch.tui.edges.LOOK_S", 1_000.0)
    return found


async def test_a_change_of_another_job_leaves_header_and_footer_alone(stage: Garden, looks: list[int]) -> None:
    async with shown(stage.made) as (app, pilot):
        assert app.pane.go_to(stage.pruning)
        await until(lambda: app.pane.cursor_id == stage.pruning)
        await pilot.pause()
        before = len(looks)
        app.post_message(JobsChanged([stage.job(stage.asking)], app.state))
        await pilot.pause()
        assert len(looks) == before
        app.post_message(JobsChanged([stage.job(stage.pruning)], app.state))
        await until(lambda: len(looks) == before + 1)
        app.post_message(JobsChanged([stage.job(stage.root)], app.state))  # its limits may be others
        await until(lambda: len(looks) == before + 2)


async def test_new_totals_are_shown_whatever_job_changed(stage: Garden, looks: list[int]) -> None:
    async with shown(stage.made) as (app, pilot):
        await pilot.pause()
        before = len(looks)
        counts = app.state.counts | {Status.QUEUED: 77}
        app.post_message(JobsChanged([], replace(app.state, counts=counts)))
        await until(lambda: len(looks) == before + 1)
