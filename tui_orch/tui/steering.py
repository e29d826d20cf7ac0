"""What each action does: opens its dialog, hands the answer to ``control`` in a thread, and tells what came of it.

One method an action, named as in ``keys.ACTIONS``. Nothing here waits on the screen's thread for the store to be written.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from store.asks import open_asks
from store.errors import StoreError
from store.models import Job, Limits, NewTree, Tree
from store.settings import get_settings
from store.tree import get_tree
from store.use import subtree_counts, tree_use
from tui_orch.request.errors import RequestError
from tui_orch.tui import clipboard, jumping
from tui_orch.tui.access import Controls
from tui_orch.tui.dialogs.ask_view import read_items
from tui_orch.tui.dialogs.choices import UNSORTED, choose_copy, choose_notice, choose_sort, choose_theme
from tui_orch.tui.dialogs.confirm import confirm_cancel
from tui_orch.tui.dialogs.help import Help
from tui_orch.tui.dialogs.inbox import Inbox
from tui_orch.tui.dialogs.limits_form import LimitsForm
from tui_orch.tui.filter import Filter
from tui_orch.tui.keys import BY_NAME, Around, possible
from tui_orch.tui.notify import Notice
from tui_orch.tui.sorting import Sort
from tui_orch.tui.tree_model import MOST_SORTED, TreeModel

if TYPE_CHECKING:
    from tui_orch.tui.app import OrchApp
    from tui_orch.tui.dialogs.new_request import NewRequest

Value = TypeVar("Value")


class Steering:
    """A person's actions on one app."""

    def __init__(self, app: "OrchApp", control: Controls) -> None:
        self._app = app
        self._control = control
        self._filter = Filter("", ())

    def do(self, name: str) -> None:
        """Do an action by name, or say why it can not be done now."""
        job, tree, around = self._app.situation()
        why_not = possible(BY_NAME[name], job, tree, around)
        if why_not is not None:
            self._app.say(why_not)
            return
        getattr(self, name)(job, tree, around)

    # On a job

    def detail(self, _job: Job, _tree: Tree, _around: Around) -> None:
        """Show the detail, or take it away."""
        self._app.show_side(None if self._app.side == "detail" else "detail")

    def fold(self, _job: Job, _tree: Tree, _around: Around) -> None:
        """Fold or unfold."""
        self._app.pane.action_fold()

    def cancel(self, job: Job, _tree: Tree, _around: Around) -> None:
        """Ask, then cancel the subtree."""
        with self._app.store.read() as reader:
            counts = subtree_counts(reader, job.id)

        def decided(yes: bool | None) -> None:
            if yes:
                self._change(
                    lambda: self._control.cancel(job.id),
                    lambda done: f"#{job.id}: {done.ended} cancelled, {done.stopping} being stopped",
                )

        self._app.push_screen(confirm_cancel(job, counts), decided)

    def retry(self, job: Job, _tree: Tree, _around: Around) -> None:
        """Try the job again."""
        self._change(lambda: self._control.retry(job.id), _queued, starts_work=True)

    def retry_fresh(self, job: Job, _tree: Tree, _around: Around) -> None:
        """Try the job again with a new session."""
        self._change(lambda: self._control.retry(job.id, fresh=True), _queued, starts_work=True)

    def retry_leaves(self, job: Job, _tree: Tree, _around: Around) -> None:
        """Try again what failed at the ends of the branches."""
        self._change(lambda: self._control.retry_leaves(job.id), _queued, starts_work=True)

    def output(self, job: Job, _tree: Tree, _around: Around) -> None:
        """Open the output in the person's pager."""
        self._app.say(self._app.access.page_output(self._app, job.id))

    def copy(self, job: Job, _tree: Tree, _around: Around) -> None:
        """Copy what is chosen of the job."""

        def chosen(found: clipboard.Copyable | None) -> None:
            if found is not None:
                self._app.say(clipboard.copy(self._app, found))

        self._app.push_screen(choose_copy(job), chosen)

    # On a tree

    def limits(self, _job: Job, tree: Tree, _around: Around) -> None:
        """Show the limits, and change them."""
        self._ask_limits(tree.root_id)

    def _ask_limits(self, root_id: int, typed: dict[str, str] | None = None, problem: str = "") -> None:
        with self._app.store.read() as reader:
            form = LimitsForm(
                get_tree(reader, root_id),
                tree_use(reader, root_id),
                get_settings(reader).max_workers_ceiling,
                typed=typed,
                problem=problem,
            )

        def decided(limits: Limits | None) -> None:
            if limits is not None:
                self._change(
                    lambda: self._control.set_limits(root_id, limits),
                    lambda _: f"limits of tree #{root_id} changed; heeded at once",
                    lambda refused: self._ask_limits(root_id, form.typed, refused),
                )

        self._app.push_screen(form, decided)

    def pause(self, _job: Job, tree: Tree, _around: Around) -> None:
        """Pause the tree, or let it go on."""
        pause = tree.paused_ms is None
        done = f"tree #{tree.root_id} {'starts nothing new' if pause else 'goes on'}"
        self._change(lambda: self._control.pause(tree.root_id, pause=pause), lambda _: done)

    # On the store

    def pause_all(self, _job: Job | None, _tree: Tree | None, around: Around) -> None:
        """Pause the store, or let it go on."""
        pause = around.store.paused_ms is None and around.store.brake_reason is None
        done = "nothing new starts in the whole store" if pause else "the store goes on"
        self._change(lambda: self._control.pause(None, pause=pause), lambda _: done)

    def inbox(self, job: Job | None, _tree: Tree | None, _around: Around) -> None:
        """Show the open asks and take answers."""
        with self._app.store.read() as reader:
            items = read_items(reader)

        def left(job_id: int | None) -> None:
            if job_id is not None:
                self._app.pane.go_to(job_id)

        inbox = Inbox(items, self._app.outside.now_ms, total=self._app.state.open_asks, at_job=job.id if job else None)
        self._app.push_screen(inbox, left)

    def answered(self, message: Inbox.Answered) -> None:
        """Hand an answer to the store."""
        answer = message.answer

        def refused(text: str) -> None:
            inbox = self._open_inbox()
            if inbox is not None:
                inbox.refused(answer.ask_id, text)
                self.asks_changed()

        self._change(
            lambda: self._control.answer(answer.ask_id, answer.verdict, answer.text, answer.scope),
            lambda ask: f"#{ask.job_id} has its answer" + (", kept as a rule" if ask.rule_id is not None else ""),
            refused,
            starts_work=True,
        )

    def asks_changed(self) -> None:
        """Show an open inbox the asks as they are now."""
        inbox = self._open_inbox()
        if inbox is not None:
            with self._app.store.read() as reader:
                inbox.show(read_items(reader), len(open_asks(reader)))

    def _open_inbox(self) -> Inbox | None:
        return next((screen for screen in self._app.screen_stack if isinstance(screen, Inbox)), None)

    def new(self, _job: Job | None, _tree: Tree | None, _around: Around) -> None:
        """Write a request and hand it in."""
        self._write_request(None, "")

    def _write_request(self, last: "NewRequest | None", problem: str) -> None:
        # Brings pydantic and yaml, a fifth of a second that the first picture need not wait for.
        from tui_orch.tui.dialogs.new_request import NewRequest  # noqa: PLC0415

        with self._app.store.read() as reader:
            settings = get_settings(reader)
        draft = last.draft if last is not None else None
        access = self._app.access
        dialog = NewRequest(settings, access.work_dir(), draft=draft, problem=problem, is_folder=access.is_folder)

        def written(new: NewTree | None) -> None:
            if new is not None:
                self._change(
                    lambda: self._control.submit(new),
                    lambda made: "; ".join([f"tree #{made.root_id} is handed in", *made.notes]),
                    lambda refused: self._write_request(dialog, refused),
                    lambda made: self._app.pane.go_to(made.root_id),
                    starts_work=True,
                )

        self._app.push_screen(dialog, written)

    def supervisor(self, _job: Job | None, _tree: Tree | None, _around: Around) -> None:
        """Start a supervisor in the background."""
        self._change(self._app.outside.start_supervisor, lambda _: "a supervisor is started")

    # On the screen

    def filter(self, _job: Job | None, _tree: Tree | None, _around: Around) -> None:
        """Open the line for a filter."""
        self._app.filter_bar.open(self._filter.text)

    def set_filter(self, wanted: Filter) -> None:
        """Show only what passes; all for an empty one."""
        if wanted.text != self._filter.text:
            self._filter = wanted
            self._app.pane.set_filter(wanted.matches if wanted else None)
            self._app.refresh_around()

    def clear_filter(self, _job: Job | None, _tree: Tree | None, _around: Around) -> None:
        """Show all jobs again."""
        self.set_filter(Filter("", ()))

    def follow(self, _job: Job | None, _tree: Tree | None, around: Around) -> None:
        """Keep the cursor on the newest activity, or stop that."""
        self._app.pane.follow = not around.following
        self._app.say("stays where it is" if around.following else "follows the newest activity; f stops it")
        self._app.refresh_around()

    def jump(self, job: Job | None, _tree: Tree | None, _around: Around) -> None:
        """Go to the next job that failed, asks or runs."""
        with self._app.store.read() as reader:
            found = jumping.next_job(reader, job.id if job is not None else 0)
        if found is None:
            self._app.say("no job has failed, asks or runs")
        else:
            self._app.pane.go_to(found)

    def timeline(self, _job: Job | None, _tree: Tree | None, _around: Around) -> None:
        """Show the timeline, or take it away."""
        self._app.show_side(None if self._app.side == "timeline" else "timeline")

    def sort(self, _job: Job | None, _tree: Tree | None, _around: Around) -> None:
        """Choose what siblings are sorted by."""

        def chosen(sort: Sort | None) -> None:
            if sort is not None:
                self._app.pane.set_sort(sort)
                if sort is not Sort.ID and _has_unsorted(self._app.pane.model):
                    self._app.say(UNSORTED)

        self._app.push_screen(choose_sort(self._app.pane.model.forest.sort), chosen)

    def notices(self, _job: Job | None, _tree: Tree | None, _around: Around) -> None:
        """Choose how a new ask is told."""

        def chosen(notice: Notice | None) -> None:
            if notice is not None:
                self._app.notice = notice

        self._app.push_screen(choose_notice(self._app.notice), chosen)

    def theme(self, _job: Job | None, _tree: Tree | None, _around: Around) -> None:
        """Choose the colours."""

        def chosen(name: str | None) -> None:
            if name is not None:
                self._app.theme = name

        self._app.push_screen(choose_theme(self._app.available_themes, self._app.theme), chosen)

    def help(self, _job: Job | None, _tree: Tree | None, _around: Around) -> None:
        """Show all keys."""

        def chosen(name: str | None) -> None:
            if name:
                self.do(name)

        self._app.push_screen(Help(), chosen)

    def palette(self, _job: Job | None, _tree: Tree | None, _around: Around) -> None:
        """Open the command palette."""
        self._app.action_command_palette()

    def quit(self, _job: Job | None, _tree: Tree | None, _around: Around) -> None:
        """Close the screen; what runs goes on."""
        self._app.exit()

    # Changing

    def _change(
        self,
        change: Callable[[], Value],
        told: Callable[[Value], str],
        refused: Callable[[str], None] | None = None,
        then: Callable[[Value], Any] | None = None,
        *,
        starts_work: bool = False,
    ) -> None:
        """Make a change in a thread, and tell what came of it. ``starts_work``: somebody must be there to do it.

        What is under way when the screen closes is done to its end, and told to nobody.
        """

        def make() -> Value:
            value = change()
            if starts_work and not self._app.outside.has_supervisor():
                self._app.outside.start_supervisor()
            return value

        async def work() -> None:
            try:
                value = await asyncio.to_thread(make)
            except (StoreError, RequestError, RuntimeError, OSError) as error:
                (refused or self._app.say)(str(error))
                return
            self._app.say(told(value))
            if then is not None:
                then(value)

        self._app.run_worker(work(), exit_on_error=True)


def _queued(ids: tuple[int, ...]) -> str:
    shown = ", ".join(f"#{job_id}" for job_id in ids[:5])
    return f"queued again: {shown}" + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")


def _has_unsorted(model: TreeModel) -> bool:
    return any(branch.open and branch.size > MOST_SORTED for _, branch in model.view.walk())
