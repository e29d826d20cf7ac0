"""Our signs on a terminal that knows ASCII alone: one character for each, so that nothing moves. Pure.

Other characters stay as they are: text of workers in other scripts is for terminals that show it.
"""

from tui_orch.tui.row import ASCII, UNICODE

_SIGNS = {
    **{UNICODE.states[status]: sign for status, sign in ASCII.states.items()},
    "▸": "+",
    "▾": "-",
    "→": ">",
    "←": "<",
    "■": "=",
    "▰": "#",
    "▱": "-",
    "…": "~",
    "×": "x",
    "◆": ">",
    "│": "|",
    **dict(zip("·░▁▂▃▄▅▆▇█", ".-.:-=+*##", strict=True)),
}
_TABLE = str.maketrans(_SIGNS)


def signs(text: str, *, ascii_only: bool) -> str:
    """Return ``text``, its signs in ASCII where that is wanted."""
    return text.translate(_TABLE) if ascii_only else text
