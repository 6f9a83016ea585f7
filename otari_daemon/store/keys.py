"""Virtual keys in the database. Functions that take a connection write; those that take a session read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from otari_daemon.domain.keys import VirtualKey
from otari_daemon.store import sql
from otari_daemon.store.database import Connection, Session


class StoredKey(NamedTuple):
    """A key, and what only its row knows."""

    key: VirtualKey
    last_used_ms: int | None
    metadata: Mapping[str, object]


class KeyUse(NamedTuple):
    """When a key was last seen."""

    at_ms: int
    key_id: str


def insert(con: Connection, key: VirtualKey, metadata: Mapping[str, object]) -> None:
    """Add a key; an id or digest that is there already is an `IntegrityError`."""
    con.execute(
        sql.KEY_ADD,
        (
            key.id,
            key.digest,
            key.prefix,
            key.name,
            key.user_id,
            key.created_ms,
            key.expires_ms,
            key.revoked_ms,
            _models_text(key.models),
            msgspec.json.encode(metadata).decode(),
        ),
    )


def everything(session: Session) -> list[StoredKey]:
    """All keys, revoked ones too, oldest first."""
    return [_stored(row) for row in session.con.execute(sql.KEYS)]


def one(session: Session, key_id: str) -> StoredKey | None:
    """A key by its id."""
    row = session.con.execute(sql.KEY_ONE, (key_id,)).fetchone()
    return None if row is None else _stored(row)


def update(con: Connection, key: VirtualKey, metadata: Mapping[str, object]) -> bool:
    """Write name, expiry, revocation, models and metadata of a key; False if there is none of that id."""
    metadata_text = msgspec.json.encode(metadata).decode()
    values = (key.name, key.expires_ms, key.revoked_ms, _models_text(key.models), metadata_text, key.id)
    return con.execute(sql.KEY_SET, values).rowcount == 1


def revoke(con: Connection, key_id: str, at_ms: int) -> bool:
    """Revoke a key; False if it is unknown or was revoked before."""
    return con.execute(sql.KEY_REVOKE, (at_ms, key_id)).rowcount == 1


def rotate(con: Connection, key_id: str, digest: bytes, prefix: str) -> bool:
    """Give a key another secret; the old one is dead with the commit."""
    return con.execute(sql.KEY_ROTATE, (digest, prefix, key_id)).rowcount == 1


def delete(con: Connection, key_id: str) -> bool:
    """Remove a key; its usage rows stay and keep its id."""
    return con.execute(sql.KEY_DELETE, (key_id,)).rowcount == 1


def touch(con: Connection, uses: Iterable[KeyUse]) -> None:
    """Note when keys were last used; never moves back, ignores keys that are gone."""
    latest: dict[str, int] = {}
    for at_ms, key_id in uses:
        latest[key_id] = max(at_ms, latest.get(key_id, 0))
    con.executemany(sql.KEY_TOUCH, [(at_ms, key_id, at_ms) for key_id, at_ms in latest.items()])


def _models_text(models: tuple[str, ...] | None) -> str | None:
    return None if models is None else msgspec.json.encode(models).decode()


def _stored(row: tuple[Any, ...]) -> StoredKey:
    *key, models, last_used_ms, metadata = row
    patterns = None if models is None else msgspec.json.decode(models, type=tuple[str, ...])
    return StoredKey(
        VirtualKey(*(*key, patterns)),
        last_used_ms,
        msgspec.json.decode(metadata, type=dict[str, object]),
    )
