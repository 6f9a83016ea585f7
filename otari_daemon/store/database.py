"""One SQLite database: its file and lock, its connections through Pony, and what its errors mean.

Engine specifics end here: the rest of the store sees connections, transactions and three kinds of failure.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pony.orm import Database as PonyDatabase
from pony.orm import db_session

from otari_daemon.store import entities, sql
from otari_daemon.store.errors import LedgerCorrupt, StoreError, StoreUnavailable

Connection = sqlite3.Connection

SQLITE_MIN = (3, 37, 0)
"""The first version with STRICT tables."""

CHECKED_BYTES_MAX = 64 << 20
"""Files up to this size are checked page by page at every start; `verify` checks any size."""

_PASSING = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_INTERRUPT,
    )
)
_DAMAGED = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))


class Session(NamedTuple):
    """One reading transaction: a connection for SQL, and Pony's entities by name for simple reads."""

    con: Connection
    entities: Any


class Database:
    """A locked database file and its two kinds of connection, one of each per thread that asks."""

    def __init__(self, url: str) -> None:
        self.path = _path_of(url)
        if sqlite3.sqlite_version_info < SQLITE_MIN:
            raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: otari needs 3.37 or newer")
        self._lock = _lock(self.path)
        self._roles: list[_Role] = []
        try:
            with explained(self.path):
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
                self._writer = self._role(sql.WRITER_PRAGMAS)
                self._reader = self._role(sql.READER_PRAGMAS)
                self._check()
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One writing transaction on this thread's connection; it has committed when the block is left."""
        with db_session(immediate=True, optimistic=False):
            yield self._writer.pony.get_connection()

    def map(self) -> None:
        """Declare the entities; the schema must be current."""
        entities.define(self._reader.pony)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Session]:
        """One reading transaction on this thread's connection: every query in it sees the same moment."""
        with self._reader.idle() as con:
            con.execute(sql.BEGIN)
            try:
                yield Session(con, self._reader.pony)
            finally:
                con.rollback()

    def grow_wal(self) -> None:
        """Give the write-ahead log its working size now, so that a full disk later stops no settlement.

        The pages spill into the log and are rolled back: the log keeps its length, the database is as before.
        """
        with self._writer.idle() as con:
            con.execute(sql.SMALL_CACHE)
            con.execute(sql.BEGIN_IMMEDIATE)
            for statement in sql.GROW_WAL:
                con.execute(statement)
            con.execute(sql.ROLLBACK)
            con.execute(sql.USUAL_CACHE)

    def backup(self, name: str) -> None:
        """Copy the database, whole and consistent, to a file beside it; replaces an older one."""
        partial = self.path.with_name(f"{self.path.name}.{name}.partial")
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with self._writer.idle() as con:
            con.execute(sql.BACKUP, (str(partial),))
        partial.replace(self.path.with_name(f"{self.path.name}.{name}"))

    def checkpoint(self) -> None:
        """Copy what the write-ahead log holds into the database file; the log keeps its size."""
        with self._writer.idle() as con:
            con.execute(sql.CHECKPOINT).fetchall()

    def release_thread(self) -> None:
        """Close this thread's writing connection; the next transaction opens another."""
        self._writer.pony.disconnect()

    def free_bytes(self) -> int:
        """Disk space that is left for this database."""
        return shutil.disk_usage(self.path.parent).free

    def wal_bytes(self) -> int:
        """The size of the write-ahead log."""
        with contextlib.suppress(FileNotFoundError):
            return self.path.with_name(self.path.name + "-wal").stat().st_size
        return 0

    def interrupt_reads(self) -> None:
        """Make running reads fail soon."""
        self._reader.interrupt()

    def close(self) -> None:
        """Close every connection of every thread and give up the lock."""
        for role in self._roles:
            role.close()
        os.close(self._lock)

    def _role(self, pragmas: tuple[tuple[str, str, int], ...]) -> _Role:
        role = _Role(self.path, pragmas)
        self._roles.append(role)
        return role

    def _check(self) -> None:
        if self.path.stat().st_size > CHECKED_BYTES_MAX:
            return
        with self.snapshot() as session:
            verdict = session.con.execute(sql.QUICK_CHECK).fetchone()[0]
        if verdict != "ok":
            raise StoreError(f"the database {self.path} is damaged: {verdict}; restore a backup")


