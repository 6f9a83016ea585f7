"""Planted corruption of every kind is seen and named."""

from __future__ import annotations

import sqlite3

import pytest

from otari_daemon.domain.book import Book
from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Progress, Reason
from otari_daemon.store import recovery
from otari_daemon.store.database import Session
from otari_daemon.store.fold import Cards, Fold
from otari_daemon.store.verify import Finding, verify
from tests.ledger.disk import connect
from tests.ledger.support import NOW_MS, add_budgets, book_of, budget, outcome, reserve, rid_of

BUDGETS = (budget("all", 10_000), budget("some", 5_000))
OPEN, USED, VOIDED, OVER = (rid_of(number).hex() for number in range(1, 5))

PLANTED = {
    "a balance that forgot a hold": (
        "UPDATE balance SET pending_n = 0 WHERE account_id = 2",
        Finding("sum", "balance 2 of period 0", "held is 0 where its requests sum to 900"),
    ),
    "a balance that spent too much": (
        "UPDATE balance SET posted_n = posted_n + 1 WHERE account_id = 1",
        Finding("sum", "balance 1 of period 0", "posted is 1701 where its requests sum to 1700"),
    ),
    "an overage that vanished": (
        "UPDATE balance SET overage_n = 0 WHERE account_id = 1",
        Finding("sum", "balance 1 of period 0", "overage is 0 where its requests sum to 50"),
    ),
    "an overage acknowledged beyond itself": (
        "UPDATE balance SET acknowledged_n = 51 WHERE account_id = 1",
        Finding("bound", "balance 1 of period 0", "51 of 50 overage is acknowledged"),
    ),
    "a balance over its limit": (
        "UPDATE balance SET limit_n = 2599 WHERE account_id = 1",
        Finding("limit", "balance 1 of period 0", "1700 posted and 900 held are over its limit of 2599"),
    ),
    "a request charged less than it used": (
        f"UPDATE hold SET u_output = 7 WHERE rid = x'{USED}'",
        Finding("row", f"hold {USED}", "charged 700 where its usage costs 714"),
    ),
    "a request posted above its hold": (
        f"UPDATE hold SET held_n = 600 WHERE rid = x'{USED}'",
        Finding("bound", f"hold {USED}", "posted 700 of 600 held"),
    ),
    "an overage without a full hold": (
        f"UPDATE hold SET posted_n = posted_n - 1, overage_n = overage_n + 1 WHERE rid = x'{OVER}'",
        Finding("bound", f"hold {OVER}", "overage 51 with 999 of 1000 posted"),
    ),
    "a closed request that is not whole": (
        f"UPDATE hold SET duration_us = {1 << 46} WHERE rid = x'{USED}'",
        Finding("once", f"hold {USED}", "it is closed but its settlement is not whole"),
    ),
    "a closed request without an amount": (
        f"UPDATE hold SET posted_n = {1 << 62} WHERE rid = x'{USED}'",
        Finding("once", f"hold {USED}", "it is closed but its settlement is not whole"),
    ),
    "a reason that does not exist": (
        f"UPDATE hold SET reason = 77 WHERE rid = x'{USED}'",
        Finding("once", f"hold {USED}", "it is closed but its settlement is not whole"),
    ),
    "an open request that was settled": (
        f"UPDATE hold SET settled_ms = 5 WHERE rid = x'{OPEN}'",
        Finding("once", f"hold {OPEN}", "it is open but carries a settlement"),
    ),
    "a closed request opened again": (
        f"UPDATE hold SET state = 1 WHERE rid = x'{USED}'",
        Finding("once", f"hold {USED}", "it is open but carries a settlement"),
    ),
    "a state that does not exist": (
        f"UPDATE hold SET state = 5 WHERE rid = x'{USED}'",
        Finding("once", f"hold {USED}", "it is in state 5, which does not exist"),
    ),
    "a voided request that was charged": (
        f"UPDATE hold SET posted_n = 1 WHERE rid = x'{VOIDED}'",
        Finding("once", f"hold {VOIDED}", "it is voided but charged"),
    ),
    "an id of another length": (
        f"UPDATE hold SET rid = x'00' WHERE rid = x'{USED}'",
        Finding("once", "hold 00", "its id has 1 bytes"),
    ),
    "a bundle that is gone": (
        "DELETE FROM bundle",
        Finding("row", f"hold {OPEN}", f"its bundle {(1 << 32) | 1} is not there"),
    ),
    "a balance that is gone": (
        "DELETE FROM balance WHERE account_id = 2",
        Finding("row", "balance 2 of period 0", "a bundle names it, but it is not there"),
    ),
    "a request that is gone": (
        f"DELETE FROM hold WHERE rid = x'{USED}'",
        Finding("sum", "balance 1 of period 0", "posted is 1700 where its requests sum to 1000"),
    ),
    "a price that was changed afterwards": (
        "UPDATE rate_card SET r_output = 1",
        Finding("row", "rate card {card}", "its content has changed since requests used it"),
    ),
    "a price that is gone": (
        "DELETE FROM rate_card",
        Finding("row", f"hold {OPEN}", "its rate card {card} is not there"),
    ),
}


@pytest.fixture
def con() -> sqlite3.Connection:
    """An open, a used, a voided and an overdrawn request under two budgets; nothing guards the rows."""
    con = connect()
    add_budgets(con, *BUDGETS)
    _apply(con, _worked())
    con.execute("PRAGMA ignore_check_constraints=ON")
    con.execute("PRAGMA foreign_keys=OFF")
    return con


def test_books_that_are_right_are_proven(con: sqlite3.Connection) -> None:
    report = verify(Session(con, None))

    assert report == (4, 2, (), 0)


@pytest.mark.parametrize("planted", PLANTED)
def test_planted_corruption_is_seen_and_named(con: sqlite3.Connection, planted: str) -> None:
    statement, finding = PLANTED[planted]
    card = con.execute("SELECT rate_card_id FROM hold").fetchone()[0]

    assert con.execute(statement).rowcount > 0

    report = verify(Session(con, None))
    expected = Finding(finding.rule, finding.row.format(card=card), finding.detail.format(card=card))
    assert expected in report.findings


def test_a_presumed_charge_other_than_its_progress_is_seen(con: sqlite3.Connection) -> None:
    _apply(con, [Progress(rid_of(1), 20)])
    closed = recovery.recover(con, 2, NOW_MS)
    assert [(each.rid.hex(), each.posted) for each in closed] == [(OPEN, 50)]
    assert verify(Session(con, None)).clean

    con.execute("UPDATE hold SET progress_out = 1, u_output = 21 WHERE state = 4")

    found = Finding("row", f"hold {OPEN}", "presumed 50 where its progress costs 52")
    assert found in verify(Session(con, None)).findings


def _worked() -> Book:
    book = book_of(*BUDGETS)
    bundle = book.bundle((1, 2), NOW_MS)
    reserve(book, bundle, 1, 900)
    used, void, over = (reserve(book, bundle, number, 1_000) for number in (2, 3, 4))
    book.settle(used, Nano(700), outcome(700))
    book.void(void, outcome(0, Reason.UNSENT))
    book.settle(over, Nano(1_050), outcome(1_050))
    return book


def _apply(con: sqlite3.Connection, work: Book | list[Progress]) -> None:
    entries = work.take_journal() if isinstance(work, Book) else work
    Fold(entries, 1, Cards()).run(con)
