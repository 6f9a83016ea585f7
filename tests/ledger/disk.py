"""The real statements on a database of either engine, behind the same verbs as the model."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import psycopg2

from otari_daemon.domain.book import Balance, BalanceKey, Book, Entry
from otari_daemon.domain.budgets import Budget
from otari_daemon.domain.records import Progress, RecoveredHold
from otari_daemon.store import adjustments, budgets, recovery, sql_copy
from otari_daemon.store.cells import KnownSeries
from otari_daemon.store.database import Connection, Session
from otari_daemon.store.engines.postgres_connection import PostgresConnection
from otari_daemon.store.fold import Cards, Fold
from otari_daemon.store.schema import REVISIONS
from otari_daemon.store.verify import verify
from tests.ledger.model import Amounts, require
from tests.ledger.support import add_budgets

EMPTIED = tuple(table for table in reversed(sql_copy.READ) if table != "meta")
"""Tables to be empty before a history, those that refer to others first."""


def connect() -> sqlite3.Connection:
    """An empty database in memory with our tables."""
    con = sqlite3.connect(":memory:", isolation_level=None)
    con.execute("PRAGMA foreign_keys=ON")
    _define(con)
    return con


def connect_server(url: str) -> PostgresConnection:
    """An empty database of a server with our tables, by the connection that the daemon writes with."""
    con = PostgresConnection(psycopg2.connect(url))
    con.raw.autocommit = True
    _define(con)
    return con


def _define(con: Connection) -> None:
    for revision in REVISIONS:
        for statement in revision.statements:
            con.execute(statement)


class RealDisk:
    """Fold, recovery, loading and verify as the daemon uses them; one transaction a batch."""

    fold: type[Fold] = Fold

    def __init__(self, made: list[Budget], con: Connection) -> None:
        self._con, self._epoch, self._cards, self._batches = con, 0, Cards(), 0
        con.execute("BEGIN")
        for table in EMPTIED:
            con.execute(f"DELETE FROM {table}")
        con.execute("UPDATE meta SET value = 0 WHERE name = 'epoch'")
        add_budgets(con, *made)
        con.execute("COMMIT")

    def set_budget(self, number: int, budget: Budget) -> None:
        """Replace the budget of account `number`."""
        require(budgets.update(self._con, budget), f"the budget of account {number} is there")

    def apply(self, entries: Sequence[Entry | Progress]) -> None:
        """Commit a batch, at the second attempt every other time, then prove the rows."""
        fold = self.fold(entries, self._epoch, self._cards)
        self._batches += 1
        for end in ("ROLLBACK", "COMMIT")[self._batches % 2 :]:
            self._con.execute("BEGIN")
            fold.run(self._con)
            fold.report(self._con, KnownSeries())
            self._con.execute(end)
        fold.committed()
        self.check()

    def check(self) -> None:
        """Every rule, from the rows alone."""
        report = verify(Session(self._con, None))
        require(report.clean, f"verify: {report.findings[:3]}")

    def amounts(self) -> dict[BalanceKey, Amounts]:
        """Posted, held and overage by balance."""
        rows = self._con.execute(
            "SELECT account_id, period_start_ms, posted_n, pending_n, overage_n FROM balance"
        )
        return {BalanceKey(*row[:2]): row[2:] for row in rows}

    def charged(self) -> dict[bytes, int | None]:
        """Every hold's whole charge; None while open."""
        rows = self._con.execute(
            "SELECT h.rid, h.state, h.posted_n, h.overage_n, coalesce(sum(a.amount_n), 0) FROM hold h "
            "LEFT JOIN adjustment a ON a.rid = h.rid GROUP BY h.rid, h.state, h.posted_n, h.overage_n"
        )
        return {rid: None if state < 2 else sum(amounts) for rid, state, *amounts in rows}

    def drawn(self, rid: bytes) -> list[tuple[Balance, int, int]]:
        """What a closed request has drawn, with each balance as stored."""
        found = adjustments.standing(Session(self._con, None), [rid])
        return [tuple(leg) for leg in found[rid].legs]  # type: ignore[misc]  # three fields each

    def restart(self, now_ms: int) -> tuple[int, Book, list[RecoveredHold]]:
        """Begin an epoch, close the holds of the dead one, load the book."""
        self._epoch = recovery.begin_epoch(self._con)
        self._con.execute("BEGIN")
        closed = recovery.recover(self._con, self._epoch, now_ms)
        self._con.execute("COMMIT")
        self.check()
        self._cards = Cards()
        return self._epoch, recovery.load_book(self._con, self._epoch), closed
