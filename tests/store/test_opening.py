"""A database that cannot be used is refused at the start, with one clear line, and left alone."""

from __future__ import annotations

import random
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from otari_daemon.store.database import Connection, Session
from otari_daemon.store.engines import open_database
from otari_daemon.store.errors import StoreError
from otari_daemon.store.migrate import migrate
from otari_daemon.store.schema import REVISIONS, Revision
from otari_daemon.store.store import Store
from otari_daemon.store.verify import verify
from tests.ledger.support import NOW_MS, budget, open_store

LATER = len(REVISIONS) + 1
NEXT = (*REVISIONS, Revision(LATER, "a next step", ("CREATE TABLE extra(a INTEGER) STRICT",)))
BROKEN = (
    *REVISIONS,
    Revision(LATER, "a broken step", ("CREATE TABLE extra(a INTEGER)", "CREATE TABLE user(a)")),
)
EDITED = (
    Revision(1, REVISIONS[0].title, (*REVISIONS[0].statements, "CREATE TABLE extra(a INTEGER)")),
    *REVISIONS[1:],
)
FLIPS = 100
WANTED = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "wal_autocheckpoint": 1000,
    "busy_timeout": 250,
    "journal_size_limit": -1,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An empty database of ours."""
    made = tmp_path / "otari.db"
    _open(made).close_now()
    return made


@pytest.mark.parametrize("url", ["sqlite:///relative.db", "/a/file", "sqlite://"])
def test_a_url_that_is_not_a_whole_path_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="with a whole path"):
        Store.open(url, now_ms=NOW_MS)


def test_a_new_database_belongs_to_its_owner_alone(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_daemon_on_the_same_file_is_refused_even_by_another_name(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    first = _open(path)

    for name in (path, link):
        with pytest.raises(StoreError, match="another otari daemon is using"):
            _open(name)
    first.close_now()

    _open(link).close_now()


def test_the_lock_goes_with_the_process_that_held_it(path: Path) -> None:
    program = (
        "import os, sys; from otari_daemon.store.store import Store;"
        f"Store.open('sqlite:///{path}', now_ms=1); os.write(1, b'open'); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.read(4) == b"open"
        with pytest.raises(StoreError, match="another otari daemon"):
            _open(path)
        holder.kill()

    _open(path).close_now()


def test_the_settings_are_what_durability_needs(path: Path) -> None:
    database = open_database(f"sqlite:///{path}")
    with database.transaction() as con:
        writer = _settings(con)
    with database.snapshot() as session:
        reader = _settings(session.con)
    database.close()

    assert writer == {**WANTED, "query_only": 0}
    assert reader == {**WANTED, "query_only": 1, "wal_autocheckpoint": 0, "busy_timeout": 5000}


def test_a_reader_cannot_write(path: Path) -> None:
    store = _open(path)

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store.read_now(_vandalize)

    store.close_now()


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "otari.db"
    path.write_bytes(b"dear diary, " * 1_000)

    with pytest.raises(StoreError, match="cannot be used"):
        _open(path)

    assert path.read_bytes() == b"dear diary, " * 1_000


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "otari.db"
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE recipes(name TEXT)")
    con.close()

    with pytest.raises(StoreError, match="another program"):
        _open(path)


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file or directory"):
        _open(tmp_path / "missing" / "otari.db")


def test_a_database_with_flipped_bytes_is_refused_or_proves_itself(tmp_path: Path) -> None:
    path, rng = tmp_path / "otari.db", random.Random(7)
    store, _ = open_store(path, *(budget(f"b{number}", 1_000) for number in range(50)))
    store.close_now()
    sound = path.read_bytes()
    refused = 0

    for _ in range(FLIPS):
        damaged = bytearray(sound)
        for _ in range(8):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        refused += _refused(path)

    assert refused > FLIPS // 5


def test_revisions_are_applied_once_after_a_backup(path: Path) -> None:
    database = open_database(f"sqlite:///{path}")

    applied = [migrate(database, NOW_MS, NEXT), migrate(database, NOW_MS, NEXT)]

    database.close()
    backup = path.with_name(f"otari.db.before-rev-{LATER}")
    assert applied == [[LATER], []]
    assert (_tables(path) - _tables(backup), stat.S_IMODE(backup.stat().st_mode)) == ({"extra"}, 0o600)


def test_a_revision_that_fails_leaves_nothing_and_can_be_repeated(path: Path) -> None:
    database = open_database(f"sqlite:///{path}")

    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError):
            migrate(database, NOW_MS, BROKEN)

    assert migrate(database, NOW_MS, NEXT) == [LATER]
    database.close()
    assert "extra" in _tables(path)


def test_a_database_of_a_newer_otari_is_refused(path: Path) -> None:
    database = open_database(f"sqlite:///{path}")
    migrate(database, NOW_MS, NEXT)
    database.close()

    with pytest.raises(StoreError, match=f"revision {LATER}, which a newer otari made"):
        _open(path)


def test_an_edited_revision_is_refused(path: Path) -> None:
    database = open_database(f"sqlite:///{path}")

    with pytest.raises(StoreError, match="revision 1 of the database is not the one"):
        migrate(database, NOW_MS, EDITED)

    database.close()


def test_a_directory_in_place_of_the_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Is a directory"):
        _open(tmp_path)


def _open(path: Path) -> Store:
    return Store.open(f"sqlite:///{path}", now_ms=NOW_MS)


def _refused(path: Path) -> bool:
    for leftover in ("-wal", "-shm"):
        path.with_name(path.name + leftover).unlink(missing_ok=True)
    try:
        store = _open(path)
    except StoreError as error:
        return "\n" not in str(error)
    try:
        store.read_now(verify)
    except sqlite3.DatabaseError:  # damage that only reading every page meets
        return True
    finally:
        store.close_now()
    return False


def _settings(con: Connection) -> dict[str, object]:
    names = (*WANTED, "query_only")
    return {name: con.execute(f"PRAGMA {name}").fetchone()[0] for name in names}


def _vandalize(session: Session) -> None:
    session.con.execute("UPDATE meta SET value = 0")


def _tables(path: Path) -> set[str]:
    con = sqlite3.connect(path)
    found = {name for (name,) in con.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    con.close()
    return found
