"""The auditor's walk sees what `verify` sees, in slices, while requests come and go."""

from __future__ import annotations

import sqlite3

import pytest

from otari_daemon.domain.book import Book, Bundle
from otari_daemon.domain.money import Nano
from otari_daemon.store.audit import Walk
from otari_daemon.store.database import Session
from otari_daemon.store.fold import Cards, Fold
from tests.ledger.disk import connect
from tests.ledger.support import NOW_MS, add_budgets, book_of, budget, outcome, reserve

BUDGETS = (budget("one", 100_000), budget("two", None))
STEPS_MAX = 100


class Books:
    """Requests on their way to a database in memory."""

    def __init__(self) -> None:
        self.con = connect()
        add_budgets(self.con, *BUDGETS)
        self.book: Book = book_of(*BUDGETS)
        self.bundle: Bundle = self.book.bundle((1, 2), NOW_MS)
        self.made = 0

    def request(self, *, left_open: bool = False) -> object:
        """One more request, a millisecond later."""
        self.made += 1
        hold = reserve(self.book, self.bundle, self.made, 100)
        if not left_open:
            self.book.settle(hold, Nano(40), outcome(40))
        self.write()
        return hold

    def write(self) -> None:
        Fold(self.book.take_journal(), 1, Cards()).run(self.con)


@pytest.fixture
def books() -> Books:
    """A ledger of thirty requests, every third of them open."""
    made = Books()
    for number in range(30):
        made.request(left_open=number % 3 == 0)
    return made


def walk(con: sqlite3.Connection, slice_rows: int) -> tuple[int, list[str]]:
    """Walk to the end: in how many steps, and the rules that do not hold."""
    made, rules, steps = Walk(slice_rows), list[str](), 0
    while not made.done:
        rules += [finding.rule for finding in made.step(Session(con, None))]
        steps += 1
        assert steps < STEPS_MAX
    return steps, rules


@pytest.mark.parametrize(("slice_rows", "steps"), [(1000, 1), (31, 1), (30, 2), (7, 5), (2, 30)])
def test_sound_books_are_proven_in_slices_of_any_size(books: Books, slice_rows: int, steps: int) -> None:
    assert walk(books.con, slice_rows) == (steps, [])


def test_requests_that_come_and_end_during_a_walk_do_not_disturb_it(books: Books) -> None:
    held = books.request(left_open=True)
    made = Walk(10)
    findings = made.step(Session(books.con, None))

    while not made.done:
        findings += made.step(Session(books.con, None))
        if books.made < 40:
            books.request()
            if books.made == 35:
                books.book.settle(held, Nano(40), outcome(40))
                books.write()

    assert findings == []


def test_a_millisecond_with_more_requests_than_a_slice_is_read_once(books: Books) -> None:
    books.con.execute("UPDATE hold SET created_ms = ?", (NOW_MS,))

    assert walk(books.con, 30)[1] == []


@pytest.mark.parametrize(
    ("tampering", "rule"),
    [
        ("UPDATE balance SET posted_n = posted_n + 1 WHERE account_id = 2", "sum"),
        ("UPDATE balance SET pending_n = pending_n - 1 WHERE account_id = 2", "sum"),
        ("UPDATE hold SET posted_n = 30 WHERE rid = (SELECT min(rid) FROM hold WHERE state = 2)", "row"),
        ("DELETE FROM hold WHERE rid = (SELECT max(rid) FROM hold WHERE state = 2)", "sum"),
        ("UPDATE hold SET settled_ms = 5 WHERE rid = (SELECT min(rid) FROM hold WHERE state = 1)", "once"),
        ("UPDATE rate_card SET r_input = r_input + 1", "row"),
    ],
)
@pytest.mark.parametrize("slice_rows", [1000, 7])
def test_a_changed_row_is_found(books: Books, tampering: str, rule: str, slice_rows: int) -> None:
    books.con.execute(tampering)

    assert rule in walk(books.con, slice_rows)[1]
