"""Leases as rules: what a renewal is granted, and what a book admits from what it has leased."""

from __future__ import annotations

import pytest

from otari_daemon.domain.book import Bundle, Hold, HoldOpened, Refused
from otari_daemon.domain.leases import Lease, LeaseMoved, Renewal, Terms, granted
from otari_daemon.domain.money import Nano
from otari_daemon.domain.shared_book import SharedBook
from tests.ledger.support import NOW_MS, book_of, budget, facts, outcome, reserve, rid_of

LIMIT = Nano(10_000)


def renewal(*, least: int = 0, need: int = 0, ahead: int = 0, usual: int = 10, nodes: int = 2) -> Renewal:
    """A question for more of the first balance."""
    return Renewal((1, 0), LIMIT, Nano(least), Nano(need), Nano(ahead), Nano(usual), nodes)


@pytest.mark.parametrize(
    ("asked", "remaining", "amount"),
    [
        (renewal(ahead=80), 10_000, 80),
        (renewal(ahead=2_000), 10_000, 1_250),
        (renewal(ahead=2_000, nodes=4), 10_000, 625),
        (renewal(least=10, need=3_000, ahead=80), 10_000, 3_000),
        (renewal(least=10, need=300, ahead=80), 319, 300),
        (renewal(ahead=80), 319, 0),
        (renewal(least=10, need=300), 45, 45),
        (renewal(least=10, need=300), 9, 0),
        (renewal(ahead=80), 0, 0),
        (renewal(least=10, need=10), -5, 0),
    ],
    ids=[
        "what is good to have",
        "at most a quarter of a node's even part",
        "which is less where there are more nodes",
        "all that is waited for",
        "of a scarce budget what is waited for",
        "and nothing ahead",
        "whatever is left, if it is enough for one",
        "nothing if it is not",
        "nothing of nothing",
        "nothing of less",
    ],
)
def test_a_renewal_is_granted(asked: Renewal, remaining: int, amount: int) -> None:
    assert granted(asked, remaining) == amount


def shared(leased: int) -> tuple[SharedBook, Bundle, Lease]:
    """A book with one budget, of which so much is leased, and the bundle that draws on it."""
    book = SharedBook(accounts=book_of(budget("b", LIMIT)).accounts)
    bundle = book.bundle((1,), NOW_MS)
    told(book, bundle, leased)
    book.take_journal()
    return book, bundle, book.lease(bundle.balances[0])


def told(book: SharedBook, bundle: Bundle, amount: int, cap: Nano = LIMIT) -> None:
    """The database grants `amount`."""
    terms = Terms(Nano(amount), Nano(LIMIT - amount), *(Nano(0),) * 5, 0)
    asked = renewal()
    asked.cap = cap
    book.renewed(asked, terms, bundle.balances[0])


def test_a_book_admits_what_it_has_leased_and_not_a_nano_more() -> None:
    book, bundle, lease = shared(100)

    reserve(book, bundle, 1, 60)
    refused = book.reserve(rid_of(2), bundle, Nano(41), facts())
    reserve(book, bundle, 3, 40)

    assert isinstance(refused, Refused)
    assert lease.idle == 0


def test_what_a_request_did_not_use_can_be_used_by_the_next() -> None:
    book, bundle, lease = shared(100)

    book.settle(reserve(book, bundle, 1, 100), Nano(30), outcome(30))

    assert lease.idle == 70
    assert (bundle.balances[0].posted, bundle.balances[0].held) == (30, 0)


def test_the_journal_has_what_a_turn_moved_in_a_lease_once_and_after_its_holds() -> None:
    book, bundle, lease = shared(100)
    reserve(book, bundle, 1, 60)
    reserve(book, bundle, 2, 10)

    journal = book.take_journal()

    assert [type(entry) for entry in journal] == [HoldOpened, HoldOpened, LeaseMoved]
    assert journal[-1] == LeaseMoved(lease.key, -70)
    assert book.take_journal() == []


def test_what_was_leased_under_another_limit_admits_nothing() -> None:
    book, bundle, lease = shared(100)
    book.accounts[1].limit = Nano(LIMIT - 1)

    refused = book.reserve(rid_of(1), bundle, Nano(1), facts())
    told(book, bundle, 5, cap=Nano(LIMIT - 1))

    assert isinstance(refused, Refused)
    assert lease.idle == 5
    assert book.take_journal() == [LeaseMoved(lease.key, -100)]


def test_a_budget_without_a_limit_needs_no_lease() -> None:
    book = SharedBook(accounts=book_of(budget("b", None)).accounts)
    bundle = book.bundle((1,), NOW_MS)

    assert isinstance(book.reserve(rid_of(1), bundle, Nano(10**12), facts()), Hold)
    assert book.leases == {}


def test_a_refusal_names_every_lease_that_is_too_small_and_none_where_none_would_help() -> None:
    book = SharedBook(accounts=book_of(budget("a", LIMIT), budget("b", LIMIT)).accounts)
    bundle = book.bundle((1, 2), NOW_MS)

    book.reserve(rid_of(1), bundle, Nano(1), facts())
    lacking = [account.id for account, _ in book.lacking]
    bundle.balances[0].overage = Nano(1)
    book.reserve(rid_of(1), bundle, Nano(1), facts())

    assert lacking == [1, 2]
    assert book.lacking == []
