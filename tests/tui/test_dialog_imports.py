"""Only the editor of requests is heavy, and no dialog knows the command line, the supervisor or a worker."""

import subprocess
import sys

LIGHT = (
    *(f"tui_orch.tui.{name}" for name in ("header", "footer", "keys", "filter", "notify", "clipboard", "spending")),
    *(
        f"tui_orch.tui.dialogs.{name}"
        for name in ("ask_view", "choose", "confirm", "filter_bar", "help", "inbox", "limits_form", "palette")
    ),
)


def loaded_by(modules: tuple[str, ...], looked_for: tuple[str, ...]) -> list[str]:
    program = f"import sys, {', '.join(modules)}\nprint([name for name in {looked_for} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    found = ended.stdout.strip()
    return [] if found == "[]" else found.strip("[]").replace("'", "").split(", ")


def test_the_editor_of_requests_alone_brings_pydantic_and_yaml() -> None:
    """They take longer than the first picture may."""
    heavy = ("pydantic", "yaml", "tui_orch.request")
    assert loaded_by(LIGHT, heavy) == []
    assert loaded_by(("tui_orch.tui.dialogs.new_request",), heavy) == list(heavy)


def test_what_the_app_has_at_rest_brings_neither_an_editor_nor_openssl() -> None:
    """Together they would be 2 MB; a person comes to need them, or never."""
    at_rest = (
        *LIGHT,
        "tui_orch.tui.later",
        *(f"tui_orch.tui.{name}" for name in ("steering", "control", "detail.pane")),
    )
    heavy = ("textual.widgets._text_area", "hashlib", "anyio", "watchfiles")
    assert loaded_by(at_rest, heavy) == []
    assert loaded_by(("tui_orch.tui.dialogs.new_request",), heavy[:1]) == list(heavy[:1])


def test_no_dialog_knows_the_command_line_or_the_processes() -> None:
    above = ("tui_orch.cli", "tui_orch.supervisor", "tui_orch.worker", "claude_agent_sdk")
    assert loaded_by((*LIGHT, "tui_orch.tui.dialogs.new_request"), above) == []
