"""A request that is looked at before anything is started: the tree that it would become, and the settings it would meet.

``orch estimate`` and ``orch simulate`` share it. Stores nothing.
"""

from dataclasses import dataclass, replace

from store.database import Store
from store.models import Limits, NewTree, Tree
from store.settings import Settings, get_settings
from store.states import Kind
from store.trial import shipped_settings, try_tree
from tui_orch.cli.place import Place
from tui_orch.cli.request_options import Asked, new_tree


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What is asked for, the settings of the store that it would go to, and the tree with its limits as that store has them."""

    new: NewTree
    settings: Settings
    tree: Tree

    @property
    def limits(self) -> Limits:
        """Return the limits in force, none of them None but the budget."""
        tree = self.tree
        return Limits(
            tree.max_depth,
            tree.max_jobs,
            tree.max_children,
            tree.max_workers,
            tree.max_attempts,
            tree.timeouts_s,
            tree.budget_usd,
        )

    @property
    def kind(self) -> Kind:
        """Return what its workers run: of a group, those of its items."""
        return (self.new.items[0] if self.new.items else self.new.root).kind


def foresee(place: Place, asked: Asked, slots: int | None = None) -> Foreseen:
    """Return what a request would become; with ``slots``, in a store that has so many and allows a tree to use them.

    Raises BadUse, RequestError, StoreError, as ``orch run`` would.
    """
    new = new_tree(asked, place.future_home()).new
    settings = _settings(place)
    if slots is not None:
        settings = replace(settings, slots=slots, max_workers_ceiling=max(slots, settings.max_workers_ceiling))
    return Foreseen(new, settings, try_tree(new, settings).tree)


def _settings(place: Place) -> Settings:
    home = place.find()
    if home is None:
        return shipped_settings()
    with Store.open(home) as store, store.read() as reader:
        return get_settings(reader)
