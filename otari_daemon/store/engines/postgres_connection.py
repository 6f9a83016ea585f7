"""A connection to PostgreSQL that takes the store's statements, and can be cut off from another thread."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import psycopg2
from psycopg2 import extensions
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_UNKNOWN, new_type, register_type
from psycopg2.extras import execute_values

from otari_daemon.store import sql_postgres
from otari_daemon.store.engines.dialect import Many, translated, translated_many

ROWS_PER_STATEMENT = 4096
ROWS_PER_FETCH = 2000
_OUTSIDE = (TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_UNKNOWN)


def _whole(text: Any, _: object) -> int | None:
    """Sums of bigints come as numerics; nothing in the store has a fraction."""
    return None if text is None else int(text)


def _bytes(text: Any, _: object) -> bytes | None:
    """A bytea in the server's hexadecimal form."""
    return None if text is None else bytes.fromhex(text[2:])


_TYPES = (new_type((1700,), "WHOLE", _whole), new_type((17,), "BYTES", _bytes))


class Changed(NamedTuple):
    """How many rows a run of statements changed."""

    rowcount: int


class PostgresConnection:
    """`database.Connection` over psycopg2."""

    def __init__(self, raw: extensions.connection) -> None:
        for each in _TYPES:
            register_type(each, raw)
        self.raw = raw
        self.in_snapshot = False
        self._asked_s = 0.0

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, failed or not."""
        return self.raw.get_transaction_status() not in _OUTSIDE

    def execute(self, statement: str, values: Any = (), /) -> extensions.cursor:
        """Run a constant of `sql`."""
        cursor = self._cursor(statement)
        self._run(cursor, translated(statement), values)
        return cursor

    def say(self, text: str, values: tuple[object, ...] = ()) -> extensions.cursor:
        """Run a constant of `sql_postgres`, as it is."""
        return self._say(text, values)

    def one_row(self, text: str) -> tuple[Any, ...]:
        """The one row that a constant of `sql_postgres` answers with."""
        row = self._say(text, ()).fetchone()
        if row is None:
            raise psycopg2.InternalError("a question that always has an answer had none")
        return row

    def executemany(self, statement: str, rows: Iterable[Any], /) -> Changed:
        """Run a constant of `sql` for every row: some thousand rows to a statement where that can be."""
        many = translated_many(statement)
        if many is None:
            return Changed(sum(self.execute(statement, row).rowcount for row in rows))
        return Changed(sum(self._run_many(many, page) for page in _pages(rows)))

    def unanswered_s(self) -> float:
        """How long the statement that runs now has had no answer; 0 when none runs."""
        asked_s = self._asked_s
        return time.monotonic() - asked_s if asked_s else 0.0

    def cut(self) -> None:
        """Make whatever waits for the server fail at once; from any thread."""
        with (
            contextlib.suppress(psycopg2.Error, OSError),
            socket.socket(fileno=os.dup(self.raw.fileno())) as line,
        ):
            line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it, whatever state it is in."""
        with contextlib.suppress(psycopg2.Error):
            self.raw.close()

    def _run(self, cursor: extensions.cursor, text: str, values: Any) -> None:
        """Run one statement under the watch."""
        self._asked_s = time.monotonic()
        try:
            cursor.execute(text, values)
        except ValueError:  # a NUL, which text in this database cannot hold
            cursor.execute(text, without_nul(values))
        finally:
            self._asked_s = 0.0

    def _run_many(self, many: Many, page: Sequence[Any]) -> int:
        with self.raw.cursor() as cursor:
            self._asked_s = time.monotonic()
            try:
                execute_values(cursor, many.text, page, many.row, len(page))
            except ValueError:
                execute_values(cursor, many.text, [without_nul(row) for row in page], many.row, len(page))
            finally:
                self._asked_s = 0.0
            return cursor.rowcount

    def _say(self, text: str, values: tuple[object, ...]) -> extensions.cursor:
        cursor = self.raw.cursor()
        self._run(cursor, text, values)
        return cursor

    def _cursor(self, statement: str) -> extensions.cursor:
        if statement not in sql_postgres.STREAMED or not self.in_snapshot:
            return self.raw.cursor()
        cursor = self.raw.cursor("otari_stream_" + str(sql_postgres.STREAMED.index(statement)))
        cursor.itersize = ROWS_PER_FETCH
        return cursor


def without_nul(values: Any) -> Any:
    """Values with U+FFFD for every NUL in a text."""
    if isinstance(values, dict):
        return {name: _clean(value) for name, value in values.items()}
    return tuple(map(_clean, values))


def _clean(value: object) -> object:
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _pages(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    while page := list(islice(left, ROWS_PER_STATEMENT)):
        yield page
