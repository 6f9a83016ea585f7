"""The book under raises that come, end and are taken back while holds open and close."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.book import Account, Balance, Book, Hold, HoldOpened, Refused
from otari_daemon.domain.exceeding import BLOCK, THROTTLE, OnExceed, Way, parse_on_exceed
from otari_daemon.domain.money import Nano
from otari_daemon.domain.raises import Raise
from otari_daemon.domain.windows import Every

HOUR_MS = 3_600_000
LIMIT = 100


def raised(amount: int, until_ms: int) -> Raise:
    return Raise(f"r{amount}", Nano(amount), until_ms, 0, 0)


def book_of(on_exceed: OnExceed = BLOCK, limits: tuple[int, ...] = (LIMIT,)) -> Book:
    accounts = {
        number: Account(number, "b", "b", Nano(limit), Every(10 * HOUR_MS, 0), on_exceed=on_exceed)
        for number, limit in enumerate(limits, 1)
    }
    return Book(accounts=accounts)


def reserve(book: Book, amount: int, now_ms: int) -> Hold | Refused:
    rid = len(book.journal).to_bytes(16, "big")
    return book.reserve(rid, book.bundle(tuple(book.accounts), now_ms), Nano(amount), "facts")


def test_a_bundle_ends_with_the_first_raise_and_the_next_one_is_without_it() -> None:
    book = book_of()
    book.accounts[1].raises = (raised(50, 7), raised(20, 9))

    bundle = book.bundle((1,), 5)

    assert (bundle.until_ms, book.accounts[1].cap) == (7, 170)
    assert (book.bundle((1,), 7).until_ms, book.accounts[1].cap) == (9, 120)
    assert (book.bundle((1,), 9).until_ms, book.accounts[1].cap) == (10 * HOUR_MS, 100)
    assert book.bundle((1,), 5).accounts[0].cap == 100  # a clock set back brings no raise back


def test_a_hold_is_booked_under_the_cap_it_was_admitted_under() -> None:
    book = book_of()
    book.accounts[1].raises = (raised(50, 7),)

    reserve(book, 150, 5)

    assert [entry.caps for entry in book.journal if isinstance(entry, HoldOpened)] == [(150,)]
    assert isinstance(reserve(book, 1, 7), Refused)


@pytest.mark.parametrize(
    ("on_exceed", "held", "posted", "amount", "waits"),
    [
        (THROTTLE, 60, 40, 60, True),
        (THROTTLE, 60, 40, 61, False),
        (THROTTLE, 0, 100, 1, False),
        (BLOCK, 60, 40, 60, False),
    ],
)
def test_only_what_is_held_is_worth_waiting_for(
    on_exceed: OnExceed, held: int, posted: int, amount: int, waits: bool
) -> None:
    book = book_of(on_exceed)
    hold = reserve(book, posted, 0)
    assert isinstance(hold, Hold)
    book.settle(hold, Nano(posted), "outcome")
    reserve(book, held, 0)

    refused = reserve(book, amount, 0)

    assert isinstance(refused, Refused)
    assert refused.may_wait is waits


def test_an_overage_is_not_worth_waiting_for() -> None:
    book = book_of(THROTTLE)
    hold = reserve(book, 10, 0)
    assert isinstance(hold, Hold)
    book.settle(hold, Nano(11), "outcome")

    refused = reserve(book, 1, 0)

    assert isinstance(refused, Refused)
    assert not refused.may_wait


def test_a_ceiling_that_refuses_for_good_comes_before_one_to_wait_for() -> None:
    book = book_of(THROTTLE, (100, 50))
    reserve(book, 40, 0)

    refused = reserve(book, 70, 0)

    assert isinstance(refused, Refused)
    assert (refused.account.id, refused.may_wait) == (2, False)


@pytest.mark.parametrize("text", ["block", "throttle", "fallback:up:small", "fallback:alias"])
def test_ways_read_as_they_are_written(text: str) -> None:
    assert str(parse_on_exceed(text)) == text
    assert parse_on_exceed("fallback:up:small") == (Way.FALLBACK, "up:small")


steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "reserve", "settle", "void", "raise", "take back", "later", "limit"]),
        st.integers(0, 150),
    ),
    max_size=60,
)


@given(steps)
def test_after_any_history_with_raises_every_admission_fitted_and_nothing_is_lost(
    history: list[tuple[str, int]],
) -> None:
    book, now_ms, balances = book_of(), 0, dict[int, Balance]()
    for action, amount in history:
        account, holds = book.accounts[1], list(book.open_holds.values())
        if action == "reserve":
            made = reserve(book, amount, now_ms)
            if isinstance(made, Hold) and amount:
                live = sum(each.amount for each in account.raises if now_ms < each.until_ms)
                (balance,) = made.bundle.balances
                assert balance.posted + balance.held <= (account.limit or 0) + live
                assert book.journal[-1].caps == ((account.limit or 0) + live,)  # type: ignore[union-attr]
        elif action == "settle" and holds:
            book.settle(holds[amount % len(holds)], Nano(amount), "")
        elif action == "void" and holds:
            book.void(holds[amount % len(holds)], "")
        elif action == "raise":
            account.raises = (*account.raises, raised(amount + 1, now_ms + amount * HOUR_MS // 10))
        elif action == "take back":
            account.raises = ()
        elif action == "limit":
            account.limit = Nano(amount)
        else:
            now_ms += amount * HOUR_MS // 20
        if account.balance is not None:
            balances[id(account.balance)] = account.balance

    open_amount = sum(hold.amount for hold in book.open_holds.values())
    assert sum(balance.held for balance in balances.values()) == open_amount
