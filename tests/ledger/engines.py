"""An engine of either kind for histories: a database of its own, emptied between them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from otari_daemon.domain.budgets import Budget
from otari_daemon.store.database import Connection
from tests.ledger.disk import RealDisk, connect, connect_server
from tests.ledger.model import ModelDisk
from tests.postgres import cluster

ENGINES = ("sqlite", "postgresql")
SQLITE_EVERY = 50
"""One history in this many runs on the real statements of SQLite, the rest on the model."""

VACUUM_EVERY = 500
"""Histories after which a server's tables are swept: faster than truncating them for each."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One database; `every` so many seeds, a history runs on it."""

    con: Connection
    every: int
    sweep: Callable[[], object]

    def disk_of(self, seed: int) -> Callable[[list[Budget]], ModelDisk | RealDisk]:
        """Where the history of a seed is played."""
        if seed % self.every:
            return ModelDisk
        if seed % VACUUM_EVERY == 0:
            self.sweep()
        return self.disk

    def disk(self, made: list[Budget]) -> RealDisk:
        """The database, empty but for these budgets."""
        return RealDisk(made, self.con)


@contextlib.contextmanager
def opened(name: str) -> Iterator[Engine]:
    """A new engine by one of the names in `ENGINES`."""
    if name == "sqlite":
        with contextlib.closing(connect()) as con:
            yield Engine(con, SQLITE_EVERY, lambda: None)
    else:
        with contextlib.closing(connect_server(cluster().new_database())) as server:
            yield Engine(server, 1, lambda: server.execute("VACUUM"))
