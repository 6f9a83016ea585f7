"""What waits for the writer: journal entries, and functions to run between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from otari_daemon.domain.book import Entry
from otari_daemon.domain.records import Progress
from otari_daemon.store import sql
from otari_daemon.store.database import Connection, Database


class Post(NamedTuple):
    """Journal entries, who is told of their commit, and when they came."""

    entries: Sequence[Entry | Progress]
    done: Callable[[], None]
    at_s: float


class Write:
    """A function to run between posts, and what came of it."""

    __slots__ = ("args", "at_s", "error", "fn", "future", "result")

    def __init__(
        self, fn: Callable[..., Any], args: tuple[Any, ...], future: asyncio.Future[Any], at_s: float
    ):
        self.fn, self.args, self.future, self.at_s = fn, args, future, at_s
        self.result: Any = None
        self.error: Exception | None = None

    def run(self, con: Connection, database: Database) -> None:
        """Call the function in a savepoint; what it raises stays with it, unless the engine itself failed."""
        con.execute(sql.SAVEPOINT)
        try:
            self.result, self.error = self.fn(con, *self.args), None
        except Exception as error:
            if database.ends_transaction(error) or not con.in_transaction:
                raise
            con.execute(sql.ROLLBACK_TO)
            self.error = error
        con.execute(sql.RELEASE)

    def deliver(self) -> None:
        """Resolve the caller's future; on the event loop."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


Job = Post | Write
"""One turn in the queue."""
