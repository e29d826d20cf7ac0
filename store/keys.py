"""Keys to the REST API: made, looked up, revoked. Only a hash is kept; the secret is returned once, by ``new_key``."""

import hmac
import secrets
from dataclasses import dataclass, fields

from store.claim import token_hash
from store.database import Reader, Transaction
from store.errors import BadInput, NotAllowed, NotFound


@dataclass(frozen=True, slots=True)
class Key:
    """A key to the REST API; the secret itself is kept nowhere."""

    id: int
    name: str
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None


PREFIX = "orch_"
_SECRET_BYTES = 32
_NAME_CHARS = 100
_COLUMNS = ", ".join(field.name for field in fields(Key))


def new_key(tx: Transaction, name: str, now_ms: int, *, expires_ms: int | None = None) -> tuple[Key, str]:
    """Make a key. Return it with its secret (256 random bits), which can not be had again. Raises BadInput."""
    if not name.strip() or len(name) > _NAME_CHARS or not name.isprintable():
        raise BadInput(f"a key's name is one line of 1 to {_NAME_CHARS} characters; it says who uses the key")
    if expires_ms is not None and expires_ms <= now_ms:
        raise BadInput("a key must expire later than now")
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    sql = "INSERT INTO keys(name, sha256, created_ms, expires_ms) VALUES (?, ?, ?, ?)"
    key_id = tx.insert(sql, (name.strip(), token_hash(secret), now_ms, expires_ms))
    return get_key(tx, key_id), secret


def key_of(reader: Reader, secret: str, now_ms: int) -> Key:
    """Return the key that a secret opens. Raises NotAllowed for one that is unknown, expired or revoked."""
    said = token_hash(secret)
    row = reader.row(f"SELECT sha256, {_COLUMNS} FROM keys WHERE sha256 = ?", (said,))
    if row is None or not hmac.compare_digest(str(row[0]), said):
        raise NotAllowed("this key opens nothing here; a person makes one with: orch key new NAME")
    key = Key(*row[1:])
    if key.revoked_ms is not None:
        raise NotAllowed(f"key {key.id} is revoked; a person makes another with: orch key new NAME")
    if key.expires_ms is not None and key.expires_ms <= now_ms:
        raise NotAllowed(f"key {key.id} has expired; a person makes another with: orch key new NAME")
    return key


def get_key(reader: Reader, key_id: int) -> Key:
    """Return one key. Raises NotFound."""
    row = reader.row(f"SELECT {_COLUMNS} FROM keys WHERE id = ?", (key_id,))
    if row is None:
        raise NotFound(f"there is no key {key_id}; see: orch key list")
    return Key(*row)


def list_keys(reader: Reader, limit: int = 1_000) -> list[Key]:
    """Return all keys, revoked ones too, oldest first."""
    return [Key(*row) for row in reader.rows(f"SELECT {_COLUMNS} FROM keys ORDER BY id LIMIT ?", (limit,))]


def revoke_key(tx: Transaction, key_id: int, now_ms: int) -> Key:
    """Let a key open nothing any more, from now on. Raises NotFound where it is revoked already, too."""
    if not tx.run("UPDATE keys SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL", (now_ms, key_id)):
        revoked = get_key(tx, key_id)
        raise NotFound(f"key {revoked.id} ({revoked.name}) is revoked already")
    return get_key(tx, key_id)
