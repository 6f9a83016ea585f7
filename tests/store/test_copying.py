"""A ledger that moves: to the other engine, into a backup and out of it again, whole or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from otari_daemon.domain.keys import VirtualKey
from otari_daemon.domain.money import Nano
from otari_daemon.domain.users import User
from otari_daemon.store import copying, keys, prices, refusals, sql_copy, users
from otari_daemon.store.engines import reading
from otari_daemon.store.errors import StoreError
from otari_daemon.store.refusals import Refusal
from otari_daemon.store.store import Store
from otari_daemon.store.verify import verify
from tests.ledger.support import NOW_MS, PRICE, budget, commit, open_store, outcome, reserve
from tests.postgres import cluster

ANN = User("ann", NOW_MS, "Ann", metadata={"team": "red"})
KEY = VirtualKey("k1", b"\x00\xff" * 16, "gw-abcdefg", "ci", "ann", NOW_MS, None, None, ("mock:*",))
REFUSED = Refusal(NOW_MS, "r1", "k1", "budget_exceeded", "no room", "ann", "chat", "mock:echo", 403, "some")


@pytest.fixture
async def filled(database_url: str) -> str:
    """A database with something in every table: requests open and settled, one of them over."""
    store, book = open_store(database_url, budget("all", None), budget("some", 1_000))
    store.start(asyncio.get_running_loop())
    holds = [reserve(book, book.bundle((1, 2), NOW_MS), number, 100) for number in range(5)]
    for number, hold in enumerate(holds[:3], 1):
        book.settle(hold, Nano(40 * number), outcome(40 * number))
    await commit(store, book.take_journal())
    await store.write(users.insert, ANN)
    await store.write(keys.insert, KEY, {"a": [1, None]})
    await store.write(prices.put, PRICE, NOW_MS)
    await store.write(refusals.add, [REFUSED, REFUSED])
    assert await store.close(5)
    return database_url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where to copy to."""
    return f"sqlite:///{tmp_path}/other.db" if request.param == "sqlite" else cluster().new_database()


def test_a_copy_has_every_row_and_goes_on_where_the_original_was(filled: str, empty_url: str) -> None:
    copied = copying.copy(filled, empty_url, NOW_MS)

    assert _rows(empty_url) == _rows(filled)
    assert copied.report.clean
    assert {each.table: each.rows for each in copied.totals if each.rows} == ROWS
    store, book = open_store(empty_url)
    store.write_now(refusals.add, [REFUSED])
    assert [number for number, _ in store.read_now(refusals.latest, 9)] == [3, 2, 1]
    assert book.accounts[2].balance is not None
    assert store.read_now(verify).clean
    store.close_now()


def test_the_sums_told_are_those_of_the_money(filled: str, empty_url: str) -> None:
    told = {each.table: each.text.split() for each in copying.copy(filled, empty_url, NOW_MS).totals}

    assert told["hold"][1:] == ["5", "rows", "held", "500", "posted", "220", "overage", "20"]
    assert told["balance"][-8:] == ["posted", "440", "held", "400", "overage", "40", "acknowledged", "0"]


async def test_a_backup_is_made_while_the_ledger_is_written_and_restores(
    filled: str, empty_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup.db"
    store, book = open_store(filled)
    store.start(asyncio.get_running_loop())
    made = await asyncio.to_thread(copying.backup, filled, file, NOW_MS)
    reserve(book, book.bundle((1,), NOW_MS), 9, 1, epoch=2)
    await commit(store, book.take_journal())
    after = _rows(filled)["hold"]
    await store.close(5)

    restored = copying.restore(file, empty_url, NOW_MS)

    assert (made, len(after)) == (restored, len(_rows(empty_url)["hold"]) + 1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "backup.db" in _names(tmp_path)
    assert not any("partial" in name for name in _names(tmp_path))


def test_nothing_is_copied_over_a_ledger_or_a_file(filled: str, tmp_path: Path) -> None:
    file = tmp_path / "backup.db"
    copying.backup(filled, file, NOW_MS)
    before = _rows(filled)

    with pytest.raises(StoreError, match="has a ledger already"):
        copying.restore(file, filled, NOW_MS)
    with pytest.raises(StoreError, match="is there already"):
        copying.backup(filled, file, NOW_MS)

    assert _rows(filled) == before


def test_the_database_of_a_running_daemon_is_not_moved(filled: str, tmp_path: Path) -> None:
    running = Store.open(filled, now_ms=NOW_MS)

    with pytest.raises(StoreError, match="another otari daemon is using"):
        copying.copy(filled, f"sqlite:///{tmp_path}/other.db", NOW_MS)

    running.close_now()


def test_a_copy_that_differs_is_undone(filled: str, tmp_path: Path) -> None:
    """A trigger stands for whatever might change a row on its way."""
    path = tmp_path / "other.db"
    Store.open(f"sqlite:///{path}", now_ms=NOW_MS).close_now()
    con = sqlite3.connect(path)
    con.execute(
        "CREATE TRIGGER skew AFTER INSERT ON balance BEGIN UPDATE balance SET overage_n = overage_n + 1; END"
    )
    con.close()

    with pytest.raises(StoreError, match="the copy is not the original: balance"):
        copying.copy(filled, f"sqlite:///{path}", NOW_MS)

    assert _rows(f"sqlite:///{path}")["balance"] == []


def test_a_source_that_is_not_there_or_is_older_is_refused(tmp_path: Path) -> None:
    missing, old = tmp_path / "missing.db", tmp_path / "old.db"
    Store.open(f"sqlite:///{old}", now_ms=NOW_MS).close_now()
    with sqlite3.connect(old) as con:
        con.execute("DELETE FROM otari_schema WHERE rev = 1")
    con.close()

    with pytest.raises(StoreError, match="unable to open"):
        copying.copy(f"sqlite:///{missing}", f"sqlite:///{tmp_path}/target.db", NOW_MS)
    with pytest.raises(StoreError, match="db migrate"):
        copying.backup(f"sqlite:///{old}", tmp_path / "backup.db", NOW_MS)

    assert {name.partition(".")[0] for name in _names(tmp_path)} == {"old"}


def test_every_table_is_copied(tmp_path: Path) -> None:
    path = tmp_path / "otari.db"
    Store.open(f"sqlite:///{path}", now_ms=NOW_MS).close_now()
    con = sqlite3.connect(path)
    found = {name for (name,) in con.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    columns = {name: len(con.execute(f"PRAGMA table_info({name})").fetchall()) for name in sql_copy.WRITE}
    con.close()

    assert found == {*sql_copy.READ, "otari_schema", *OF_THE_MOMENT}
    assert {name: statement.count("?") for name, statement in sql_copy.WRITE.items()} == columns
    assert sql_copy.READ.keys() == sql_copy.WRITE.keys() == sql_copy.TOTALS.keys()


OF_THE_MOMENT = {"node", "lease_recall"}
"""Tables about daemons that run; a copy has none."""

ROWS = {
    "meta": 4,
    "user": 1,
    "api_key": 1,
    "budget": 2,
    "account": 2,
    "budget_assignment": 2,
    "price": 1,
    "balance": 2,
    "bundle": 10,
    "rate_card": 2,
    "hold": 5,
    "refusal": 2,
    "usage_series": 3,
    "usage_cell": 9,
}


def _names(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()}


def _rows(url: str) -> dict[str, list[Any]]:
    with reading(url) as con:
        return {table: con.execute(statement).fetchall() for table, statement in sql_copy.READ.items()}
