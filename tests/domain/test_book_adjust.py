"""The book corrects a closed request: credits take back overage first, debits are posted where they fit."""

from __future__ import annotations

import pytest

from otari_daemon.domain.book import Account, Adjusted, Balance, Book, Correction, Drawn, Hold, Share
from otari_daemon.domain.money import Nano
from otari_daemon.domain.windows import Every

HOUR_MS = 3_600_000
HELD, CHARGED = 60, 80
"""Of 80 charged, 60 were posted and 20 are overage."""


def spent(limit: int | None = 100) -> tuple[Book, Balance]:
    """A book with one closed request, and the balance it drew from."""
    book = Book()
    book.accounts[1] = Account(1, "b", "budget", None if limit is None else Nano(limit), Every(HOUR_MS, 0))
    hold = book.reserve(b"r", book.bundle((1,), 0), Nano(HELD), None)
    assert isinstance(hold, Hold)
    book.settle(hold, Nano(CHARGED), None)
    book.take_journal()
    return book, hold.bundle.balances[0]


def adjust(book: Book, balance: Balance, amount: int) -> tuple[Share, ...]:
    correction = Correction(b"r", "test", str(amount), amount, 0)
    return book.adjust(correction, (Drawn(balance, HELD, CHARGED - HELD),))


def amounts(balance: Balance) -> tuple[int, int, int]:
    return balance.posted, balance.overage, balance.acknowledged


@pytest.mark.parametrize(
    ("amount", "after"),
    [(-15, (60, 5, 0)), (-20, (60, 0, 0)), (-50, (30, 0, 0)), (-80, (0, 0, 0))],
)
def test_a_credit_takes_back_overage_before_what_was_posted(amount: int, after: tuple[int, ...]) -> None:
    book, balance = spent()

    adjust(book, balance, amount)

    assert amounts(balance) == after


def test_a_credit_takes_back_the_acknowledgement_of_what_is_gone() -> None:
    book, balance = spent()
    book.acknowledge(1)

    assert adjust(book, balance, -15) == (Share(balance.key, 0, -15, -15),)
    assert amounts(balance) == (60, 5, 5)


def test_a_credit_of_more_than_was_charged_is_refused_and_moves_nothing() -> None:
    book, balance = spent()

    with pytest.raises(ValueError, match="cannot exceed what was charged"):
        adjust(book, balance, -81)

    assert (amounts(balance), book.take_journal()) == ((60, 20, 0), [])


def test_a_credit_must_be_covered_under_every_ceiling() -> None:
    book, balance = spent()
    legs = (Drawn(balance, HELD, CHARGED - HELD), Drawn(balance, 10, 0))

    with pytest.raises(ValueError, match="cannot exceed what was charged"):
        book.adjust(Correction(b"r", "test", "1", -11, 0), legs)


@pytest.mark.parametrize(
    ("limit", "amount", "share"),
    [(100, 30, (30, 0, 0, 100)), (100, 50, (40, 10, 10, 100)), (None, 500, (500, 0, 0, None))],
)
def test_a_debit_is_posted_where_it_fits_and_the_rest_is_overage_that_was_seen(
    limit: int | None, amount: int, share: tuple[int, int, int, int | None]
) -> None:
    book, balance = spent(limit)

    assert adjust(book, balance, amount) == (Share(balance.key, *share),)  # type: ignore[arg-type]
    assert amounts(balance) == (60 + share[0], 20 + share[1], share[2])


def test_a_debit_leaves_room_for_what_is_held() -> None:
    book, balance = spent()
    balance.held = Nano(15)

    assert adjust(book, balance, 50) == (Share(balance.key, 25, 25, 25, Nano(100)),)


def test_a_period_that_is_over_takes_a_debit_as_overage_that_was_seen() -> None:
    book, balance = spent()
    book.bundle((1,), HOUR_MS)

    assert adjust(book, balance, 5) == (Share(balance.key, 0, 5, 5),)


def test_a_correction_is_journaled_with_its_shares() -> None:
    book, balance = spent()

    shares = adjust(book, balance, -1)

    assert book.take_journal() == [Adjusted(Correction(b"r", "test", "-1", -1, 0), shares)]


def test_the_book_knows_the_newest_balance_and_those_still_drawn_on() -> None:
    book, old = spent()
    drawn_on = book.bundle((1,), 0)
    newest = book.bundle((1,), HOUR_MS).balances[0]

    assert (book.balance(old.key), book.balance(newest.key)) == (drawn_on.balances[0], newest)
    assert book.balance(old.key._replace(account_id=2)) is None
