"""A user as made."""

from __future__ import annotations

from otari_daemon.domain.users import User


def test_a_new_user_is_neither_blocked_nor_deleted() -> None:
    user = User("ann", 1)

    assert (user.blocked, user.deleted_ms, user.alias, dict(user.metadata)) == (False, None, None, {})
