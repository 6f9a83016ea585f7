"""What a new daemon does with the books of the last one, before it serves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from otari_daemon.domain.book import Account, Balance, BalanceKey, Book
from otari_daemon.domain.grains import HOUR_MS
from otari_daemon.domain.money import Nano
from otari_daemon.domain.pricing import Rates, charge
from otari_daemon.domain.records import Reason, RecoveredHold
from otari_daemon.domain.usage import NOTHING, Usage
from otari_daemon.domain.windows import Period
from otari_daemon.store import raises, sql
from otari_daemon.store.budgets import decode_on_exceed, decode_window
from otari_daemon.store.cells import Cells, KnownSeries, Series, tokens_of
from otari_daemon.store.database import Connection
from otari_daemon.store.errors import LedgerCorrupt
from otari_daemon.store.schema import PRESUMED, SENT, UNSET, UNSET_REF, VOIDED

BUNDLES_PER_EPOCH_BITS = 32
_RATES = slice(7, 7 + len(Usage._fields))
_FACTS = slice(_RATES.stop, None)
"""Where a row of `sql.ORPHANS` has these."""


class _Orphan(NamedTuple):
    rid: bytes
    bundle_id: int
    state: int
    held: int
    prompt: int
    progress: int
    card: int


def begin_epoch(con: Connection) -> int:
    """Count this start of a daemon; the number is above every one before it."""
    return int(con.execute(sql.EPOCH_NEXT).fetchone()[0])


def recover(con: Connection, epoch: int, now_ms: int) -> list[RecoveredHold]:
    """Close every hold of earlier epochs, and take back what they leased; nobody else is alive."""
    closed = close(con, con.execute(sql.ORPHANS, (epoch,)).fetchall(), now_ms)
    for account_id, start_ms, idle in con.execute(sql.LEASES_LEFT, (epoch,)).fetchall():
        con.execute(sql.BALANCE_MOVE, (0, None, -idle, 0, 0, 0, account_id, start_ms))
    con.execute(sql.LEASES_FORGET, (epoch,))
    con.execute(sql.NODES_FORGET, (epoch,))
    return closed


def close(con: Connection, orphans: Sequence[tuple[Any, ...]], now_ms: int) -> list[RecoveredHold]:
    """Close the holds of `sql.ORPHANS`: never sent, voided; sent, posted at what its progress shows."""
    closed: list[RecoveredHold] = []
    rows: list[tuple[object, ...]] = []
    cells = Cells()
    legs: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row in orphans:
        orphan, usage = _Orphan(*row[:7]), _presumed(row)
        posted = min(orphan.held, charge(usage, _rates(orphan, row[_RATES]))) if orphan.state == SENT else 0
        state = PRESUMED if orphan.state == SENT else VOIDED
        rows.append(
            (
                None,
                state,
                posted,
                0,
                now_ms,
                *usage,
                usage.output,
                int(Reason.CRASH),
                0,
                0,
                0,
                UNSET_REF,
                orphan.rid,
            )
        )
        cells.add(*_counted(row[_FACTS], usage, posted))
        moves = legs[orphan.bundle_id]
        moves[0] -= orphan.held
        moves[1] += posted
        closed.append(RecoveredHold(orphan.rid, Nano(orphan.held), Nano(posted)))
    if rows:
        con.executemany(sql.HOLD_SETTLE, rows)
        cells.run(con, KnownSeries())
    for bundle_id, (pending, posted) in legs.items():
        _move(con, bundle_id, pending, posted)
    return closed


def _presumed(row: tuple[int, ...]) -> Usage:
    _, _, state, _, prompt, progress, *_ = row
    if state != SENT:
        return NOTHING
    return Usage(input=prompt, output=0 if progress == UNSET else progress, requests=1)


def _counted(facts: tuple[Any, ...], usage: Usage, posted: int) -> tuple[int, Series, tuple[int, ...]]:
    key, user, created_ms, endpoint, model, provider, tags = facts
    series = Series(key, user, model, provider, endpoint, 0, tags)
    return created_ms // HOUR_MS, series, (1, *tokens_of(usage), posted, 0)


def _rates(orphan: _Orphan, rates: tuple[int | None, ...]) -> Rates:
    known = [rate for rate in rates if rate is not None]
    if len(known) != len(rates):
        raise LedgerCorrupt(f"hold {orphan.rid.hex()} names rate card {orphan.card}, which is not there")
    return Rates(known)


def _move(con: Connection, bundle_id: int, pending: int, posted: int) -> None:
    if bundle_id == 0:
        return
    legs = con.execute(sql.BUNDLE_LEGS, (bundle_id,)).fetchall()
    if not legs:
        raise LedgerCorrupt(f"open holds name bundle {bundle_id}, which is not there")
    con.executemany(sql.BALANCE_MOVE, [(0, None, pending, posted, 0, 0, *leg) for leg in legs])


def load_book(con: Connection, epoch: int) -> Book:
    """The book as the rows have it: every account with its newest balance, bundle ids above all used ones."""
    return Book(first_bundle_id(epoch), load_accounts(con))


def first_bundle_id(epoch: int) -> int:
    """The first of an epoch's own bundle ids."""
    return (epoch << BUNDLES_PER_EPOCH_BITS) | 1


def load_accounts(con: Connection) -> dict[int, Account]:
    """Every account with its newest balance."""
    accounts: dict[int, Account] = {}
    raised = raises.by_budget(con)
    for account_id, budget_id, name, limit, window, enforced, on_exceed in con.execute(sql.ACCOUNTS):
        accounts[account_id] = Account(
            account_id,
            budget_id,
            name,
            limit,
            decode_window(window),
            bool(enforced),
            on_exceed=decode_on_exceed(on_exceed),
            raises=raised.get(budget_id, ()),
        )
    for account_id, start_ms, posted, pending, overage, acknowledged in con.execute(sql.LATEST_BALANCES):
        account = accounts[account_id]
        account.period = Period(start_ms, account.window.period(start_ms).end_ms)
        key = BalanceKey(account_id, start_ms)
        account.balance = Balance(key, Nano(posted), Nano(pending), Nano(overage), Nano(acknowledged))
    return accounts
