"""The rows of idempotency keys. How a request stands is not in them but in the hold they name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from otari_daemon.domain.idempotency import Completed, Kept, Named, Scoped, Unnamed
from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Reason, request_id_of
from otari_daemon.domain.usage import Usage
from otari_daemon.store import sql_idempotency as sql
from otari_daemon.store.database import Connection, Session
from otari_daemon.store.schema import SENT, VOIDED

EXPIRED_PER_WRITE = 500
"""Rows one write removes, some of them with a megabyte of answer."""


class Found(NamedTuple):
    """A name in use: `completed` is None while its request runs, `kept` where no answer can be replayed."""

    fingerprint: bytes
    completed: Completed | None
    kept: Kept | None


class Room(NamedTuple):
    """A name not in use, and what its virtual key has already: names, bytes of answers, the oldest's time."""

    names: int
    answer_bytes: int
    oldest_ms: int


def apply(con: Connection, entries: Sequence[Named | Unnamed]) -> None:
    """Write journal entries in their order, after the holds that they name."""
    for entry in entries:
        if isinstance(entry, Named):
            con.execute(sql.NAME, (*entry.scoped, entry.fingerprint, entry.rid, entry.at_ms))
        else:
            con.execute(sql.UNNAME, (*entry.scoped, entry.rid))


def keep(con: Connection, scoped: Scoped, rid: bytes, kept: Kept) -> None:
    """Keep the answer of the request that has this name, if it still has it."""
    content_type = kept.content_type.decode("latin-1")
    con.execute(sql.KEEP, (kept.body, len(kept.body), content_type, kept.provider, *scoped, rid))


def look_up(session: Session, scoped: Scoped, since_ms: int) -> Found | Room:
    """What is known of a name claimed after `since_ms`; one whose hold was voided is free."""
    row = session.con.execute(sql.FIND, (*scoped, since_ms)).fetchone()
    if row is None or row[5] == VOIDED:
        names, answer_bytes, oldest_ms = session.con.execute(sql.ROOM, (scoped.key_id, since_ms)).fetchone()
        return Room(names, int(answer_bytes), oldest_ms)
    fingerprint, rid, answer, content_type, provider, state, posted, overage, reason, status, *units = row
    if state <= SENT:
        return Found(bytes(fingerprint), None, None)
    amount = Nano(posted + overage)
    completed = Completed(request_id_of(bytes(rid)), Reason(reason), status, Usage(*units), amount)
    kept = None if answer is None else Kept(bytes(answer), content_type.encode("latin-1"), provider)
    return Found(bytes(fingerprint), completed, kept)


def expire(con: Connection, before_ms: int) -> int:
    """Remove the oldest names claimed until a moment, at most `EXPIRED_PER_WRITE`; return how many."""
    return con.execute(sql.EXPIRE, (before_ms, EXPIRED_PER_WRITE)).rowcount
