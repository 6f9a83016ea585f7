"""A PostgreSQL database: one writing connection that also holds the lock, readers through Pony.

The lock lives in the writer's session, so whoever can commit holds it; a connection that is lost gives it
up when the server has finished what was sent on it. Whoever has it again therefore knows how that ended.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
from pony.orm import Database as PonyDatabase
from pony.orm import db_session
from psycopg2 import extensions

from otari_daemon.store import entities, sql, sql_postgres
from otari_daemon.store.database import MARK_EPOCH_BITS, Session
from otari_daemon.store.engines.postgres_connection import PostgresConnection
from otari_daemon.store.errors import CommitInDoubt, LedgerCorrupt, StoreError, StoreUnavailable

VERSION_MIN = 15_00_00
CONNECT_S = 5
RECONNECT_S = 0.5
"""Attempts to connect again begin at least this far apart."""

UNANSWERED_S = 3.0
"""How long the ledger waits for one answer before it gives the connection up."""

CLAIM_S = 2.0
CLAIM_PAUSE_S = 0.05
"""A daemon that was killed leaves its session behind for some milliseconds."""

_ALIVE = {
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
_EVERY_SESSION = (
    "-c timezone=UTC -c bytea_output=hex -c standard_conforming_strings=on -c lock_timeout=2000"
    " -c statement_timeout=30000 -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2"
    " -c tcp_keepalives_count=3"
)
_WRITER = " -c idle_in_transaction_session_timeout=15000"
_READER = " -c default_transaction_isolation=repeatable\\ read -c default_transaction_read_only=on"
_PASSING = ("08", "25P03", "40", "53", "55P03", "57", "58")
"""Codes, or classes of them, that say nothing about the rows."""

_READ_ONLY = "25006"
"""What a writer is told by a standby."""

_DAMAGED = ("XX001", "XX002")
_FREE_BYTES = 1 << 62


class PostgresDatabase:
    """`database.Database` on a server; the database is named by its URL and held by an advisory lock."""

    def __init__(self, url: str) -> None:
        self._parameters = _parameters(url)
        self.name = self._parameters.get("dbname", "")
        self._writer: PostgresConnection | None = None
        self._tried_s = float("-inf")
        self._cutting = threading.Lock()
        self._readers: list[PostgresConnection] = []
        self._thread = threading.local()
        self._pony = PonyDatabase()
        try:
            with self.explained():
                self._writer = self._claimed(CLAIM_S)
                self._pony.on_connect(provider="postgres")(lambda _, raw: self._reading(raw))
                self._pony.bind("postgres", **_session(self._parameters, _READER))
                self._pony.provider.should_reconnect = _passes
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[PostgresConnection]:
        """One writing transaction, as long as it takes."""
        con = self._connected()
        with self._undone(con):
            con.say(sql_postgres.BEGIN)
            con.say(sql_postgres.PATIENT)
            yield con
            self._commit(con)

    @contextlib.contextmanager
    def batch(self, mark: int) -> Iterator[PostgresConnection]:
        """One writing transaction that leaves its mark, if the epoch is still the mark's."""
        con = self._connected()
        with self._undone(con):
            if not self._leave_mark(con, mark):
                raise _fenced()
            yield con
            self._commit(con)

    def applied(self, mark: int) -> bool:
        """Whether the last batch tried has committed: its session is over, or we had no lock again."""
        con = self._connected()
        with self._undone(con):
            found = self._last_mark(con, mark >> MARK_EPOCH_BITS)
        if found is None:
            raise _fenced()
        return found == mark

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Session]:
        """One read-only transaction at one moment, on this thread's connection."""
        with self._readable(), db_session:
            self._pony.select(sql.NOTHING)  # connects, or connects again, if need be
            self._pony.get_connection()  # from here on it is a transaction
            yield Session(self._thread.con, self._pony, _damaged)

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        """Say of a server that is away what is said of one that cannot be written."""
        try:
            yield
        except Exception as error:
            cause = _driver_error(error)
            if cause is None or not _passes(cause):
                raise
            raise StoreUnavailable(f"the database cannot be read: {_line(cause)}") from error

    def map(self) -> None:
        """Declare the entities; the schema must be current."""
        entities.define(self._pony)

    def prepare(self) -> None:
        """See that the writing connection is there."""
        self._connected()

    def keep(self, name: str) -> None:
        """Nothing: a revision that fails is undone whole; `otari db backup` makes copies."""

    def checkpoint(self) -> None:
        """Nothing: the server keeps its own log."""

    def watch(self) -> None:
        """Cut the writing connection when a statement has had no answer for `UNANSWERED_S`."""
        with self._cutting:
            if self._writer is not None and self._writer.unanswered_s() > UNANSWERED_S:
                self._writer.cut()

    def release_thread(self) -> None:
        """Nothing: the connection may be used by one thread after the other."""

    def free_bytes(self) -> int:
        """More than anybody asks for: a server that is full refuses the commit, and that stops admissions."""
        return _FREE_BYTES

    def wal_bytes(self) -> int:
        """0: the log is the server's."""
        return 0

    def interrupt_reads(self) -> None:
        """Cut the readers' connections; they are made again when they are needed."""
        for con in self._readers:
            con.cut()

    def close(self) -> None:
        """Close every connection; the lock goes with the writer's."""
        for con in (*self._readers, *([] if self._writer is None else [self._writer])):
            con.close()

    def explained(self) -> contextlib.AbstractContextManager[None]:
        """Turn what the driver raises into one line that names the database."""
        return _explained(self.name)

    def judged(self, error: Exception) -> StoreError:
        """What a failed transaction means."""
        if isinstance(error, StoreError):
            return error
        cause = _driver_error(error)
        if cause is not None and (_passes(cause) or cause.pgcode == _READ_ONLY):
            return StoreUnavailable(f"the database cannot be written: {_line(cause)}")
        return LedgerCorrupt(f"the ledger cannot go on: {_line(cause) if cause else repr(error)}")

    def ends_transaction(self, error: Exception) -> bool:
        """Whether the engine failed, rather than the statement."""
        return isinstance(error, psycopg2.Error) and (_passes(error) or error.pgcode in _DAMAGED)

    def _leave_mark(self, con: PostgresConnection, mark: int) -> bool:
        """Begin, and leave the batch's mark; False if the epoch is not ours any more."""
        return con.say(sql_postgres.MARK, (mark, mark >> MARK_EPOCH_BITS)).rowcount == 1

    def _last_mark(self, con: PostgresConnection, epoch: int) -> int | None:
        """The mark of an epoch's last batch; None if the epoch is over."""
        found, now = con.one_row(sql_postgres.MARKED)
        return int(found) if now == epoch else None

    def _claim(self, con: PostgresConnection) -> bool:
        """Try to take the database's lock."""
        return bool(con.one_row(sql_postgres.CLAIM)[0])

    def _commit(self, con: PostgresConnection) -> None:
        try:
            done = con.say(sql_postgres.COMMIT).statusmessage
        except psycopg2.Error as error:
            if error.pgcode is None or error.pgcode.startswith(("08", "57P")):
                raise CommitInDoubt(f"the database did not answer a commit: {_line(error)}") from error
            raise
        if done != "COMMIT":
            raise LedgerCorrupt("the database rolled a batch back where it was to commit")

    @contextlib.contextmanager
    def _undone(self, con: PostgresConnection) -> Iterator[None]:
        """Roll back what an error leaves open; give a connection up that no longer works."""
        try:
            yield
        except BaseException:
            try:
                if con.in_transaction:
                    con.say(sql_postgres.ROLLBACK)
            except psycopg2.Error:
                con.cut()
            if con.raw.closed or con.raw.get_transaction_status() != extensions.TRANSACTION_STATUS_IDLE:
                self._drop(con)
            raise

    def _drop(self, con: PostgresConnection) -> None:
        with self._cutting:
            con.close()
            self._writer = None

    def _connected(self) -> PostgresConnection:
        """The writing connection; a lost one is made again, at most every `RECONNECT_S`."""
        if self._writer is None or self._writer.raw.closed:
            if time.monotonic() - self._tried_s < RECONNECT_S:
                raise StoreUnavailable("the database cannot be written: the connection is lost")
            self._tried_s = time.monotonic()
            found = self._claimed(0)
            with self._cutting:
                self._writer = found
        return self._writer

    def _claimed(self, within_s: float) -> PostgresConnection:
        """A new writing connection that holds the database's lock."""
        con = PostgresConnection(psycopg2.connect(**_session(self._parameters, _WRITER)))
        try:
            con.raw.autocommit = True
            _configure(con)
            deadline_s = time.monotonic() + within_s
            while not self._claim(con):
                if time.monotonic() >= deadline_s:
                    raise _taken(self.name, within_s)
                time.sleep(CLAIM_PAUSE_S)
        except BaseException:
            con.close()
            raise
        return con

    def _reading(self, raw: extensions.connection) -> None:
        con = PostgresConnection(raw)
        con.in_snapshot = True
        self._readers = [each for each in self._readers if not each.raw.closed]
        self._readers.append(con)
        self._thread.con = con


