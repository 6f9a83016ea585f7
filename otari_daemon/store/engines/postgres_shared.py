"""A PostgreSQL database that several daemons write: each under its own row of `node`, which fences it.

The lock that one daemon alone would hold is held shared. A batch begins by marking its node's row: a node
that was declared dead has none, and commits nothing; one whose batch is under way is not declared dead.
"""

from __future__ import annotations

from otari_daemon.store import sql_shared
from otari_daemon.store.engines.postgres import PostgresDatabase
from otari_daemon.store.engines.postgres_connection import PostgresConnection


class SharedPostgresDatabase(PostgresDatabase):
    """`database.Database` for one of several nodes."""

    def _leave_mark(self, con: PostgresConnection, mark: int) -> bool:
        return con.say(sql_shared.MARK, (mark, mark >> 32)).rowcount == 1

    def _last_mark(self, con: PostgresConnection, epoch: int) -> int | None:
        """Waits for the transaction that left the mark: it holds the row until it has ended."""
        found = con.say(sql_shared.MARKED, (epoch,)).fetchone()
        return None if found is None else int(found[0])

    def _claim(self, con: PostgresConnection) -> bool:
        return bool(con.one_row(sql_shared.CLAIM)[0])