class _Role:
    """A Pony database whose connections are all set up alike: the writer's or the readers'."""

    def __init__(self, path: Path, pragmas: tuple[tuple[str, str, int], ...]) -> None:
        self.pony = PonyDatabase()
        self._pragmas = pragmas
        self._thread = threading.local()
        self._all: list[Connection] = []
        self.pony.on_connect(provider="sqlite")(lambda _, con: self._connected(con))  # it must be a function
        self.pony.bind("sqlite", str(path), create_db=False, check_same_thread=False)

    @contextlib.contextmanager
    def idle(self) -> Iterator[Connection]:
        """This thread's connection, outside of any transaction."""
        with db_session:
            self.pony.select(
                sql.NOTHING
            )  # connects the thread if need be; Pony's execute() would begin to write
            yield self._thread.con

    def interrupt(self) -> None:
        """Stop what the connections of all threads are doing."""
        for con in self._all:
            con.interrupt()

    def close(self) -> None:
        """Close the connections of all threads."""
        for con in self._all:
            con.close()

    def _connected(self, con: Connection) -> None:
        con.text_factory = str
        try:
            _configure(con, self._pragmas)
        except BaseException:
            if self.pony.provider is None:
                con.close()
            else:
                self.pony.provider.pool.drop(con)  # or Pony would hand it out again, half set up
            raise
        self._all.append(con)
        self._thread.con = con


def _path_of(url: str) -> Path:
    prefix = "sqlite:///"
    path = Path(url.removeprefix(prefix))
    if not url.startswith(prefix) or not path.is_absolute():
        raise StoreError(
            "the database must be named like sqlite:////var/lib/otari/otari.db, with a whole path"
        )
    return path.resolve()


def _lock(path: Path) -> int:
    with explained(path):
        descriptor = os.open(
            path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreError(
            f"another otari daemon is using {path}: stop it, or choose another database"
        ) from None
    return descriptor


def _configure(con: Connection, pragmas: tuple[tuple[str, str, int], ...]) -> None:
    if con.execute(sql.WAL).fetchone()[0] != "wal":
        raise StoreError("the database cannot use a write-ahead log here: put it on a local disk")
    for setting, question, wanted in (*sql.PRAGMAS, *pragmas):
        con.execute(setting)
        found = con.execute(question).fetchone()[0]
        if found != wanted:
            raise StoreError(f"SQLite answered {found} to {question}, not {wanted}")


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn whatever the engine or the system raises while opening into one line for the operator."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"the database {path} cannot be opened: {error.strerror}") from error
    except UnicodeDecodeError as error:  # SQLite quotes the damaged schema in its message
        raise StoreError(f"the database {path} is damaged: restore a backup") from error
    except Exception as error:
        cause = sqlite_error(error)
        if cause is None:
            raise
        raise StoreError(f"the database {path} cannot be used: {cause}") from error


def sqlite_error(error: BaseException) -> sqlite3.Error | None:
    """The engine's own error inside what Pony raised, if there is one."""
    for _ in range(8):  # wrappers nest two deep
        if isinstance(error, sqlite3.Error):
            return error
        inner = getattr(error, "original_exc", None) or getattr(error, "exceptions", None) or error.__cause__
        if isinstance(inner, list):
            inner = inner[0][1]
        if not isinstance(inner, BaseException):
            return None
        error = inner
    return None


def ends_transaction(error: Exception) -> bool:
    """Whether an error is the engine's rather than the statement's: the whole transaction is lost with it."""
    return isinstance(error, sqlite3.Error) and _code(error) & 0xFF in _PASSING | _DAMAGED


def damaged(error: sqlite3.Error) -> bool:
    """Whether an error says that the file itself is not sound."""
    return _code(error) & 0xFF in _DAMAGED


def judged(error: Exception) -> StoreError:
    """What a failed transaction means: `StoreUnavailable` passes, any other `StoreError` does not."""
    cause = sqlite_error(error)
    if cause is not None and _code(cause) & 0xFF in _PASSING:
        return StoreUnavailable(f"the database cannot be written: {cause}")
    if isinstance(error, StoreError):
        return error
    return LedgerCorrupt(f"the ledger cannot go on: {cause or error!r}")


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) or sqlite3.SQLITE_ERROR