@contextlib.contextmanager
def reading(url: str) -> Iterator[PostgresConnection]:
    """One reading transaction on a database that a daemon may be using."""
    parameters = _parameters(url)
    with _explained(parameters.get("dbname", "")):
        con = PostgresConnection(psycopg2.connect(**_session(parameters, _READER)))
        con.in_snapshot = True
        try:
            yield con
        finally:
            con.close()


def _session(parameters: dict[str, Any], options: str) -> dict[str, Any]:
    own = parameters.get("options", "")
    return {**parameters, "options": f"{_EVERY_SESSION}{options} {own}".strip()}


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        cause = _driver_error(error)
        if cause is None:
            raise
        raise StoreError(f"the database {name} cannot be used: {_line(cause)}") from error


def _parameters(url: str) -> dict[str, Any]:
    try:
        given = extensions.parse_dsn(url)
    except psycopg2.ProgrammingError as error:
        raise StoreError("the database URL is not one that PostgreSQL's library understands") from error
    usual = {"application_name": "otari", "connect_timeout": str(CONNECT_S), **_ALIVE}
    return {**usual, **given, "client_encoding": "UTF8"}


def _configure(con: PostgresConnection) -> None:
    synchronous, version = con.one_row(sql_postgres.SESSION)
    if int(version) < VERSION_MIN:
        raise StoreError("the PostgreSQL server is too old: otari needs version 15 or newer")
    if synchronous not in ("on", "remote_apply"):
        con.say(sql_postgres.SYNCHRONOUS)


