"""What stands beside the tree: the detail or the timeline of the job under the cursor, or nothing.

Owns which of the two is shown, and hands them what they are told. Both come by `fill`, after the first picture: to
import and mount them takes as long as all that is seen before. Reads nothing itself.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, cast

from textual.containers import Horizontal

from store.models import Job

if TYPE_CHECKING:
    from tui_orch.tui.access import Details
    from tui_orch.tui.detail.pane import DetailPane
    from tui_orch.tui.timeline_pane import TimelinePane

#: The names of what can be shown.
DETAIL, TIMELINE = "detail", "timeline"


class Side(Horizontal):
    """Empty until `fill`; nothing may be asked of it before but ``shown``."""

    DEFAULT_CSS = """
    Side { display: none; width: 1fr; border-left: solid $panel; }
    Side.-open { display: block; }
    Side > #detail, Side > #timeline { display: none; }
    Side.-detail > #detail, Side.-timeline > #timeline { display: block; }
    """

    @property
    def shown(self) -> str | None:
        """What is shown: detail, timeline or nothing."""
        return next((name for name in (DETAIL, TIMELINE) if self.has_class(f"-{name}")), None)

    @property
    def detail(self) -> "DetailPane":
        """The detail."""
        return cast("DetailPane", self.get_child_by_id(DETAIL))

    @property
    def timeline(self) -> "TimelinePane":
        """The timeline."""
        return cast("TimelinePane", self.get_child_by_id(TIMELINE))

    async def fill(self, details: "Details", now_ms: Callable[[], int], *, ascii_only: bool) -> None:
        """Add detail and timeline, hidden."""
        from tui_orch.tui.detail.pane import DetailPane  # noqa: PLC0415 - see above
        from tui_orch.tui.timeline_pane import TimelinePane  # noqa: PLC0415

        await self.mount(
            DetailPane(details, now_ms, ascii_only=ascii_only, id=DETAIL),
            TimelinePane(details, now_ms, ascii_only=ascii_only, id=TIMELINE),
        )

    def show(self, name: str | None, job_id: int | None) -> None:
        """Show detail, timeline or nothing, of a job, and give what is shown the keyboard."""
        for each in (DETAIL, TIMELINE):
            self.set_class(each == name, f"-{each}")
        self.set_class(name is not None, "-open")
        self.turn_to(job_id)
        if name == DETAIL:
            self.detail.focus_content()
        elif name == TIMELINE:
            self.timeline.focus_content()

    def turn_to(self, job_id: int | None) -> None:
        """Show another job in what is shown."""
        match self.shown:
            case "detail":
                self.detail.show(job_id)
            case "timeline":
                self.timeline.show(job_id)

    def apply(self, jobs: Collection[Job]) -> None:
        """Take in changed jobs (see `JobsChanged`)."""
        self.detail.apply(jobs)
        self.timeline.apply(jobs)
