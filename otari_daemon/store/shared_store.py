"""The store of a daemon that shares its database with others."""

from __future__ import annotations

from otari_daemon.domain.records import RecoveredHold
from otari_daemon.domain.shared_book import SharedBook
from otari_daemon.store import nodes, recovery, spare
from otari_daemon.store.engines import open_database, open_shared, reading
from otari_daemon.store.migrate import migrate, status
from otari_daemon.store.shared_fold import SharedFolds
from otari_daemon.store.store import Store
from otari_daemon.store.writer import Writer


class SharedStore(Store):
    """`Store` of one of several nodes: its epoch has a row in `node`; the dead are swept, not recovered."""

    @classmethod
    def open(cls, url: str, *, now_ms: int, spare_bytes: int = spare.FLOOR_BYTES) -> SharedStore:
        """Open and check what `url` names beside other nodes; a schema to be made anew needs it alone."""
        database = open_shared(url)
        try:
            with reading(url) as con:
                now, newest = status(con)
            if now < newest:
                database.close()
                _migrated_alone(url, now_ms)
                database = open_shared(url)
            with database.explained():
                database.map()
        except BaseException:
            database.close()
            raise
        return cls(database, spare_bytes)

    @property
    def epoch(self) -> int:
        """The number that names this node."""
        return self._epoch

    def begin_epoch(self) -> int:
        """Join the nodes, durably."""
        with self._database.explained(), self._database.transaction() as con:
            self._epoch = nodes.join(con)
        return self._epoch

    def recover(self, epoch: int, now_ms: int) -> list[RecoveredHold]:  # noqa: ARG002 - as `Store` has it
        """Nothing: earlier epochs may be alive; those that are not are swept."""
        return []

    def load_book(self, epoch: int) -> SharedBook:
        """The book as the rows have it, with nothing leased."""
        with self._database.explained(), self._database.snapshot() as session:
            return SharedBook(recovery.first_bundle_id(epoch), recovery.load_accounts(session.con))

    def _new_writer(self) -> Writer:
        return Writer(self._database, self._epoch, fold=SharedFolds())


def _migrated_alone(url: str, now_ms: int) -> None:
    database = open_database(url)
    try:
        with database.explained():
            migrate(database, now_ms)
    finally:
        database.close()
