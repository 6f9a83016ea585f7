"""The engines that can hold the ledger, by the URL that names a database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import ModuleType

from otari_daemon.store.database import Connection, Database
from otari_daemon.store.engines import sqlite
from otari_daemon.store.errors import StoreError

POSTGRES = ("postgresql://", "postgres://")


def open_database(url: str) -> Database:
    """Open what `url` names and hold it against other daemons; raise `StoreError` with one clear line."""
    opened: Database = _postgres().PostgresDatabase(url) if _on_server(url) else sqlite.SqliteDatabase(url)
    return opened


def open_shared(url: str) -> Database:
    """Open what `url` names beside other daemons that do the same; its schema must be current."""
    if not _on_server(url):
        raise StoreError("ledger.nodes: shared needs a postgresql:// database_url")
    _postgres()
    from otari_daemon.store.engines.postgres_shared import SharedPostgresDatabase

    return SharedPostgresDatabase(url)


def reading(url: str) -> AbstractContextManager[Connection]:
    """One reading transaction on a database that a daemon may be using; raises `StoreError`."""
    snapshot: AbstractContextManager[Connection] = (_postgres() if _on_server(url) else sqlite).reading(url)
    return snapshot


def _on_server(url: str) -> bool:
    return url.startswith(POSTGRES)


def _postgres() -> ModuleType:
    try:
        from otari_daemon.store.engines import postgres  # its driver is an extra
    except ImportError as error:
        raise StoreError("PostgreSQL needs a driver: pip install 'otari-gateway[postgres]'") from error
    return postgres
