"""Claude Code as a fixture: nothing of this machine's login or settings reaches it."""

from pathlib import Path

import pytest
from claude_code import ClaudeCode


@pytest.fixture
def claude(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClaudeCode:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_MODEL"):
        monkeypatch.delenv(name, raising=False)
    for folder in ("project", "home"):
        (tmp_path / folder).mkdir()
    return ClaudeCode(cwd=tmp_path / "project", home=tmp_path / "home")
