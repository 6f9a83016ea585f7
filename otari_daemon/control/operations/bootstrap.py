"""The first key of a new installation."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from otari_daemon.control.operations.keys import DEFAULT_USER
from otari_daemon.domain.keys import RANDOM_BYTES, VirtualKey, digest, mint, shown_prefix
from otari_daemon.domain.users import User
from otari_daemon.store import keys, users
from otari_daemon.store.database import Connection
from otari_daemon.store.store import Store

NAME = "bootstrap"


def bootstrap(store: Store, entropy: Callable[[int], bytes], now_ms: int) -> str | None:
    """Make a key if there is none at all, and return its secret, this once; before the store is started."""
    if store.read_now(keys.everything):
        return None
    secret = mint(entropy(RANDOM_BYTES))
    key = VirtualKey(
        str(uuid.UUID(bytes=entropy(16), version=4)),
        digest(secret.encode()),
        shown_prefix(secret),
        NAME,
        DEFAULT_USER,
        now_ms,
    )
    user = store.read_now(users.one, DEFAULT_USER)

    def write(con: Connection) -> None:
        if user is None or user.deleted_ms is not None:
            users.insert(con, User(DEFAULT_USER, now_ms, f"User {DEFAULT_USER}"))
        keys.insert(con, key, {"bootstrap": True})

    store.write_now(write)
    return secret
