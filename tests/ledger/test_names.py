"""Idempotency keys on their way to the disk: with their hold, in order, or not at all."""

from __future__ import annotations

import sqlite3

import pytest

from otari_daemon.domain.idempotency import Kept, Named, Scoped, Unnamed
from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Reason
from otari_daemon.store import idempotency, recovery
from otari_daemon.store.database import Session
from otari_daemon.store.fold import Cards, Fold
from otari_daemon.store.idempotency import Found, Room
from tests.ledger.disk import connect
from tests.ledger.support import NOW_MS, add_budgets, book_of, budget, outcome, reserve, rid_of

BUDGETS = (budget("one", 1_000),)
NAME = Scoped("key1", "chat", "mine")
BODY, OTHER = b"b" * 32, b"o" * 32


@pytest.fixture
def con() -> sqlite3.Connection:
    """A database in memory with a budget."""
    made = connect()
    add_budgets(made, *BUDGETS)
    return made


def found(con: sqlite3.Connection, scoped: Scoped = NAME, since_ms: int = 0) -> Found | Room:
    return idempotency.look_up(Session(con, None), scoped, since_ms)


def test_a_name_and_its_hold_are_written_together_and_survive_a_second_attempt(
    con: sqlite3.Connection,
) -> None:
    book = book_of(*BUDGETS)
    reserve(book, book.bundle((1,), NOW_MS), 1, 100)
    book.journal.append(Named(NAME, BODY, rid_of(1), NOW_MS))
    fold = Fold(book.take_journal(), 1, Cards())
    con.execute("BEGIN")
    fold.run(con)
    con.execute("ROLLBACK")
    before = found(con)

    fold.run(con)

    assert before == Room(0, 0, 0)
    assert found(con) == Found(BODY, None, None)


def test_a_name_whose_hold_recovery_closed_tells_what_that_charged(con: sqlite3.Connection) -> None:
    book = book_of(*BUDGETS)
    reserve(book, book.bundle((1,), NOW_MS), 1, 100_000 // 1000)
    book.journal.append(Named(NAME, BODY, rid_of(1), NOW_MS))
    Fold(book.take_journal(), 1, Cards()).run(con)

    recovery.recover(con, 2, NOW_MS + 5)

    known = found(con)
    assert isinstance(known, Found)
    assert known.completed is not None
    assert (known.completed.reason, known.completed.amount, known.completed.status) == (Reason.CRASH, 10, 0)


def test_one_batch_may_free_a_name_and_give_it_to_the_next(con: sqlite3.Connection) -> None:
    book = book_of(*BUDGETS)
    bundle = book.bundle((1,), NOW_MS)
    first = reserve(book, bundle, 1, 100)
    book.journal.append(Named(NAME, BODY, first.rid, NOW_MS))
    book.void(first, outcome(0, Reason.REFUSED))
    book.journal.append(Unnamed(NAME, first.rid))
    reserve(book, bundle, 2, 100)
    book.journal.append(Named(NAME, OTHER, rid_of(2), NOW_MS))

    Fold(book.take_journal(), 1, Cards()).run(con)

    assert found(con) == Found(OTHER, None, None)


def test_a_late_unnaming_does_not_touch_the_next_requests_name(con: sqlite3.Connection) -> None:
    book = book_of(*BUDGETS)
    reserve(book, book.bundle((1,), NOW_MS), 2, 100)
    book.journal += [Named(NAME, BODY, rid_of(2), NOW_MS), Unnamed(NAME, rid_of(1))]

    Fold(book.take_journal(), 1, Cards()).run(con)

    assert found(con) == Found(BODY, None, None)


def test_an_answer_is_kept_for_its_own_request_only(con: sqlite3.Connection) -> None:
    book = book_of(*BUDGETS)
    hold = reserve(book, book.bundle((1,), NOW_MS), 1, 100)
    book.journal.append(Named(NAME, BODY, hold.rid, NOW_MS))
    book.settle(hold, Nano(40), outcome(40))
    Fold(book.take_journal(), 1, Cards()).run(con)
    answer = Kept(b"{}", b"application/json", "up")

    idempotency.keep(con, NAME, rid_of(9), Kept(b"[]", b"application/json", "up"))
    idempotency.keep(con, NAME, hold.rid, answer)

    known = found(con)
    assert isinstance(known, Found)
    assert known.kept == answer
    assert found(con, NAME, NOW_MS) == Room(0, 0, 0)


def test_expired_names_go_oldest_first_within_the_bound(con: sqlite3.Connection) -> None:
    many = idempotency.EXPIRED_PER_WRITE + 1
    names = [Named(Scoped("key1", "chat", f"n{at}"), BODY, rid_of(at), NOW_MS + at) for at in range(many + 1)]
    idempotency.apply(con, names)

    removed = [idempotency.expire(con, NOW_MS + many - 1) for _ in range(3)]

    assert removed == [many - 1, 1, 0]
    assert con.execute("SELECT name FROM idempotency").fetchall() == [(f"n{many}",)]
