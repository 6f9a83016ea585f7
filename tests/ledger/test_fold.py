"""What a batch of entries comes down to."""

from __future__ import annotations

import sqlite3

import pytest

from otari_daemon.domain.money import Nano
from otari_daemon.domain.pricing import Price, Rates
from otari_daemon.domain.records import Progress
from otari_daemon.store import recovery
from otari_daemon.store.database import Session
from otari_daemon.store.fold import CARDS_MAX, Cards, Fold, card_id
from otari_daemon.store.schema import SENT, UNSET, UNSET_NANO
from otari_daemon.store.verify import verify
from tests.ledger.disk import connect
from tests.ledger.support import NOW_MS, PRICE, TIER, add_budgets, book_of, budget, outcome, reserve
from tests.ledger.support import facts as asked

BUDGETS = (budget("one", 100), budget("two", None))


@pytest.fixture
def con() -> sqlite3.Connection:
    """A database in memory with two budgets."""
    made = connect()
    add_budgets(made, *BUDGETS)
    return made


def test_the_limit_kept_is_that_of_the_last_admission_of_any_bundle(con: sqlite3.Connection) -> None:
    book = book_of(*BUDGETS)
    alone, both = book.bundle((1,), NOW_MS), book.bundle((1, 2), NOW_MS)
    reserve(book, alone, 1, 50)
    reserve(book, both, 2, 50)
    book.accounts[1].limit = Nano(500)
    reserve(book, alone, 3, 300)

    Fold(book.take_journal(), 1, Cards()).run(con)

    assert _balances(con) == [(1, 500, 0, 400), (2, None, 0, 50)]


def test_a_lowered_limit_is_not_restated_by_a_request_that_costs_nothing(con: sqlite3.Connection) -> None:
    book = book_of(*BUDGETS)
    bundle = book.bundle((1,), NOW_MS)
    reserve(book, bundle, 1, 80)
    book.accounts[1].limit = Nano(10)
    reserve(book, bundle, 2, 0)

    Fold(book.take_journal(), 1, Cards()).run(con)

    assert _balances(con) == [(1, 100, 0, 80)]


def test_many_requests_change_each_balance_once(con: sqlite3.Connection) -> None:
    book, statements = book_of(*BUDGETS), list[str]()
    bundle = book.bundle((1, 2), NOW_MS)
    for number in range(50):
        hold = reserve(book, bundle, number, 2)
        if number % 2:
            book.settle(hold, Nano(1), outcome(1))
    con.set_trace_callback(statements.append)

    Fold(book.take_journal(), 1, Cards()).run(con)

    con.set_trace_callback(None)
    assert sum(text.startswith("UPDATE balance") for text in statements) == 2
    assert sum(text.startswith("UPDATE hold") for text in statements) == 0
    assert verify(Session(con, None)) == (50, 2, (), 0)


def test_recovery_leaves_the_holds_of_its_own_epoch_alone(con: sqlite3.Connection) -> None:
    book = book_of(*BUDGETS)
    reserve(book, book.bundle((1,), NOW_MS), 1, 80)
    Fold(book.take_journal(), 4, Cards()).run(con)

    assert recovery.recover(con, 4, NOW_MS) == []

    assert len(recovery.recover(con, 5, NOW_MS)) == 1


def test_a_rate_card_is_known_once_its_transaction_has_committed(con: sqlite3.Connection) -> None:
    book, cards = book_of(*BUDGETS), Cards()
    reserve(book, book.bundle((1,), NOW_MS), 1, 1)
    fold = Fold(book.take_journal(), 1, cards)
    fold.run(con)
    before = cards.find(PRICE)

    fold.committed()

    assert before is None
    assert [cards.find(PRICE), cards.find(TIER)] == [card_id(PRICE), card_id(TIER)]


