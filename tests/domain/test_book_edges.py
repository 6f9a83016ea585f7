"""The book at its edges: zero, the first of everything, and windows changed under a running period."""

from __future__ import annotations

import pytest

from otari_daemon.domain.book import NO_PERIOD, Account, Book, Hold
from otari_daemon.domain.money import Nano
from otari_daemon.domain.windows import Every, Lifetime, Period

HOUR_MS = 3_600_000


def book_with(account: Account) -> Book:
    return Book(accounts={account.id: account})


def test_an_account_is_enforced_unless_it_says_otherwise_and_has_no_period_yet() -> None:
    account = Account(1, "b", "budget", Nano(5), Lifetime())

    assert (account.enforced, account.cap, account.period) == (True, 5, NO_PERIOD)
    assert Period(0, 0) == NO_PERIOD


def test_bundles_are_numbered_from_one_or_from_where_the_database_is() -> None:
    fresh, later = Book(), Book(first_bundle_id=40)

    assert [fresh.bundle((), 0).id for _ in range(3)] == [1, 2, 3]
    assert [later.bundle((), 0).id for _ in range(2)] == [40, 41]


def test_a_hold_may_be_settled_at_nothing() -> None:
    book = book_with(Account(1, "b", "budget", Nano(5), Lifetime()))
    hold = book.reserve(b"r", book.bundle((1,), 0), Nano(3), None)
    assert isinstance(hold, Hold)

    assert book.settle(hold, Nano(0), None) == (0, 0)


def test_a_window_made_longer_goes_on_with_what_was_spent() -> None:
    account = Account(1, "b", "budget", Nano(5), Every(HOUR_MS, HOUR_MS))
    book = book_with(account)
    first = book.bundle((1,), 3 * HOUR_MS).balances

    account.window = Lifetime()

    assert book.bundle((1,), 9 * HOUR_MS).balances[0] is first[0]


def test_a_window_whose_period_begins_at_the_same_moment_goes_on_with_what_was_spent() -> None:
    account = Account(1, "b", "budget", Nano(5), Every(HOUR_MS, 0))
    book = book_with(account)
    first = book.bundle((1,), 0).balances

    account.window = Every(2 * HOUR_MS, 0)

    assert book.bundle((1,), HOUR_MS).balances[0] is first[0]


@pytest.mark.parametrize(
    ("limits", "enforced", "watches"),
    [
        ((), (), False),
        ((5,), (True,), False),
        ((5,), (False,), True),
        ((None,), (False,), False),
        ((5, 5), (True, False), True),
    ],
)
def test_a_bundle_watches_if_some_limit_of_its_accounts_is_not_enforced(
    limits: tuple[int | None, ...], enforced: tuple[bool, ...], watches: bool
) -> None:
    book = Book()
    for number, (limit, forced) in enumerate(zip(limits, enforced, strict=True)):
        amount = None if limit is None else Nano(limit)
        book.accounts[number] = Account(number, "b", "budget", amount, Lifetime(), forced)

    assert book.bundle(tuple(book.accounts), 0).watches is watches
