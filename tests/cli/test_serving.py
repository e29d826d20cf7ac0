"""What the server logs of an error of its own: where, and of what kind; never what the caller sent."""

import io
import logging

import pytest

from tui_orch.cli import serving


def test_an_error_is_logged_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may hold a part of a body."""
    said = io.StringIO()
    monkeypatch.setattr("sys.stderr", said)
    log = logging.getLogger("uvicorn.error")
    before = log.handlers[:], log.level, log.propagate
    serving._log_to_stderr()
    try:
        try:
            raise ValueError("a secret of the caller")
        except ValueError:
            log.exception("Exception in ASGI application")
    finally:
        log.handlers[:], log.level, log.propagate = before
    assert "secret" not in said.getvalue().replace('raise ValueError("a secret of the caller")', "")
    assert "ValueError" in said.getvalue()
    assert "test_serving.py" in said.getvalue()
