"""What budgets that only watch would have refused: counted per balance, with the last of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from otari_daemon.domain.money import Nano
from otari_daemon.store import sql
from otari_daemon.store.database import Connection, Session

GROUPS_MAX = 1_000


class Watched(NamedTuple):
    """How often a balance had no room since this was last written, and the last request it was so for."""

    account_id: int
    period_start_ms: int
    times: int
    last_ms: int
    last_rid: bytes
    last_amount: Nano


class WatchedGroup(NamedTuple):
    """All of it for one balance; the request's facts are None where its row is gone."""

    budget: str
    times: int
    last_ms: int
    last_rid: bytes
    last_amount: Nano
    key_id: str | None
    user_id: str | None
    endpoint: str | None
    model: str | None


def add(con: Connection, counted: Iterable[Watched]) -> None:
    """Add to what is counted."""
    con.executemany(sql.WATCHED_ADD, counted)


def groups(session: Session, since_ms: int) -> list[WatchedGroup]:
    """Balances that had no room since a moment, most often first."""
    return [WatchedGroup(*row) for row in session.con.execute(sql.WATCHED, (since_ms, GROUPS_MAX))]
