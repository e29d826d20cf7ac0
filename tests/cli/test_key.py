"""`orch key`: made, listed, revoked; the key itself is shown once and kept nowhere."""

import json

from at_orch import AtOrch


def test_a_key_is_shown_once_and_kept_nowhere(orch: AtOrch) -> None:
    """The store holds a hash."""
    secret = orch("key", "new", "my laptop").out.strip()
    assert secret.startswith("orch_")
    assert len(secret) >= 5 + 43  # 256 bits
    files = [path for path in (orch.project / ".orch").rglob("*") if path.is_file()]
    assert not [path for path in files if secret.encode() in path.read_bytes()]
    (found,) = json.loads(orch("key", "list", "--json").out)
    assert (found["id"], found["name"], found["revoked_ms"]) == (1, "my laptop", None)
    assert set(found) == {"id", "name", "created_ms", "expires_ms", "revoked_ms"}


def test_keys_are_listed_with_their_state(orch: AtOrch) -> None:
    """Good, good until, revoked."""
    assert orch("key", "list", "--json").code == 2, "there is no store yet"
    orch("key", "new", "one")
    made = json.loads(orch("key", "new", "two", "--expires", "1h", "--json").out)
    assert made["expires_ms"] - made["created_ms"] == 3_600_000
    assert made["key"].startswith("orch_")
    assert orch("key", "revoke", "1").out == "key 1 (one) is revoked\n"
    first, second = orch("key", "list").out.splitlines()
    assert first.startswith("1  revoked")
    assert second.startswith("2  good until")
    again = orch("key", "revoke", "1")
    assert (again.code, "revoked already" in again.err) == (2, True)


def test_a_worker_makes_no_key(orch: AtOrch) -> None:
    """Nor does it see or revoke one."""
    orch("key", "new", "one")
    env = orch.worker(orch.start(orch.tree()))
    for arguments in (("new", "mine"), ("list",), ("revoke", "1")):
        done = orch.process("key", *arguments, env=env)
        assert (done.code, "for a person" in done.err) == (2, True)
