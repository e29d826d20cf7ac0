"""``orch doctor``: what it finds, what it calls bad, and what it never prints."""

import json
import stat
from pathlib import Path

import apsw
import pytest
from at_orch import AtOrch
from branches import Branches

from tui_orch.cli.checks import claude_path, login_check, sqlite_check


def levels(orch: AtOrch, **env: str) -> dict[str, tuple[str, str]]:
    found = json.loads(orch("doctor", "--json", env=env).out)
    return {check["name"]: (check["level"], check["text"]) for check in found}


def test_a_machine_in_order(orch: AtOrch) -> None:
    """The CLI of the SDK's wheel with its version, SQLite, the store, its modes, disk and memory."""
    orch.tree()
    done = orch("doctor")
    assert done.code == 0, done.out
    found = levels(orch)
    assert found["claude"][0] == "ok"
    assert "_bundled/claude" in found["claude"][1]
    assert found["sqlite"] == ("ok", f"{apsw.sqlite_lib_version()}, with the repair of the WAL-reset bug")
    assert found["store"][0] == "ok"
    assert found["modes"] == ("ok", "only you can read the store")
    assert {"python", "disk", "memory", "login", "supervisor"} <= set(found)
    assert len(done.out.splitlines()) == len(found)


def test_where_no_store_is_none_is_made(orch: AtOrch) -> None:
    """It looks, it does not touch."""
    assert levels(orch)["store"][0] == "note"
    assert not orch.home.root.exists()


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"])
def test_a_secret_is_never_printed(orch: AtOrch, name: str) -> None:
    """Only that it is there."""
    done = orch("doctor", env={name: "made-up-secret-123"})
    assert name in done.out
    assert "made-up" not in done.out + done.err


def test_a_login_of_claude_code_is_found_where_it_keeps_it(tmp_path: Path) -> None:
    """In its config folder; without any, that is said."""
    environ = {"HOME": str(tmp_path)}
    assert login_check(environ).level == "note"
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / ".credentials.json").write_text('{"secret": "x"}')
    assert login_check(environ).level == "ok"
    assert login_check({**environ, "CLAUDE_CONFIG_DIR": str(tmp_path)}).level == "note"


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("3.40.1", "bad"), ("3.44.5", "bad"), ("3.44.6", "ok"), ("3.45.0", "bad"), ("3.50.6", "bad"), ("3.50.7", "ok"),
        ("3.51.0", "bad"), ("3.51.2", "bad"), ("3.51.3", "ok"), ("3.52.0", "ok"), ("4.0.0", "ok"),
    ],
)  # fmt: skip
def test_a_sqlite_with_the_wal_reset_bug_is_bad(version: str, level: str) -> None:
    """Repaired in 3.51.3, and in the lines 3.50.7 and 3.44.6."""
    assert sqlite_check(version).level == level


def fake_claude(folder: Path, says: str) -> str:
    path = folder / "claude"
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(
    ("says", "level", "said"),
    [
        ("echo '2.1.330 (Claude Code)'", "ok", "2.1.330"),
        ("echo '1.9.9 (Claude Code)'", "bad", "2.0.0 or later"),
        ("echo 2.1.0; exit 3", "bad", "code 3"),
        ("printf 'hello \\033[31m'", "bad", "code 0"),
    ],
)
def test_the_claude_code_that_is_named_is_asked_for_its_version(
    orch: AtOrch, tmp_path: Path, says: str, level: str, said: str
) -> None:
    """Too old, broken or something else is bad, and the exit code is 1."""
    path = fake_claude(tmp_path, says)
    found = levels(orch, ORCH_CLAUDE_PATH=path)["claude"]
    assert found[0] == level
    assert said in found[1]
    assert orch("doctor", env={"ORCH_CLAUDE_PATH": path}).code == (0 if level == "ok" else 1)


def test_a_claude_code_that_is_not_there_is_bad(orch: AtOrch) -> None:
    """And the path is said."""
    assert claude_path({"ORCH_CLAUDE_PATH": "/nowhere/claude"}) == Path("/nowhere/claude")
    level, text = levels(orch, ORCH_CLAUDE_PATH="/nowhere/claude")["claude"]
    assert level == "bad"
    assert "/nowhere/claude" in text


def test_a_changed_rule_is_found(orch: AtOrch) -> None:
    """Which one, too."""
    orch.tree()
    apsw.Connection(str(orch.home.database)).execute("DROP TRIGGER jobs_guard_delete").fetchall()
    done = orch("doctor")
    assert done.code == 1
    assert "trigger jobs_guard_delete is missing" in done.out


def test_what_others_can_read_is_found(orch: AtOrch) -> None:
    """With the command that mends it."""
    orch.tree()
    log = orch.home.supervisor_log
    log.touch(mode=0o644)
    log.chmod(0o644)
    level, text = levels(orch)["modes"]
    assert level == "bad"
    assert str(log) in text
    assert "chmod -R go=" in text
    orch.home.root.chmod(0o750)
    assert levels(orch)["store"][0] == "bad"


def test_git_and_what_worktrees_take_is_told(grove: Branches) -> None:
    root = grove.tree("write a", "write b")
    grove.work(root + 1, {"a.txt": "a\n"})
    found = levels(grove.orch)
    assert found["git"][0] == "ok"
    assert found["worktrees"][0] == "ok"
    assert found["worktrees"][1].startswith("1 of 1000 on disk, 4")
    grove.set(max_worktrees=1)
    level, text = levels(grove.orch)["worktrees"]
    assert (level, "orch gc" in text) == ("note", True)
    assert levels(grove.orch, PATH=str(grove.top))["git"][0] == "note"
