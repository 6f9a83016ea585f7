"""What the store asks of a database, whichever engine it is.

The rest of the store sees connections, transactions and three kinds of failure; `engines` has the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from otari_daemon.store.errors import StoreError

MARK_EPOCH_BITS = 32
"""A batch's mark is the daemon's epoch, shifted by this, and its number in that epoch."""


class Counted(Protocol):
    """What came of many statements."""

    @property
    def rowcount(self) -> int:
        """Rows changed by all of them together."""


class Cursor(Counted, Protocol):
    """What came of one statement."""

    def fetchone(self) -> Any:
        """The next row as a tuple; None after the last."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Row after row."""


class Connection(Protocol):
    """Runs the constants of `sql`, written for SQLite; an engine that needs other words finds them itself."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, failed or not."""

    def execute(self, statement: str, values: Any = (), /) -> Cursor:
        """Run one statement, with values for its marks in order, or by name."""

    def executemany(self, statement: str, rows: Iterable[Any], /) -> Counted:
        """Run one statement for every row of values."""


def _never(error: Exception) -> bool:  # noqa: ARG001 - a `Session.damaged`
    return False


class Session(NamedTuple):
    """One reading transaction: a connection for SQL, and Pony's entities by name for simple reads.

    `damaged` says of an error of the engine whether the database itself is to blame.
    """

    con: Connection
    entities: Any
    damaged: Callable[[Exception], bool] = _never


class Database(Protocol):
    """An open database, held against every other daemon. One thread at a time writes; many read."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """One writing transaction, as long as it takes; it has committed when the block is left."""

    def batch(self, mark: int) -> AbstractContextManager[Connection]:
        """One writing transaction of the running ledger, which `applied` can recognize by its mark.

        Raises `CommitInDoubt` when the commit was sent and its answer never came.
        """

    def applied(self, mark: int) -> bool:
        """Whether the batch of that mark, the last one tried, has committed."""

    def snapshot(self) -> AbstractContextManager[Session]:
        """One reading transaction on this thread's connection: every query in it sees the same moment."""

    def map(self) -> None:
        """Declare the entities; the schema must be current."""

    def explained(self) -> AbstractContextManager[None]:
        """Turn whatever the engine or the system raises inside into one line for the operator."""

    def judged(self, error: Exception) -> StoreError:
        """What a failed transaction means: `StoreUnavailable` passes, `LedgerCorrupt` does not."""

    def ends_transaction(self, error: Exception) -> bool:
        """Whether an error is the engine's, not the statement's: the whole transaction is lost with it."""

    def prepare(self) -> None:
        """Make the first commit as cheap and as sure as every later one."""

    def keep(self, name: str) -> None:
        """Keep a copy of a database that is about to be migrated, where the engine has no other way back."""

    def checkpoint(self) -> None:
        """Move what the log holds to its place, where that is ours to do."""

    def watch(self) -> None:
        """Cut off a statement of the running ledger that has had no answer for too long; from any thread."""

    def release_thread(self) -> None:
        """Leave the writing connection to the thread that asks next."""

    def free_bytes(self) -> int:
        """Disk space that is left for this database, as far as this machine can know."""

    def wal_bytes(self) -> int:
        """The size of the log that grows beside it on this machine."""

    def interrupt_reads(self) -> None:
        """Make running reads fail soon."""

    def close(self) -> None:
        """Close every connection of every thread and give the database up."""