def _taken(name: str, within_s: float) -> StoreError:
    message = f"another otari daemon is using the database {name}: stop it, or choose another database"
    return StoreError(message) if within_s else StoreUnavailable(message)


def _fenced() -> LedgerCorrupt:
    return LedgerCorrupt("another otari daemon has taken this database over: stop one of the two")


def _passes(error: psycopg2.Error) -> bool:
    if error.pgcode is None:  # the connection, not the server
        ended = type(error) is psycopg2.DatabaseError  # what a server that dies in mid-answer is told as
        return ended or isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    return error.pgcode.startswith(_PASSING)


def _damaged(error: Exception) -> bool:
    cause = _driver_error(error)
    return cause is not None and cause.pgcode in _DAMAGED


def _driver_error(error: BaseException) -> psycopg2.Error | None:
    """The driver's own error inside what Pony raised, if there is one."""
    for _ in range(8):  # wrappers nest two deep
        if isinstance(error, psycopg2.Error):
            return error
        inner = getattr(error, "original_exc", None) or getattr(error, "exceptions", None) or error.__cause__
        if isinstance(inner, list):
            inner = inner[0][1]
        if not isinstance(inner, BaseException):
            return None
        error = inner
    return None


def _line(error: BaseException) -> str:
    """The first line of what the driver says; later ones quote rows."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
