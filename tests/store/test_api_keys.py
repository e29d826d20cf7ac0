"""Keys: shown once, kept as a hash, good until they expire or are revoked."""

import pytest
from at_store import AtStore

from store import keys
from store.claim import token_hash
from store.errors import BadInput, NotAllowed, NotFound
from store.keys import Key


def new(at: AtStore, name: str = "a program", expires_ms: int | None = None) -> tuple[Key, str]:
    with at.store.write() as tx:
        return keys.new_key(tx, name, at.now_ms, expires_ms=expires_ms)


def of(at: AtStore, secret: str) -> Key:
    with at.store.read() as reader:
        return keys.key_of(reader, secret, at.now_ms)


def revoke(at: AtStore, key_id: int) -> Key:
    with at.store.write() as tx:
        return keys.revoke_key(tx, key_id, at.now_ms)


def test_a_key_opens_and_only_its_hash_is_kept(at: AtStore) -> None:
    """256 random bits; not in any table."""
    key, secret = new(at, " a program ")
    assert key == Key(1, "a program", at.now_ms, None, None) == of(at, secret)
    assert len(secret) == len("orch_") + 43
    kept = str(at.everything())
    assert secret not in kept
    assert secret.removeprefix("orch_") not in kept
    assert token_hash(secret) in kept
    assert new(at)[1] != secret


@pytest.mark.parametrize("wrong", ["", "orch_", "orch_x", "x" * 100_000, "\udc80", "'; DROP TABLE keys"])
def test_what_is_no_key_opens_nothing(at: AtStore, wrong: str) -> None:
    new(at)
    with pytest.raises(NotAllowed):
        of(at, wrong)


def test_the_kept_hash_opens_nothing(at: AtStore) -> None:
    """Who has read the file has no key."""
    _, secret = new(at)
    with pytest.raises(NotAllowed, match="opens nothing here; a person makes one with: orch key new"):
        of(at, token_hash(secret))


def test_a_key_expires_at_its_time(at: AtStore) -> None:
    _, secret = new(at, expires_ms=at.now_ms + 1000)
    at.later(0.999)
    assert of(at, secret).expires_ms == at.now_ms + 1
    at.later(0.001)
    with pytest.raises(NotAllowed, match="key 1 has expired"):
        of(at, secret)


def test_a_revoked_key_opens_nothing_and_others_still_do(at: AtStore) -> None:
    (first, secret), (_, other) = new(at), new(at)
    assert revoke(at, first.id).revoked_ms == at.now_ms
    with pytest.raises(NotAllowed, match="key 1 is revoked"):
        of(at, secret)
    assert of(at, other).id == 2
    with pytest.raises(NotFound, match=r"key 1 \(a program\) is revoked already"):
        revoke(at, first.id)
    with pytest.raises(NotFound, match="there is no key 9; see: orch key list"):
        revoke(at, 9)


def test_all_keys_are_listed(at: AtStore) -> None:
    new(at, "one")
    new(at, "two")
    revoke(at, 1)
    with at.store.read() as reader:
        assert [(key.name, key.revoked_ms) for key in keys.list_keys(reader)] == [("one", at.now_ms), ("two", None)]
        assert len(keys.list_keys(reader, 1)) == 1


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "two\nlines", "\x1b[2J"])
def test_a_key_has_a_name_that_can_be_shown(at: AtStore, name: str) -> None:
    with pytest.raises(BadInput, match="a key's name is one line"):
        new(at, name)


def test_a_key_that_is_over_at_once_is_not_made(at: AtStore) -> None:
    with pytest.raises(BadInput, match="expire later than now"):
        new(at, expires_ms=at.now_ms)
    assert at.value("SELECT count(*) FROM keys") == 0
