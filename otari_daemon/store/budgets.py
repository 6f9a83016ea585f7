"""Budgets and their assignments in the database. A connection writes, a session reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from otari_daemon.domain.budgets import Assignment, Budget, Holder, HolderKind
from otari_daemon.domain.exceeding import OnExceed, parse_on_exceed
from otari_daemon.domain.money import Nano
from otari_daemon.domain.windows import Calendar, CalendarUnit, Every, Lifetime, Window
from otari_daemon.store import raises, sql
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
    values = (budget.id, budget.name, budget.limit, window, enforced, pooled, budget.created_ms)
    con.execute(sql.BUDGET_ADD, (*values, str(budget.on_exceed)))


def everything(session: Session) -> list[Budget]:
    """All budgets that are not deleted, oldest first; raises are left out."""
    return [_budget(row) for row in session.con.execute(sql.BUDGETS)]


def page(session: Session, skip: int, limit: int) -> list[Budget]:
    """Up to `limit` budgets that are not deleted after `skip` others, oldest first."""
    return [_raised(session, row) for row in session.con.execute(sql.BUDGET_PAGE, (limit, skip)).fetchall()]


def one(session: Session, budget_id: str) -> Budget | None:
    """A budget by id, unless it is deleted."""
    row = session.con.execute(sql.BUDGET_ONE, (budget_id,)).fetchone()
    return None if row is None else _raised(session, row)


def named(session: Session, name: str) -> list[Budget]:
    """Up to 100 budgets of a name that are not deleted, oldest first."""
    return [_raised(session, row) for row in session.con.execute(sql.BUDGETS_NAMED, (name,)).fetchall()]


def update(con: Connection, budget: Budget) -> bool:
    """Write what can change of a budget, its raises aside; False if there is none of that id."""
    window, on_exceed = encode_window(budget.window), str(budget.on_exceed)
    values = (budget.name, budget.limit, window, int(budget.enforced), on_exceed, budget.updated_ms)
    return con.execute(sql.BUDGET_SET, (*values, budget.id)).rowcount == 1


def open_periods(con: Connection, starts_ms: Mapping[int, int]) -> None:
    """Begin a period, with nothing spent, at a moment for each account."""
    con.executemany(sql.BALANCE_OPEN, starts_ms.items())


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


def decode_on_exceed(text: str) -> OnExceed:
    """Read what the column has."""
    try:
        return parse_on_exceed(text)
    except ValueError as error:
        raise StoreError(f"a budget has on_exceed {text!r}, which this otari does not know") from error


def _raised(session: Session, row: tuple[Any, ...]) -> Budget:
    return replace(_budget(row), raises=raises.of_budget(session.con, row[0]))


def _budget(row: tuple[Any, ...]) -> Budget:
    id, name, limit, window, created_ms, enforced, pooled, on_exceed, updated_ms = row
    return Budget(
        id,
        name,
        None if limit is None else Nano(limit),
        decode_window(window),
        created_ms,
        bool(enforced),
        bool(pooled),
        decode_on_exceed(on_exceed),
        updated_ms,
    )