def test_known_rate_cards_are_bounded() -> None:
    cards = Cards()
    prices = [Price("m", Rates.of(), number, "test") for number in range(CARDS_MAX + 1)]

    for price in prices:
        cards.stored([(price, 1)])

    assert (cards.find(prices[0]), cards.find(prices[-1])) == (None, 1)


def _balances(con: sqlite3.Connection) -> list[tuple[int | None, ...]]:
    rows = con.execute("SELECT account_id, limit_n, posted_n, pending_n FROM balance ORDER BY account_id")
    return rows.fetchall()


def test_a_rate_card_has_the_same_id_in_every_release_and_fits_its_column() -> None:
    """The first release had ten classes: what it has stored has nothing in those that came later."""

    def first(price: Price) -> Price:
        rates = (*price.rates[:10], *(0,) * (len(price.rates) - 10))
        return Price(price.model, Rates(rates), price.effective_ms, price.source)

    assert (card_id(first(PRICE)), card_id(PRICE)) == (673194418213761542, 956396419256841242)
    assert card_id(first(TIER)) == 747688525341368103
    assert all(0 <= card_id(Price(str(n), Rates.of(), n, "test")) < 1 << 63 for n in range(50))


def test_a_request_opened_and_settled_at_a_tier_in_one_batch_is_the_row_it_would_be_in_two() -> None:
    def rows(batches: int) -> list[object]:
        made, book, cards = connect(), book_of(*BUDGETS), Cards()
        add_budgets(made, *BUDGETS)
        hold = reserve(book, book.bundle((1,), NOW_MS), 1, 90)
        if batches == 2:
            Fold(book.take_journal(), 1, cards).run(made)
        book.settle(hold, Nano(70), outcome(70, price=TIER))
        Fold(book.take_journal(), 1, cards).run(made)
        return made.execute("SELECT * FROM hold").fetchall()

    assert rows(1) == rows(2)
    assert len(rows(1)) == 1


def test_prices_are_remembered_up_to_a_bound_and_then_anew() -> None:
    cards = Cards()
    first = [(Price(str(n), Rates.of(), 0, "test"), n) for n in range(CARDS_MAX)]
    cards.stored(first)
    assert cards.find(first[0][0]) == 0

    cards.stored([(PRICE, 7)])

    assert (cards.find(first[0][0]), cards.find(PRICE)) == (None, 7)


@pytest.mark.parametrize("number", [1, 2])
def test_an_open_holds_row_says_what_was_known_when_it_was_admitted(
    con: sqlite3.Connection, number: int
) -> None:
    book = book_of(*BUDGETS)
    bundle = book.bundle((1, 2) if number == 1 else (), NOW_MS)
    hold = reserve(book, bundle, number, 40)
    progress = [Progress(hold.rid, 9)] if number == 1 else []

    Fold([*book.take_journal(), *progress], 6, Cards()).run(con)

    con.row_factory = sqlite3.Row
    row = dict(con.execute("SELECT * FROM hold").fetchone())
    facts, _drawn_on = asked(number), bundle.id if number == 1 else 0
    assert (row["rid"], row["bundle_id"], row["owner_epoch"]) == (
        hold.rid,
        bundle.id if number == 1 else 0,
        6,
    )
    assert (row["key_id"], row["user_id"], row["created_ms"]) == facts[:3]
    assert (row["endpoint"], row["model"], row["provider"]) == facts[3:6]
    assert (row["stream"], row["rate_card_id"]) == (0 if number == 1 else 1, card_id(PRICE))
    assert (row["prompt_presumed"], row["held_n"], row["state"]) == (10, 40, SENT)
    assert (row["posted_n"], row["overage_n"]) == (UNSET_NANO, UNSET_NANO)
    assert row["progress_out"] == (9 if number == 1 else UNSET)
    unset = ("settled_ms", "u_input", "u_tool_calls", "reason", "status", "first_byte_us", "duration_us")
    assert {row[name] for name in unset} == {UNSET}
