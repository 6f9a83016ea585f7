"""A whole ledger from one database into another, in one snapshot and one transaction, and compared."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from otari_daemon.domain.usage import Usage
from otari_daemon.store import sql_copy
from otari_daemon.store.database import Connection, Database, Session
from otari_daemon.store.engines import open_database, reading
from otari_daemon.store.engines.sqlite import fold_log
from otari_daemon.store.errors import StoreError
from otari_daemon.store.migrate import migrate
from otari_daemon.store.schema import REVISIONS
from otari_daemon.store.verify import Report, verify

_RATES = Usage._fields
SUMMED = {
    "budget": ("limit",),
    "price": _RATES,
    "balance": ("limit", "posted", "held", "overage", "acknowledged"),
    "lease": ("idle",),
    "rate_card": _RATES,
    "hold": ("held", "posted", "overage"),
    "budget_raise": ("amount",),
    "watched": ("last",),
    "adjustment": ("amount",),
    "adjustment_share": ("posted", "overage"),
    "usage_cell": ("cost by hour",),
}
"""What `sql_copy.TOTALS` sums up, in its order."""


class Totals(NamedTuple):
    """A table's rows and the sums of its money (nano-USD) and rates (pico-USD)."""

    table: str
    rows: int
    sums: tuple[int, ...]

    @property
    def text(self) -> str:
        """One line: the table, its rows, its sums by name."""
        sums = (f"{name} {total}" for name, total in zip(SUMMED.get(self.table, ()), self.sums, strict=True))
        return "  ".join((f"{self.table:<18}{self.rows:>10} rows", *sums))


class Copied(NamedTuple):
    """What arrived, table by table, and the proof of the books in their new place."""

    totals: tuple[Totals, ...]
    report: Report


def copy(source_url: str, target_url: str, now_ms: int) -> Copied:
    """Copy every row to a database that is empty or new; raises `StoreError`, and then nothing has changed.

    Both are held against daemons meanwhile.
    """
    with reading(source_url) as source:
        _require_current(source)
    held = open_database(source_url)
    try:
        return _copied(source_url, target_url, now_ms)
    finally:
        held.close()


def backup(source_url: str, file: Path, now_ms: int) -> Copied:
    """Copy the database of a daemon that may be serving to a new file: a SQLite database, whatever it was."""
    if file.exists():
        raise StoreError("the backup's file is there already: name another")
    partial = file.absolute().with_name(file.name + ".partial")
    partial.unlink(missing_ok=True)
    lock = partial.with_name(partial.name + ".lock")
    try:
        copied = _copied(source_url, f"sqlite:///{partial}", now_ms)
        fold_log(partial)
        os.link(partial, file)  # unlike a rename, it never replaces a file
    except FileExistsError as error:
        raise StoreError("the backup's file is there already: name another") from error
    finally:
        partial.unlink(missing_ok=True)
        lock.unlink(missing_ok=True)
    return copied


def restore(file: Path, target_url: str, now_ms: int) -> Copied:
    """Copy a backup into a database that is empty or new; no daemon may be using it."""
    return _copied(f"sqlite:///{file.absolute()}", target_url, now_ms)


def totals(con: Connection) -> tuple[Totals, ...]:
    """Rows and sums of every table."""
    found = ((table, con.execute(sql_copy.TOTALS[table]).fetchone()) for table in sql_copy.READ)
    return tuple(Totals(table, row[0], tuple(row[1:])) for table, row in found)


def _copied(source_url: str, target_url: str, now_ms: int) -> Copied:
    with reading(source_url) as source:
        _require_current(source)
        target = open_database(target_url)
        try:
            with target.explained():
                migrate(target, now_ms)
                expected = _fill(source, target)
            with target.snapshot() as session:
                report = verify(Session(session.con, None))
        finally:
            target.close()
    return Copied(expected, report)


def _fill(source: Connection, target: Database) -> tuple[Totals, ...]:
    with target.transaction() as con:
        if any(found.rows for found in totals(con) if found.table != "meta"):
            raise StoreError("the target has a ledger already: name an empty database")
        con.execute(sql_copy.FORGET_META)
        for table in sql_copy.READ:
            con.executemany(sql_copy.WRITE[table], source.execute(sql_copy.READ[table]))
        con.execute(sql_copy.RESUME_NUMBERS)
        expected, arrived = totals(source), totals(con)
        for wanted, found in zip(expected, arrived, strict=True):
            if wanted != found:
                raise StoreError(f"the copy is not the original: {found.text} where {wanted.text} was")
    return expected


def _require_current(source: Connection) -> None:
    found = dict(source.execute(sql_copy.REVISIONS).fetchall())
    if found != {revision.rev: revision.checksum for revision in REVISIONS}:
        raise StoreError("the source has another schema than this otari: run `otari db migrate` on it first")
