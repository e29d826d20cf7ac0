"""`orch --url`: what is wrong is told in one line before any screen opens."""

import pytest

from tui_orch.cli import watch
from tui_orch.cli.main import main

URL = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "on_terminal", lambda: True)
    for name in watch.KEYS:
        monkeypatch.delenv(name, raising=False)


def test_without_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", URL]) == 2
    assert f"there is no key to {URL}: set ORCH_API_KEY" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://x", "http://", "http://me@x", "http://x:99999"])
def test_an_address_that_is_none(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ORCHESTRATOR_API_KEY", "orch_x")
    assert main(["--url", url]) == 2
    assert "--url must be an address like http://localhost:8000" in capsys.readouterr().err


def test_a_key_that_no_header_carries(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ORCH_API_KEY", "orch\x1bkey")
    assert main(["--url", URL]) == 2
    said = capsys.readouterr().err
    assert "no key has" in said
    assert "\x1b" not in said


def test_a_verb_knows_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    """It would otherwise do its work in the store that is here."""
    assert main(["--url", URL, "list"]) == 2
    assert "--url is for the screen alone" in capsys.readouterr().err
