"""Text in terminal cells: Japanese and emoji take two. Pure; takes clean text, see ``text``."""

from rich.cells import cell_len, set_cell_size


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """Return ``text``, or its beginning and ``…`` where it takes more than ``width`` cells; no character is halved."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + ellipsis if width > 0 else ""
