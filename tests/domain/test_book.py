"""The book's laws: every ceiling or none, closed once, and nothing appears or vanishes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.book import (
    Account,
    Balance,
    BalanceKey,
    Book,
    BundleOpened,
    Closed,
    Hold,
    HoldClosed,
    HoldClosedTwice,
    HoldOpened,
    OverageAcknowledged,
    Refused,
)
from otari_daemon.domain.money import Nano
from otari_daemon.domain.windows import FOREVER_MS, Every, Lifetime

HOUR_MS = 3_600_000

History = list[tuple[str, int, tuple[int, ...]]]


def account(number: int, limit: int | None, *, enforced: bool = True, hourly: bool = False) -> Account:
    window = Every(HOUR_MS, 0) if hourly else Lifetime()
    cap = None if limit is None else Nano(limit)
    return Account(number, f"b_{number}", f"budget {number}", cap, window, enforced)


def book_of(*accounts: Account) -> Book:
    return Book(accounts={each.id: each for each in accounts})


def reserve(
    book: Book, amount: int, *numbers: int, now_ms: int = 0, rid: bytes | None = None
) -> Hold | Refused:
    name = rid or len(book.journal).to_bytes(16, "big")
    return book.reserve(name, book.bundle(numbers, now_ms), Nano(amount), "facts")


def held(book: Book, amount: int, *numbers: int, now_ms: int = 0) -> Hold:
    """A reservation that must succeed."""
    hold = reserve(book, amount, *numbers, now_ms=now_ms)
    assert isinstance(hold, Hold)
    return hold


def settle(book: Book, hold: Hold, actual: int) -> Closed:
    return book.settle(hold, Nano(actual), "outcome")


def balances(book: Book) -> list[tuple[int, int, int]]:
    current = [each.balance for each in book.accounts.values() if each.balance is not None]
    return [(balance.posted, balance.held, balance.overage) for balance in current]


def test_a_hold_moves_every_balance_of_its_bundle() -> None:
    book = book_of(account(1, 100), account(2, 50), account(3, None))

    assert isinstance(reserve(book, 40, 1, 2, 3), Hold)

    assert balances(book) == [(0, 40, 0)] * 3


def test_one_ceiling_without_room_refuses_and_nothing_moves() -> None:
    book = book_of(account(1, 100), account(2, 50))

    refused = reserve(book, 51, 1, 2)

    assert isinstance(refused, Refused)
    assert (refused.account.id, refused.amount) == (2, 51)
    assert balances(book) == [(0, 0, 0)] * 2
    assert not book.open_holds
    assert not any(isinstance(entry, HoldOpened) for entry in book.journal)


@pytest.mark.parametrize(("amount", "fits"), [(60, True), (61, False), (0, True)])
def test_a_ceiling_is_reached_exactly(amount: int, fits: bool) -> None:
    book = book_of(account(1, 100))
    reserve(book, 40, 1)

    assert isinstance(reserve(book, amount, 1), Hold) is fits


def test_a_settled_hold_keeps_what_was_used_and_gives_the_rest_back() -> None:
    book = book_of(account(1, 100))
    hold = held(book, 80, 1)

    assert settle(book, hold, 30) == (30, 0)

    assert balances(book) == [(30, 0, 0)]
    assert isinstance(reserve(book, 70, 1), Hold)


def test_a_voided_hold_leaves_no_trace_in_the_balance() -> None:
    book = book_of(account(1, 100))
    hold = held(book, 80, 1)

    book.void(hold, "outcome")

    assert balances(book) == [(0, 0, 0)]
    assert book.journal[-1] == (hold, None, 0, "outcome")


def test_a_bill_beyond_the_hold_is_overage_and_blocks_until_acknowledged() -> None:
    book = book_of(account(1, 1000))

    assert settle(book, held(book, 10, 1), 15) == (10, 5)
    assert isinstance(reserve(book, 1, 1), Refused)
    assert isinstance(reserve(book, 0, 1), Hold)

    assert book.acknowledge(1) == 5
    assert book.journal[-1] == (BalanceKey(1, 0), 5)
    assert book.acknowledge(1) == 0
    assert isinstance(reserve(book, 1, 1), Hold)


def test_a_new_overage_blocks_again_and_only_that_is_acknowledged() -> None:
    book = book_of(account(1, 1000))
    first, second = held(book, 10, 1), held(book, 10, 1)
    settle(book, first, 12)
    book.acknowledge(1)

    settle(book, second, 17)

    assert isinstance(reserve(book, 1, 1), Refused)
    assert book.acknowledge(1) == 7


def test_a_budget_that_only_watches_counts_and_never_refuses() -> None:
    book = book_of(account(1, 10, enforced=False))

    hold = held(book, 500, 1)
    settle(book, hold, 600)

    assert isinstance(reserve(book, 500, 1), Hold)
    assert balances(book) == [(500, 500, 100)]


@pytest.mark.parametrize("close", ["settle", "void"])
@pytest.mark.parametrize("again", ["settle", "void"])
def test_a_hold_closes_once(close: str, again: str) -> None:
    book = book_of(account(1, 100))
    hold = held(book, 10, 1)
    ways: dict[str, Callable[[], object]] = {
        "settle": lambda: settle(book, hold, 5),
        "void": lambda: book.void(hold, ""),
    }
    ways[close]()
    before = balances(book)

    with pytest.raises(HoldClosedTwice):
        ways[again]()

    assert balances(book) == before


def test_a_request_id_is_held_once_at_a_time() -> None:
    book = book_of(account(1, 100))
    reserve(book, 10, 1, rid=b"same")

    with pytest.raises(ValueError, match="open already"):
        reserve(book, 10, 1, rid=b"same")

    assert balances(book) == [(0, 10, 0)]


def test_negative_amounts_are_refused_and_nothing_moves() -> None:
    book = book_of(account(1, 100))
    hold = held(book, 10, 1)

    with pytest.raises(ValueError, match="negative"):
        reserve(book, -1, 1)
    with pytest.raises(ValueError, match="negative"):
        settle(book, hold, -1)

    assert balances(book) == [(0, 10, 0)]
    assert hold.open


def test_a_new_period_is_a_new_balance_and_the_old_hold_settles_where_it_was_admitted() -> None:
    book = book_of(account(1, 100, hourly=True))
    late = held(book, 90, 1, now_ms=HOUR_MS - 1)
    (old,) = late.bundle.balances

    fresh = held(book, 90, 1, now_ms=HOUR_MS)
    settle(book, late, 70)

    assert isinstance(fresh, Hold)
    assert (old.posted, old.held) == (70, 0)
    assert balances(book) == [(0, 90, 0)]


def test_a_bundle_lasts_until_the_first_of_its_periods_ends() -> None:
    book = book_of(account(1, 1, hourly=True), account(2, 1))

    assert book.bundle((1, 2), 5).until_ms == HOUR_MS
    assert book.bundle((2,), 5).until_ms == FOREVER_MS
    assert book.bundle((), 5).until_ms == FOREVER_MS


def test_a_clock_set_back_keeps_drawing_on_the_newest_period() -> None:
    book = book_of(account(1, 100, hourly=True))
    reserve(book, 60, 1, now_ms=5 * HOUR_MS)

    assert isinstance(reserve(book, 60, 1, now_ms=HOUR_MS), Refused)
    assert book.bundle((1,), HOUR_MS).balances[0].key == BalanceKey(1, 5 * HOUR_MS)


def test_a_limit_lowered_below_what_is_used_stops_admissions_and_rewrites_nothing() -> None:
    book = book_of(account(1, 100))
    hold = held(book, 80, 1)

    book.accounts[1].limit = Nano(50)

    assert isinstance(reserve(book, 1, 1), Refused)
    assert settle(book, hold, 80) == (80, 0)


def test_a_raised_limit_admits_at_once_under_a_bundle_made_before() -> None:
    book = book_of(account(1, 10))
    bundle = book.bundle((1,), 0)

    book.accounts[1].limit = Nano(20)

    assert isinstance(book.reserve(b"r", bundle, Nano(15), ""), Hold)


def test_an_account_named_twice_is_drawn_on_once() -> None:
    book = book_of(account(1, 100))

    reserve(book, 40, 1, 1)

    assert balances(book) == [(0, 40, 0)]


def test_the_journal_has_everything_in_order_and_is_handed_over_once() -> None:
    book = book_of(account(1, 100))
    hold = held(book, 40, 1)
    settle(book, hold, 50)

    taken = book.take_journal()

    assert taken == [
        (hold.bundle,),
        (hold, (100,), "facts"),
        (hold, 40, 10, "outcome"),
    ]
    assert book.take_journal() == []


steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "reserve", "settle", "void", "acknowledge", "limit", "hour"]),
        st.integers(0, 120),
        st.sampled_from([(1,), (2,), (1, 2), (1, 2, 3)]),
    ),
    max_size=40,
)


@given(steps)
def test_after_any_history_balances_are_the_sums_of_holds_and_every_admission_fitted(
    history: History,
) -> None:
    book = book_of(account(1, 100), account(2, 150, hourly=True), account(3, 60, enforced=False))
    now_ms = 0
    for action, amount, numbers in history:
        holds = list(book.open_holds.values())
        if action == "reserve":
            made = reserve(book, amount, *numbers, now_ms=now_ms)
            if isinstance(made, Hold) and amount:
                for each, balance in zip(made.bundle.accounts, made.bundle.balances, strict=True):
                    assert each.cap is None or balance.posted + balance.held <= each.cap
        elif action == "settle" and holds:
            settle(book, holds[amount % len(holds)], amount)
        elif action == "void" and holds:
            book.void(holds[amount % len(holds)], "")
        elif action == "acknowledge":
            book.acknowledge(numbers[0])
        elif action == "limit":
            book.accounts[numbers[0]].limit = Nano(amount)
        else:
            now_ms += HOUR_MS

    assert sums_of_journal(book) == {
        balance.key: (balance.posted, balance.held, balance.overage, balance.acknowledged)
        for balance in every_balance(book)
    }


def every_balance(book: Book) -> list[Balance]:
    """All balances the journal has ever named, each once."""
    bundles = [entry.bundle for entry in book.journal if isinstance(entry, BundleOpened)]
    return list({id(balance): balance for bundle in bundles for balance in bundle.balances}.values())


def sums_of_journal(book: Book) -> dict[BalanceKey, tuple[int, ...]]:
    """What the balances must be by the entries alone: posted, held, overage, acknowledged."""
    sums: dict[BalanceKey, list[int]] = {}
    for entry in book.journal:
        match entry:
            case BundleOpened(bundle):
                for balance in bundle.balances:
                    sums.setdefault(balance.key, [0, 0, 0, 0])
            case HoldOpened(hold):
                for balance in hold.bundle.balances:
                    sums[balance.key][1] += hold.amount
            case HoldClosed(hold, posted, overage):
                for balance in hold.bundle.balances:
                    moved = sums[balance.key]
                    moved[0] += posted or 0
                    moved[1] -= hold.amount
                    moved[2] += overage
            case OverageAcknowledged(key, amount):
                sums[key][3] += amount
    return {key: tuple(moved) for key, moved in sums.items()}
