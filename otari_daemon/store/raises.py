"""Temporary raises in the database: added and taken back, never changed, never removed."""

from __future__ import annotations

from typing import Any

from otari_daemon.domain.money import Nano
from otari_daemon.domain.raises import Raise
from otari_daemon.store import sql
from otari_daemon.store.database import Connection


def add(con: Connection, budget_id: str, made: Raise) -> None:
    """Raise a budget."""
    values = (made.amount, made.until_ms, made.created_ms, made.uid, made.reason)
    con.execute(sql.RAISE_ADD, (made.id, budget_id, *values))


def end(con: Connection, budget_id: str, now_ms: int) -> int:
    """Take back every raise of a budget that has not ended; return how many."""
    return con.execute(sql.RAISES_END, (now_ms, budget_id, now_ms)).rowcount


def of_budget(con: Connection, budget_id: str) -> tuple[Raise, ...]:
    """A budget's raises that were not taken back, soonest end first."""
    return tuple(_raise(row) for row in con.execute(sql.RAISES_OF, (budget_id,)))


def by_budget(con: Connection) -> dict[str, tuple[Raise, ...]]:
    """`of_budget` for all budgets that have any."""
    found: dict[str, tuple[Raise, ...]] = {}
    for budget_id, *row in con.execute(sql.RAISES):
        found[budget_id] = (*found.get(budget_id, ()), _raise(row))
    return found


def _raise(row: Any) -> Raise:
    id, amount, until_ms, created_ms, uid, reason = row
    return Raise(id, Nano(amount), until_ms, created_ms, uid, reason)
