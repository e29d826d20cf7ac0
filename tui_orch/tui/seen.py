"""Whether a widget can be seen: what nobody sees is neither read nor drawn."""

from textual.widget import Widget


def is_seen(widget: Widget) -> bool:
    """Tell whether a widget and all that it stands in are shown."""
    return all(node.display for node in widget.ancestors_with_self if isinstance(node, Widget))
