"""The engines that can hold the ledger, by the URL that names a database."""

from __future__ import annotations

from otari_daemon.store.database import Database
from otari_daemon.store.engines.sqlite import SqliteDatabase
from otari_daemon.store.errors import StoreError

POSTGRES = ("postgresql://", "postgres://")


def open_database(url: str) -> Database:
    """Open what `url` names and hold it against other daemons; raise `StoreError` with one clear line."""
    if not url.startswith(POSTGRES):
        return SqliteDatabase(url)
    try:
        from otari_daemon.store.engines.postgres import PostgresDatabase  # its driver is an extra
    except ImportError as error:
        raise StoreError("PostgreSQL needs a driver: pip install 'otari-gateway[postgres]'") from error
    return PostgresDatabase(url)
