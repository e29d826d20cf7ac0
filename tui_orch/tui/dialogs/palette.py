"""The command palette's list of what can be done, from `keys`: found by name, with the reason where it can not be done."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from store.models import Job, Tree
from tui_orch.tui.keys import ACTIONS, Action, Around, label, possible


@runtime_checkable
class Steered(Protocol):
    """What the palette asks of the app."""

    def situation(self) -> tuple[Job | None, Tree | None, Around]:
        """Return the job under the cursor, its tree, and what is around them."""
        ...

    def do(self, name: str) -> None:
        """Do an action by name, or say why it can not be done."""
        ...


class ActionCommands(Provider):
    """A provider for ``App.COMMANDS``; the app has to be `Steered`."""

    async def discover(self) -> Hits:
        """Return everything, what can be done first."""
        steered = self._steered()
        told = [(action, *_told(action, steered)) for action in ACTIONS if action.name != "palette"]
        for action, text, help_text, _ in sorted(told, key=lambda found: found[3] is not None):
            yield DiscoveryHit(Content(text), _doing(steered, action), text=text, help=help_text)

    async def search(self, query: str) -> Hits:
        """Return what is called like ``query``."""
        steered, matcher = self._steered(), self.matcher(query)
        for action in ACTIONS:
            text, help_text, why_not = _told(action, steered)
            score = matcher.match(text) or matcher.match(action.sentence) / 20
            if score > 0 and action.name != "palette":
                shown = matcher.highlight(text)
                yield Hit(
                    score if why_not is None else score / 2, shown, _doing(steered, action), text=text, help=help_text
                )

    def _steered(self) -> Steered:
        app: object = self.app
        if not isinstance(app, Steered):
            raise TypeError("the palette's commands need an app that is Steered")
        return app


def _told(action: Action, steered: Steered) -> tuple[str, str, str | None]:
    """Return an action's name, what there is to say of it, and why it can not be done, if so."""
    situation = steered.situation()
    why_not = possible(action, *situation)
    now = label(action, *situation)
    name = action.label if now == action.label else f"{action.label}: {now}"
    keyed = f"{name} ({action.shown})" if action.shown else name
    return keyed, action.sentence if why_not is None else f"not now: {why_not}", why_not


def _doing(steered: Steered, action: Action) -> Callable[[], None]:
    return lambda: steered.do(action.name)
