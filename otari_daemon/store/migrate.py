"""Bringing a database to the schema this program knows, forward only."""

from __future__ import annotations

from otari_daemon.store import sql
from otari_daemon.store.database import Connection, Database
from otari_daemon.store.errors import StoreError
from otari_daemon.store.schema import REVISIONS, Revision


def migrate(database: Database, now_ms: int, revisions: tuple[Revision, ...] = REVISIONS) -> list[int]:
    """Apply what is missing, each revision in its own transaction; return the numbers applied.

    A database that already had a schema is backed up first. One that is newer than this program, or
    whose applied revisions differ from ours, is refused and left alone.
    """
    with database.snapshot() as session:
        applied = _applied(session.con)
        foreign = not applied and session.con.execute(sql.TABLES).fetchone()[0] > 0
    if foreign:
        raise StoreError("the database belongs to another program: choose another one")
    _compare(applied, revisions)
    missing = [revision for revision in revisions if revision.rev not in applied]
    if applied and missing:
        database.keep(f"before-rev-{missing[0].rev}")
    for revision in missing:
        with database.transaction() as con:
            _apply(con, revision, now_ms)
    return [revision.rev for revision in missing]


def status(con: Connection) -> tuple[int, int]:
    """The newest revision applied, 0 for none, and the newest there is; raises as `migrate` does."""
    applied = _applied(con)
    _compare(applied, REVISIONS)
    return max(applied, default=0), REVISIONS[-1].rev


def up_to(revision: int, applied: int) -> tuple[Revision, ...]:
    """The revisions up to one; raises `StoreError` for one that there is not, or that lies behind."""
    if revision < applied:
        raise StoreError(f"the database is at schema revision {applied} and only goes on: restore a backup")
    if not any(each.rev == revision for each in REVISIONS):
        raise StoreError(f"there is no schema revision {revision}: the newest is {REVISIONS[-1].rev}")
    return tuple(each for each in REVISIONS if each.rev <= revision)


def _applied(con: Connection) -> dict[int, str]:
    if not con.execute(sql.SCHEMA_PRESENT).fetchone()[0]:
        return {}
    return dict(con.execute(sql.SCHEMA_ROWS).fetchall())


def _compare(applied: dict[int, str], revisions: tuple[Revision, ...]) -> None:
    ours = {revision.rev: revision.checksum for revision in revisions}
    newer = sorted(applied.keys() - ours.keys())
    if newer:
        raise StoreError(
            f"the database has schema revision {newer[-1]}, which a newer otari made: upgrade otari"
        )
    for rev, checksum in applied.items():
        if ours[rev] != checksum:
            raise StoreError(
                f"schema revision {rev} of the database is not the one this otari knows: reinstall it"
            )


def _apply(con: Connection, revision: Revision, now_ms: int) -> None:
    con.execute(sql.SCHEMA_TABLE)
    for statement in revision.statements:
        con.execute(statement)
    con.execute(sql.SCHEMA_ADD, (revision.rev, revision.title, revision.checksum, now_ms))
