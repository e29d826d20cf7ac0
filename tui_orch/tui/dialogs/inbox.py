"""The inbox: what workers of all depths ask, and the person's answer. To store an answer is the app's.

Nobody shall allow what they have not seen: when the ask that is shown goes away, be it answered here or elsewhere, no
other takes its place until the person moves on to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from store.asks import Scope
from store.permission_rule import offered
from tui_orch.tui.dialogs.ask_view import InboxItem, detail, row
from tui_orch.tui.dialogs.dialog import Dialog, PlainButton, PlainInput, Problem

_SAID: dict[str, tuple[Literal["allow", "deny"], Scope]] = {
    "allow": ("allow", "once"),
    "below": ("allow", "subtree"),
    "tree": ("allow", "tree"),
    "deny": ("deny", "once"),
    "deny_below": ("deny", "subtree"),
}
_TICK_S = 1.0
_BOX_CELLS = 120  # as in the style below
_STYLES = {"name": "bold $accent", "text": "", "aside": "$text-muted", "warning": "bold $warning"}
_EMPTY = "Nothing waits for an answer."
_NEXT = "Press ↓ for the next ask."
_GONE = "This ask was answered elsewhere, or its job has ended. ↓ goes on to the next."


@dataclass(frozen=True, slots=True)
class AskAnswer:
    """What a person says to an ask, as `store.asks.answer` takes it."""

    ask_id: int
    verdict: Literal["allow", "deny", "answered"]
    text: str | None = None
    scope: Scope = "once"


class AskList(OptionList):
    """The asks, one a line. Where none is chosen, ↓ and ↑ go on from the place of the last that was."""

    place = 0

    def action_cursor_down(self) -> None:
        """Go to the next ask."""
        if self.highlighted is not None:
            super().action_cursor_down()
        elif self.option_count:
            self.highlighted = min(self.place, self.option_count - 1)

    def action_cursor_up(self) -> None:
        """Go to the ask before."""
        if self.highlighted is not None:
            super().action_cursor_up()
        elif self.option_count:
            self.highlighted = min(max(0, self.place - 1), self.option_count - 1)


class Inbox(Dialog[int]):
    """Answers asks, one after the other. The job to go to, or None (Esc).

    Posts ``Inbox.Answered`` for each answer and stays open; the app stores it, and calls `refused` if that fails. `show`
    takes the asks as they are now, at any time.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("a", "say('allow', 'once')", "Allow"),
        ("s", "say('allow', 'subtree')", "Allow below"),
        ("t", "say('allow', 'tree')", "Allow in the tree"),
        ("d", "say('deny', 'once')", "Deny"),
        ("D", "say('deny', 'subtree')", "Deny below"),
        ("w", "words", "Words"),
        ("g", "go", "Go to"),
    ]
    DEFAULT_CSS = """
    Inbox > .dialog--box {
        width: 100%;
        max-width: 120;
        height: 100%;
        max-height: 40;
    }
    Inbox OptionList {
        height: auto;
        min-height: 1;
        max-height: 25%;
        background: $surface;
    }
    Inbox VerticalScroll {
        height: 1fr;
        border-top: solid $accent;
    }
    Inbox #detail {
        text-wrap: nowrap;
    }
    Inbox .-more {
        margin-top: 0;
    }
    Inbox .-words {
        height: 1;
    }
    Inbox .-words Static {
        width: 7;
    }
    Inbox .-words PlainInput {
        width: 1fr;
    }
    """
    AUTO_FOCUS = "OptionList"

    class Answered(Message):
        """A person has answered an ask."""

        def __init__(self, answer: AskAnswer) -> None:
            super().__init__()
            self.answer = answer

    def __init__(
        self,
        items: Sequence[InboxItem],
        now_ms: Callable[[], int],
        *,
        total: int | None = None,
        at_job: int | None = None,
    ) -> None:
        super().__init__("Inbox")
        self._items = list(items)
        self._total = len(items) if total is None else total
        self._now_ms = now_ms
        self._at_job = at_job
        self._shown: int | None = None  # the ask that the person sees
        self._sent: set[int] = set()
        self._words: dict[int, str] = {}
        self._rows: list[str] = []
        self._otherwise = _EMPTY  # what stands there while no ask is chosen

    def body(self) -> ComposeResult:
        """See `Dialog.body`."""
        yield AskList(markup=False, compact=True)
        with VerticalScroll():
            yield Static(id="detail", markup=False)
        with Horizontal(classes="-words"):
            yield Static("words ", markup=False)
            yield PlainInput(id="words", placeholder="an answer, or what to tell the worker with Allow or Deny")
        yield Problem()
        with Horizontal(classes="dialog--buttons"):
            yield PlainButton("Allow once (a)", id="allow")
            yield PlainButton("Allow below (s)", id="below")
            yield PlainButton("Allow in tree (t)", id="tree")
        with Horizontal(classes="dialog--buttons -more"):
            yield PlainButton("Deny once (d)", id="deny")
            yield PlainButton("Deny below (D)", id="deny_below")
            yield PlainButton("Send words (w)", id="send")
            yield PlainButton("Go to job (g)", id="go")

    def on_mount(self) -> None:
        """Show the oldest ask, or that of the job from which the inbox was opened."""
        wanted = [item.ask.id for item in self._items if item.ask.job_id == self._at_job]
        self._fill(wanted[0] if wanted else self._items[0].ask.id if self._items else None, _EMPTY)
        self.set_interval(_TICK_S, self._tick)

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._fill(self._shown, self._otherwise)

    def show(self, items: Sequence[InboxItem], total: int | None = None) -> None:
        """Take the asks as they are now. What is shown stays, unless it is open no more."""
        open_ids = {item.ask.id for item in items}
        self._sent &= open_ids
        left = [item for item in items if item.ask.id not in self._sent]
        self._total = max(len(left), (len(items) if total is None else total) - len(self._sent))
        if [item.ask.id for item in left] == [item.ask.id for item in self._items]:
            return
        self._items = left
        if not self.is_mounted:  # the first drawing takes them
            return
        if self._shown is not None and self._shown not in open_ids:
            self._fill(None, _GONE)
        else:
            self._fill(self._shown, _NEXT if left else _EMPTY)

    def refused(self, ask_id: int, text: str) -> None:
        """Say why the store did not take an answer; the next `show` brings the ask back if it is still open."""
        self._sent.discard(ask_id)
        self.query_one(Problem).tell(text)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the ask under the cursor."""
        ask_id = int(event.option_id or "0")
        if ask_id != self._shown and any(item.ask.id == ask_id for item in self._items):
            self._keep_words()
            self._shown = ask_id
            self.query_one(Problem).tell("")
            self._draw()

    def on_option_list_option_selected(self) -> None:
        """Enter or a click writes; it never allows."""
        self.action_words()

    def on_input_submitted(self) -> None:
        """Send the words."""
        self._send()

    def on_key(self, event: events.Key) -> None:
        """Answer a question with one of its options by the number."""
        item = self._item()
        if item is None or not (event.character or "").isdecimal() or not event.character:
            return
        place = int(event.character) - 1
        if item.ask.kind == "question" and 0 <= place < len(item.ask.options):
            event.stop()
            self._answer(AskAnswer(item.ask.id, "answered", item.ask.options[place]))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        match event.button.id:
            case "send":
                self._send()
            case "go":
                self.action_go()
            case name:
                self.action_say(*_SAID[name or "deny"])

    def action_say(self, verdict: Literal["allow", "deny"], scope: Scope) -> None:
        """Allow or deny: this one call, or for good by the rules that stand there."""
        item = self._item()
        if item is None:
            return
        question = item.ask.kind == "question"
        if question and (verdict == "allow" or scope != "once"):
            self.query_one(Problem).tell("this is a question: answer it in words (w), or deny it (d)")
        elif scope != "once" and not offered(item.ask):
            self.query_one(Problem).tell(f"no rule says just this; name one: orch answer {item.ask.id} --rule RULE")
        else:
            self._answer(AskAnswer(item.ask.id, verdict, self._text(), scope))

    def action_words(self) -> None:
        """Go to the line for words."""
        if self._item() is not None:
            self.query_one("#words", Input).focus()

    def action_go(self) -> None:
        """Close, and let the app go to the job that asks."""
        item = self._item()
        if item is not None:
            self.dismiss(item.ask.job_id)

    def _send(self) -> None:
        item = self._item()
        if item is None:
            return
        text = self._text()
        if text is None:
            self.query_one(Problem).tell("there are no words yet; write an answer")
            self.query_one("#words", Input).focus()
        else:
            self._answer(AskAnswer(item.ask.id, "answered", text))

    def _answer(self, answer: AskAnswer) -> None:
        self._sent.add(answer.ask_id)
        self._items = [item for item in self._items if item.ask.id != answer.ask_id]
        self._total -= 1
        self.query_one(Problem).tell("")
        self._fill(None, _NEXT if self._items else _EMPTY)
        self.query_one(OptionList).focus()
        self.post_message(self.Answered(answer))

    def _item(self) -> InboxItem | None:
        return next((item for item in self._items if item.ask.id == self._shown), None)

    def _text(self) -> str | None:
        return self.query_one("#words", Input).value.strip() or None

    def _keep_words(self) -> None:
        """Keep what is written with the ask it was written for; it comes back with that."""
        if self._shown is not None:
            self._words[self._shown] = self.query_one("#words", Input).value

    def _fill(self, ask_id: int | None, otherwise: str) -> None:
        """Draw list and detail anew, with the cursor on this ask or on none."""
        listed = self.query_one(AskList)
        self._keep_words()
        self._shown = ask_id
        self._rows = self._lines()
        if listed.highlighted is not None:
            listed.place = listed.highlighted
        with self.prevent(OptionList.OptionHighlighted):
            listed.clear_options()
            listed.add_options(
                Option(Content(text), id=str(item.ask.id)) for text, item in zip(self._rows, self._items, strict=True)
            )
            listed.highlighted = next((at for at, item in enumerate(self._items) if item.ask.id == ask_id), None)
        self._otherwise = otherwise
        self._draw()

    def _draw(self) -> None:
        self._draw_heading()
        item = self._item()
        self.query_one("#detail", Static).update(Content(self._otherwise) if item is None else self._detail(item))
        self.query_one(VerticalScroll).scroll_home(animate=False)
        words = self.query_one("#words", Input)
        words.value = "" if item is None else self._words.get(item.ask.id, "")
        asks_leave = item is None or item.ask.kind == "permission"
        for button in self.query(Button):
            button.disabled = item is None
            button.display = asks_leave or button.id in ("deny", "send", "go")

    def _draw_heading(self) -> None:
        count = f"{self._total:,} ask{'s wait' if self._total != 1 else ' waits'} for an answer"
        part = f", the oldest {len(self._items)} of them here" if len(self._items) < self._total else ""
        self.query_one(".dialog--heading", Static).update(Content(f"Inbox: {count}{part}"))

    def _tick(self) -> None:
        """Let the ages go on, and redraw no more than that."""
        rows, listed = self._lines(), self.query_one(OptionList)
        for place, (old, new) in enumerate(zip(self._rows, rows, strict=True)):
            if old != new:
                listed.replace_option_prompt_at_index(place, Content(new))
        if rows != self._rows and (item := self._item()) is not None:
            self.query_one("#detail", Static).update(self._detail(item))
        self._rows = rows

    def _lines(self) -> list[str]:
        return [row(item, self._now_ms(), self._width()) for item in self._items]

    def _detail(self, item: InboxItem) -> Content:
        return Content.assemble(
            *((piece.text, _STYLES[piece.role]) for piece in detail(item, self._now_ms(), self._width()))
        )

    def _width(self) -> int:
        """Return the cells within the box, less a scrollbar."""
        return min(max(20, self.app.size.width), _BOX_CELLS) - 6
