"""How a node that is not alone keeps its leases: asks ahead, lets requests wait for more, and gives back.

One question per balance is under way at a time; it travels with the journal, so it is answered in the
order of what was decided before it. Belongs to the event loop's thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

from otari_daemon.control.ledger import Ledger
from otari_daemon.control.plane import Admission
from otari_daemon.domain.book import Account, Balance, Refused
from otari_daemon.domain.leases import BalanceName, Lease, Renewal, Terms
from otari_daemon.domain.money import Nano
from otari_daemon.domain.shared_book import SharedBook
from otari_daemon.store.store import Store

WAIT_S = 2.0
"""How long a request waits, at most, for what other nodes leave idle: they are asked ten times a second.

Most requests that wait do so for one commit; where no node has enough, none waits.
"""

ASK_AGAIN_S = 0.025
"""Between two questions for what others have been asked to give back."""

WAITING_MAX = 10_000
"""Requests that may wait for leases at once; each of them is in flight at the front as well."""

TICK_S = 0.1
KEPT_TICKS = 10
"""A lease that nobody draws on is given back after so many ticks, and forgotten after ten times as many."""

Again = Callable[[], Admission | Refused]


class _Waiter:
    __slots__ = ("again", "amount", "future", "refused")

    def __init__(self, refused: Refused, again: Again, future: asyncio.Future[Admission | Refused]) -> None:
        self.amount, self.refused, self.again, self.future = refused.amount, refused, again, future


class Leasing:
    """All leases of this node; `nodes` is how many share the ledger now, `wait_s` how long requests wait."""

    def __init__(self, book: SharedBook, ledger: Ledger, store: Store) -> None:
        self.nodes = 1
        self.wait_s = WAIT_S
        self._book = book
        self._ledger = ledger
        self._store = store
        self._lines: dict[BalanceName, deque[_Waiter]] = {}
        self._asking: set[BalanceName] = set()
        self._soon: dict[BalanceName, tuple[Account, Balance]] = {}
        self._waiting = 0

    async def admit(self, refused: Refused, again: Again) -> Admission | Refused:
        """Try `again` as soon as enough is leased here; a refusal when that cannot be, or not in time.

        Follows the refusal at once. Raises what `again` raises.
        """
        lacking = self._book.lacking
        if not lacking or self._waiting >= WAITING_MAX:
            return refused
        waiter = _Waiter(refused, again, asyncio.get_running_loop().create_future())
        keys = [balance.key for _, balance in lacking]
        self._waiting += 1
        for account, balance in lacking:
            self._join(waiter, account, balance)
        try:
            await asyncio.wait((waiter.future,), timeout=self.wait_s)
            return waiter.future.result() if waiter.future.done() else waiter.refused
        finally:
            waiter.future.cancel()
            self._waiting -= 1
            for key in keys:
                self._leave(waiter, key)

    def tick(self) -> None:
        """Ask ahead where it is drawn fast, give back what lies idle; every `TICK_S`."""
        for lease in tuple(self._book.leases.values()):
            lease.tick()
            self._tend(lease)
        self._flush()

    def recalled(self, lease: Lease, number: int) -> None:
        """Other nodes were short: give back what is not enough for anybody who waits here."""
        if number == lease.recalls:
            return
        lease.recalls = number
        if all(waiter.amount > lease.idle for waiter in self._waiters(lease.key)):
            self._book.give_back(lease)
            self._flush()

    def give_back_all(self) -> None:
        """This node goes: return everything."""
        self._book.give_back_all()
        self._flush()

    def _join(self, waiter: _Waiter, account: Account, balance: Balance) -> None:
        lease = self._book.lease(balance)
        lease.waiting += 1
        lease.usual = Nano(max(lease.usual, waiter.amount))
        self._lines.setdefault(balance.key, deque()).append(waiter)
        self._ask(account, balance)

    def _leave(self, waiter: _Waiter, key: BalanceName) -> None:
        line = self._lines[key]
        line.remove(waiter)
        if not line:
            del self._lines[key]
        self._book.leases[key].waiting -= 1

    def _tend(self, lease: Lease) -> None:
        account = self._book.accounts[lease.key[0]]
        balance = account.balance
        if lease.waiting or lease.key in self._asking:
            return
        current = balance is not None and balance.key == lease.key
        if not current or account.cap != lease.cap or lease.scarce or lease.quiet >= KEPT_TICKS:
            self._book.give_back(lease)
        elif lease.idle > 2 * lease.ahead:
            self._book.give_back(lease, lease.ahead)
        elif balance is not None and lease.demand and lease.idle < lease.ahead >> 1:
            self._ask(account, balance)
        if balance is not None and current and self._ledger.lines.has(account.id):
            self._ask(account, balance)
        elif lease.quiet >= 10 * KEPT_TICKS and not (lease.idle or lease.moved or lease.mine):
            self._book.end(lease)

    def _ask(self, account: Account, balance: Balance) -> None:
        """Have more asked for at the end of this turn of the loop."""
        if balance.key in self._asking or account.cap is None:
            return
        if not self._soon:
            asyncio.get_running_loop().call_soon(self._ask_now)
        self._soon[balance.key] = (account, balance)

    def _ask_now(self) -> None:
        soon, self._soon = self._soon, {}
        for key, (account, balance) in soon.items():
            cap = account.cap
            if cap is None or key in self._asking or self._store.failure is not None:
                continue
            lease = self._book.lease(balance)
            if lease.cap != cap:
                self._book.give_back(lease)
            self._asking.add(key)
            renewal = self._renewal(lease, cap)
            self._book.journal.append(renewal)
            self._store.post(self._book.take_journal(), partial(self._answered, renewal, account, balance))

    def _renewal(self, lease: Lease, cap: Nano) -> Renewal:
        amounts = [waiter.amount for waiter in self._lines.get(lease.key, ()) if not waiter.future.done()]
        if not amounts and self._ledger.lines.has(lease.key[0]):
            amounts = [lease.wanted]
        least = max(0, min(amounts, default=0) - lease.idle)
        need = max(0, sum(amounts) - lease.idle)
        ahead = max(0, lease.ahead - lease.idle)
        return Renewal(lease.key, cap, Nano(least), Nano(need), Nano(ahead), lease.usual, max(1, self.nodes))

    def _answered(self, asked: Renewal, account: Account, balance: Balance) -> None:
        """The question is on disk with its answer: serve those who wait, in order."""
        terms = asked.terms
        assert terms is not None, "a renewal that was committed has its terms"
        self._asking.discard(asked.key)
        self._book.renewed(asked, terms, balance)
        lease = self._book.lease(balance)
        for waiter in self._waiters(asked.key):
            self._serve(waiter, lease, terms)
        if next(self._waiters(asked.key), None) is not None:
            delay_s = 0.0 if terms.granted else ASK_AGAIN_S
            asyncio.get_running_loop().call_later(delay_s, self._ask, account, balance)
        if lease.idle:
            self._ledger.lines.wake(account.id)

    def _serve(self, waiter: _Waiter, lease: Lease, terms: Terms) -> None:
        """Try a request again if this lease has room for it; refuse it if no node can have."""
        if lease.idle < waiter.amount and lease.idle + terms.remaining + terms.elsewhere >= waiter.amount:
            return
        try:
            found = waiter.again()
        except Exception as error:  # noqa: BLE001 - it is the waiting request's to answer for
            waiter.future.set_exception(error)
            return
        if isinstance(found, Refused):
            waiter.refused = found
            if lease.idle >= waiter.amount and self._book.lacking:
                return  # another lease of its is still asked for
            lease.wanted = found.amount
        waiter.future.set_result(found)

    def _waiters(self, key: BalanceName) -> Iterator[_Waiter]:
        return (waiter for waiter in tuple(self._lines.get(key, ())) if not waiter.future.done())

    def _flush(self) -> None:
        if self._store.failure is None:
            self._ledger.ticket()
