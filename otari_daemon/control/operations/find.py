"""Looking up what an operator named, by id or by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from otari_daemon.domain.budgets import EVERYBODY, Budget, Holder, HolderKind
from otari_daemon.domain.errors import Conflict, InvalidField, NotFound
from otari_daemon.domain.users import User
from otari_daemon.protocol.messages import BudgetAssign
from otari_daemon.store import budgets, keys
from otari_daemon.store.database import Session
from otari_daemon.store.keys import StoredKey

LISTED_MAX = 10
"""Ids or holders named in one message."""


def key(session: Session, wanted: str) -> StoredKey:
    """The key of an id, or the only one of a name. Raises NotFound, Conflict."""
    found = keys.one(session, wanted)
    if found is not None:
        return found
    named = [stored for stored in keys.everything(session) if stored.key.name == wanted and wanted]
    if not named:
        raise NotFound(f"API key with id {wanted!r} not found")
    _only("API keys", wanted, [stored.key.id for stored in named])
    return named[0]


def budget(session: Session, wanted: str) -> Budget:
    """The budget of an id, or the only one of a name. Raises NotFound, Conflict."""
    found = budgets.one(session, wanted)
    if found is not None:
        return found
    named = budgets.named(session, wanted)
    if not named:
        raise NotFound(f"Budget with id {wanted!r} not found")
    _only("budgets", wanted, [each.id for each in named])
    return named[0]


def user(users: Mapping[str, User], wanted: str) -> User:
    """A living user. Raises NotFound."""
    found = users.get(wanted)
    if found is None or found.deleted_ms is not None:
        raise NotFound(f"User with id {wanted!r} not found")
    return found


def holder(session: Session, users: Mapping[str, User], asked: BudgetAssign) -> Holder:
    """The holder an assignment names: a key by id or name, a living user, or everybody."""
    if asked.holder_kind == "global":
        if asked.holder_id is not None:
            raise InvalidField("holder_id must be left out for global", param="holder_id")
        return EVERYBODY
    if asked.holder_id is None:
        raise InvalidField(f"holder_id must name a {asked.holder_kind}", param="holder_id")
    if asked.holder_kind == "key":
        return Holder(HolderKind.KEY, key(session, asked.holder_id).key.id)
    return Holder(HolderKind.USER, user(users, asked.holder_id).id)


def listed(words: Sequence[str]) -> str:
    """Some words of possibly many, for a message."""
    more = len(words) - LISTED_MAX
    return ", ".join(words[:LISTED_MAX]) + (f" and {more} more" if more > 0 else "")


def _only(what: str, name: str, ids: list[str]) -> None:
    if len(ids) > 1:
        raise Conflict(f"{len(ids)} {what} are named {name!r}; use an id: {listed(ids)}")
