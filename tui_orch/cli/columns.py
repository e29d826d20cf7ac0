"""Text in columns, measured in terminal cells: Japanese and emoji take two. Pure; takes clean text."""

from collections.abc import Sequence

from rich.cells import cell_len

from tui_orch.client.cells import cut


def cells(text: str) -> int:
    """Return how many cells ``text`` takes."""
    return cell_len(text)


def table(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return rows with aligned columns; the last column is cut where a line would be wider than ``width``."""
    if not rows:
        return []
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        left = "".join(text + " " * (size - cell_len(text) + 2) for text, size in zip(row, widths, strict=False))
        lines.append((left + cut(row[-1], max(width - cell_len(left), 12))).rstrip())
    return lines
