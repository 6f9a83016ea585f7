"""Users in the database. Functions that take a connection write; those that take a session read."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.users import User
from otari_daemon.store import sql
from otari_daemon.store.database import Connection, Session


def insert(con: Connection, user: User) -> None:
    """Add a user, or bring a deleted one of that id back; a living one is an `IntegrityError`."""
    metadata = msgspec.json.encode(user.metadata).decode()
    values = (user.alias, int(user.blocked), user.created_ms, metadata, user.id)
    if con.execute(sql.USER_REVIVE, values).rowcount == 0:
        con.execute(sql.USER_ADD, (user.id, user.alias, int(user.blocked), user.created_ms, None, metadata))


def everything(session: Session) -> list[User]:
    """All users, deleted ones too, oldest first."""
    found = session.entities.User.select()[:]
    return sorted(map(_user, found), key=lambda user: (user.created_ms, user.id))


def one(session: Session, user_id: str) -> User | None:
    """A user by id, deleted or not."""
    row = session.con.execute(sql.USER_ONE, (user_id,)).fetchone()
    if row is None:
        return None
    found_id, created_ms, alias, blocked, deleted_ms, metadata = row
    decoded = msgspec.json.decode(metadata, type=dict[str, object])
    return User(found_id, created_ms, alias, bool(blocked), deleted_ms, decoded)


def update(con: Connection, user: User) -> bool:
    """Write what can change of a living user; False if there is none of that id."""
    metadata = msgspec.json.encode(user.metadata).decode()
    values = (user.alias, int(user.blocked), metadata, user.updated_ms, user.id)
    return con.execute(sql.USER_SET, values).rowcount == 1


def delete(con: Connection, user_id: str, at_ms: int) -> bool:
    """Mark a user as deleted; keys and usage rows stay."""
    return con.execute(sql.USER_DELETE, (at_ms, user_id)).rowcount == 1


def _user(found: Any) -> User:
    metadata = msgspec.json.decode(found.metadata, type=dict[str, object])
    return User(
        found.id,
        found.created_ms,
        found.alias,
        found.blocked,
        found.deleted_ms,
        metadata,
        found.updated_ms,
    )
