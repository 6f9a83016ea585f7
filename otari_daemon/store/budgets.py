"""Budgets and their assignments in the database. A connection writes, a session reads."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.budgets import Assignment, Budget, Holder, HolderKind
from otari_daemon.domain.money import Nano
from otari_daemon.domain.windows import Calendar, CalendarUnit, Every, Lifetime, Window
from otari_daemon.store import sql
from otari_daemon.store.database import Connection, Session
from otari_daemon.store.errors import StoreError

POOL = ("pool", "")
"""The holder of the one account of a pooled budget."""


def encode_window(window: Window) -> str:
    """Write a window as a JSON array: `["lifetime"]`, `["every",length,anchor]`, `["calendar",unit,zone]`."""
    return msgspec.json.encode(_parts(window)).decode()


def _parts(window: Window) -> tuple[object, ...]:
    match window:
        case Lifetime():
            return ("lifetime",)
        case Every(length_ms, anchor_ms):
            return ("every", length_ms, anchor_ms)
        case Calendar(unit, zone):
            return ("calendar", unit, zone)


def decode_window(text: str) -> Window:
    """Read what `encode_window` wrote."""
    kind, *values = msgspec.json.decode(text, type=list[object])
    if kind == "lifetime":
        return Lifetime()
    if kind == "every":
        return Every(*msgspec.convert(values, tuple[int, int]))
    if kind == "calendar":
        return Calendar(*msgspec.convert(values, tuple[CalendarUnit, str]))
    raise StoreError(f"a budget has a window of kind {kind!r}, which this otari does not know")


def insert(con: Connection, budget: Budget) -> None:
    """Add a budget; an id that is there already is an `IntegrityError`."""
    window, enforced, pooled = encode_window(budget.window), int(budget.enforced), int(budget.pooled)
    con.execute(
        sql.BUDGET_ADD,
        (budget.id, budget.name, budget.limit, window, enforced, pooled, budget.created_ms),
    )


def everything(session: Session) -> list[Budget]:
    """All budgets that are not deleted, oldest first."""
    found = session.entities.Budget.select()[:]
    living = [_budget(row) for row in found if row.deleted_ms is None]
    return sorted(living, key=lambda budget: (budget.created_ms, budget.id))


def update(con: Connection, budget: Budget) -> bool:
    """Write name, limit, window and mode of a budget; False if there is none of that id."""
    values = (budget.name, budget.limit, encode_window(budget.window), int(budget.enforced), budget.id)
    return con.execute(sql.BUDGET_SET, values).rowcount == 1


def delete(con: Connection, budget_id: str, at_ms: int) -> list[Holder]:
    """Delete a budget unless it is assigned; return up to 100 holders that stand in the way."""
    rows = con.execute(sql.BUDGET_REFERRERS, (budget_id,)).fetchall()
    if not rows:
        con.execute(sql.BUDGET_DELETE, (at_ms, budget_id))
    return [Holder(HolderKind(kind), holder_id) for kind, holder_id in rows]


def assign(
    con: Connection, budget_id: str, holder: Holder, account_id: int, now_ms: int
) -> Assignment | None:
    """Apply a budget to a holder; None if there is no such budget.

    `account_id` is used if the holder (or the pool) has no account under this budget yet. An account is
    never left behind: what was spent under it counts again when the holder comes back.
    """
    row = con.execute(sql.BUDGET_POOLED, (budget_id,)).fetchone()
    if row is None:
        return None
    owner = POOL if row[0] else (holder.kind.value, holder.id)
    found = con.execute(sql.ACCOUNT_FIND, (budget_id, *owner)).fetchone()
    if found is None:
        con.execute(sql.ACCOUNT_ADD, (account_id, budget_id, *owner))
    else:
        account_id = found[0]
    con.execute(sql.ASSIGNMENT_ADD, (budget_id, holder.kind.value, holder.id, account_id, now_ms))
    return Assignment(budget_id, holder, account_id)


def unassign(con: Connection, budget_id: str, holder: Holder) -> bool:
    """Take a budget off a holder; False if it was not on it."""
    return con.execute(sql.ASSIGNMENT_DELETE, (budget_id, holder.kind.value, holder.id)).rowcount == 1


def assignments(session: Session) -> list[Assignment]:
    """Every budget on every holder."""
    return [
        Assignment(budget_id, Holder(HolderKind(kind), holder_id), account_id)
        for budget_id, kind, holder_id, account_id in session.con.execute(sql.ASSIGNMENTS)
    ]


def _budget(row: Any) -> Budget:
    limit = None if row.limit_n is None else Nano(row.limit_n)
    window = decode_window(row.window)
    return Budget(row.id, row.name, limit, window, row.created_ms, row.enforced, row.pooled)
