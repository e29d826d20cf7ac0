"""The inbox on a screen of its own, with answers that reach a store."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from dialog_stage import (
    NARROW,
    NOW_MS,
    Stage,
    ask_to_run,
    running_tree,
)
from textual.pilot import Pilot

from store import asks
from store.database import Store
from store.errors import Refused
from store.models import Fence
from tui_orch.tui.dialogs.ask_view import InboxItem, read_items
from tui_orch.tui.dialogs.inbox import AskAnswer, Inbox


def items_of(store: Store) -> list[InboxItem]:
    with store.read() as reader:
        return read_items(reader)


def three_asks(store: Store) -> list[int]:
    """Two to run something, one question, from three jobs."""
    root, (first, second) = running_tree(store)
    return [ask_to_run(store, first, "one?"), ask_to_run(store, second, "two?"), ask_question(store, root)]


def ask_question(store: Store, fence: Fence) -> int:
    with store.write() as tx:
        return asks.ask(tx, fence, kind="question", question="Which colour?", options=("red", "blue"), now_ms=NOW_MS)


class Desk(Stage):
    """Answers in the store what the inbox posts, as the app does."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.answers: list[AskAnswer] = []

    def on_inbox_answered(self, message: Inbox.Answered) -> None:
        self.answers.append(message.answer)
        inbox = self.screen
        assert isinstance(inbox, Inbox)
        try:
            with self.store.write() as tx:
                said = message.answer
                asks.answer(tx, said.ask_id, said.verdict, said.text, NOW_MS, scope=said.scope)
        except Refused as error:
            inbox.refused(message.answer.ask_id, str(error))
        inbox.show(items_of(self.store))


@asynccontextmanager
async def desk(
    store: Store, size: tuple[int, int] = NARROW, **given: Any
) -> AsyncIterator[tuple[Desk, Pilot[None], Inbox]]:
    app = Desk(store)
    async with app.run_test(size=size) as pilot:
        inbox = Inbox(items_of(store), lambda: NOW_MS + 60_000, **given)
        app.push(inbox)
        await pilot.pause()
        yield app, pilot, inbox


def answers_in(store: Store, ids: Sequence[int]) -> list[tuple[str | None, str | None]]:
    with store.read() as reader:
        return [(asks.get_ask(reader, ask_id).answer, asks.get_ask(reader, ask_id).text) for ask_id in ids]
