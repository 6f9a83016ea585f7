"""The last requests that were refused: a ring, so that a flood of them costs no disk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from otari_daemon.store import sql
from otari_daemon.store.database import Connection, Session

KEPT_MAX = 100_000
GROUPS_MAX = 1_000
NEWEST = 1 << 62


class Refusal(NamedTuple):
    """One refused request; `key_id` is None when no key was recognized, `budget` when none was full.

    `limit` names the limit on requests, tokens or concurrency that refused it, if one did.
    """

    at_ms: int
    request_id: str
    key_id: str | None
    code: str
    detail: str
    user_id: str | None = None
    endpoint: str = ""
    model: str | None = None
    status: int = 0
    budget: str | None = None
    limit: str | None = None


def add(con: Connection, refusals: Iterable[Refusal], kept_max: int = KEPT_MAX) -> None:
    """Append refusals and drop the oldest beyond the newest `kept_max`."""
    con.executemany(sql.REFUSAL_ADD, refusals)
    con.execute(sql.REFUSAL_TRIM, (kept_max,))


def latest(session: Session, count: int, before: int = NEWEST) -> list[tuple[int, Refusal]]:
    """Up to `count` refusals, newest first, each with its number: the `before` of the next page."""
    rows = session.con.execute(sql.REFUSALS, (before, count))
    return [(number, Refusal(*row)) for number, *row in rows]


def one(session: Session, request_id: str) -> Refusal | None:
    """The newest refusal of a request id; looks at every row there is, at most `KEPT_MAX`."""
    row = session.con.execute(sql.REFUSAL_ONE, (request_id,)).fetchone()
    return None if row is None else Refusal(*row)


def models(session: Session, code: str, since_ms: int) -> list[tuple[str, int]]:
    """Models as they were asked for when refused with a code since a moment, and how often; most first."""
    return list(session.con.execute(sql.REFUSED_MODELS, (code, since_ms, GROUPS_MAX)))


def groups(session: Session, since_ms: int) -> list[tuple[int, Refusal]]:
    """Refusals since a moment by code, budget and limit, most first: how many, and the newest of them."""
    rows = session.con.execute(sql.REFUSAL_GROUPS, (since_ms, GROUPS_MAX))
    return [(number, Refusal(*row)) for number, *row in rows]
