"""The ledger as it is decided: pure, synchronous, owned by one event loop.

    reserve ──▶ open hold ──▶ settle   posted <= held; what exceeds it is overage, visible and blocking
       │                └───▶ void     provably nothing was consumed
       └─▶ Refused, naming the ceiling; nothing has moved
    adjust                           corrects what a settled request was charged, by an entry of its own

Every change is also an entry in `journal`, in order. Whoever owns the book drains the journal into
the database; a database that has applied any prefix of it is a state the book has been in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple
from weakref import WeakValueDictionary

from otari_daemon.domain.exceeding import BLOCK, THROTTLE, OnExceed
from otari_daemon.domain.idempotency import Named, Unnamed
from otari_daemon.domain.leases import LeaseEnded, LeaseMoved, Renewal
from otari_daemon.domain.money import ZERO, Nano
from otari_daemon.domain.raises import Raise, in_force, total
from otari_daemon.domain.windows import FOREVER_MS, Period, Window

NO_PERIOD = Period(0, 0)


class BalanceKey(NamedTuple):
    """Names one balance: an account in one period."""

    account_id: int
    period_start_ms: int


@dataclass(slots=True, weakref_slot=True)
class Balance:
    """What was spent and what is held under an account in one period; all nano-USD."""

    key: BalanceKey
    posted: Nano = ZERO
    held: Nano = ZERO
    overage: Nano = ZERO
    acknowledged: Nano = ZERO

    @property
    def blocked(self) -> bool:
        """Whether a provider billed more than its hold and no operator has looked at it yet."""
        return self.overage > self.acknowledged


@dataclass(slots=True)
class Account:
    """A budget as it applies to one holder: a key, a user, a pool of them or everybody.

    `raised` is what its raises came to when a bundle was last gathered, which is never after one has ended.
    """

    id: int
    budget_id: str
    name: str
    limit: Nano | None
    window: Window
    enforced: bool = True
    period: Period = NO_PERIOD
    balance: Balance | None = None
    on_exceed: OnExceed = BLOCK
    raises: tuple[Raise, ...] = ()
    raised: Nano = ZERO

    @property
    def ceiling(self) -> Nano | None:
        """The limit with its raises; None when there is none."""
        return None if self.limit is None else Nano(self.limit + self.raised)

    @property
    def cap(self) -> Nano | None:
        """What admissions must respect; None when there is no limit or it only watches."""
        return self.ceiling if self.enforced else None


@dataclass(frozen=True, slots=True)
class Bundle:
    """The balances one request draws on together, until the first of their periods or raises ends.

    `watches` says that a limit among them is only watched.
    """

    id: int
    accounts: tuple[Account, ...]
    balances: tuple[Balance, ...]
    until_ms: int
    watches: bool = False


@dataclass(slots=True)
class Hold:
    """Money set aside for one request; closed once.

    `owner` is whatever can close it, while it is open; `facts` are kept for whoever writes its end down.
    """

    rid: bytes
    bundle: Bundle
    amount: Nano
    open: bool = True
    owner: object = None
    facts: object = None


class Refused(NamedTuple):
    """Why a reservation was refused: the first ceiling without room, as it stood."""

    account: Account
    balance: Balance
    amount: Nano

    @property
    def may_wait(self) -> bool:
        """Whether only what others hold is in the way, and the budget would have it waited for."""
        cap, balance = self.account.cap, self.balance
        if self.account.on_exceed != THROTTLE or cap is None or balance.blocked:
            return False
        return balance.posted + self.amount <= cap


class Closed(NamedTuple):
    """How a hold ended: `posted + overage` is the whole charge."""

    posted: Nano
    overage: Nano


class BundleOpened(NamedTuple):
    """Journal: a set of balances is about to be drawn on together."""

    bundle: Bundle


class HoldOpened(NamedTuple):
    """Journal: money was set aside. `caps` are the limits it was admitted under, one per balance."""

    hold: Hold
    caps: tuple[Nano | None, ...]
    facts: object


class HoldClosed(NamedTuple):
    """Journal: a hold ended. `posted` is None when it was voided."""

    hold: Hold
    posted: Nano | None
    overage: Nano
    outcome: object


class OverageAcknowledged(NamedTuple):
    """Journal: an operator has seen an account's overage; admissions may go on."""

    key: BalanceKey
    amount: Nano


class Correction(NamedTuple):
    """A later change of what a closed request was charged: a credit below zero, a debit above.

    `source` says who found it and `ref` where; the three names together are made once.
    """

    rid: bytes
    source: str
    ref: str
    amount: int
    made_ms: int
    reason: str = ""


class Drawn(NamedTuple):
    """What one request has drawn from one balance so far, corrections included."""

    balance: Balance
    posted: int
    overage: int


class Share(NamedTuple):
    """What one balance takes of a correction: `posted + overage` is all of it.

    `cap` is the limit under which posted money was added; it counts only if some was.
    """

    key: BalanceKey
    posted: int
    overage: int
    acknowledged: int
    cap: Nano | None = None


class Adjusted(NamedTuple):
    """Journal: a closed request's charge was corrected, under every ceiling it had."""

    correction: Correction
    shares: tuple[Share, ...]


Leasing = LeaseMoved | LeaseEnded | Renewal
Entry = BundleOpened | HoldOpened | HoldClosed | OverageAcknowledged | Adjusted | Named | Unnamed | Leasing


class HoldClosedTwice(Exception):
    """A hold was closed a second time: a defect in the caller, never a condition to handle."""


@dataclass(slots=True)
class Book:
    """All accounts of this node, and the journal of what was decided about them.

    `first_bundle_id` must be above every bundle id the database knows.
    """

    first_bundle_id: int = 1
    accounts: dict[int, Account] = field(default_factory=dict)
    journal: list[Entry] = field(default_factory=list)
    open_holds: dict[bytes, Hold] = field(default_factory=dict)
    _gathered: WeakValueDictionary[BalanceKey, Balance] = field(default_factory=WeakValueDictionary)

    def bundle(self, account_ids: tuple[int, ...], now_ms: int) -> Bundle:
        """Gather the current balances of some accounts, opening new periods as needed.

        A period never moves backwards: a clock set back keeps drawing on the newest period there is.
        """
        accounts = tuple(self.accounts[account_id] for account_id in sorted(set(account_ids)))
        balances = tuple(_current(account, now_ms) for account in accounts)
        until = min((_until(account) for account in accounts), default=FOREVER_MS)
        watches = any(account.limit is not None and not account.enforced for account in accounts)
        made = Bundle(self.first_bundle_id, accounts, balances, until, watches)
        self.first_bundle_id += 1
        self._gathered.update((balance.key, balance) for balance in balances)
        self.journal.append(BundleOpened(made))
        return made

    def reserve(self, rid: bytes, bundle: Bundle, amount: Nano, facts: object) -> Hold | Refused:
        """Set `amount` aside under every ceiling of the bundle, or refuse and move nothing.

        A request that cannot cost anything is never refused for lack of room.
        """
        if amount < 0:
            raise ValueError("a hold cannot be negative")
        if rid in self.open_holds:
            raise ValueError(f"hold {rid.hex()} is open already")
        refused = self.refusal(bundle, amount)
        if refused is not None:
            return refused
        for balance in bundle.balances:
            balance.held = Nano(balance.held + amount)
        hold = Hold(rid, bundle, amount, facts=facts)
        self.open_holds[rid] = hold
        caps = tuple(account.cap for account in bundle.accounts)
        self.journal.append(HoldOpened(hold, caps, facts))
        return hold

    def refusal(self, bundle: Bundle, amount: Nano) -> Refused | None:
        """A ceiling that has no room for `amount` now, if any; asking moves nothing.

        One that could be waited for is named only where no other refuses for good.
        """
        if amount == 0:
            return None
        waiting: Refused | None = None
        for account, balance in zip(bundle.accounts, bundle.balances, strict=True):
            cap = account.cap
            if cap is None:
                continue
            if balance.blocked or balance.posted + balance.held + amount > cap:
                refused = Refused(account, balance, amount)
                if not refused.may_wait:
                    return refused
                waiting = waiting or refused
        return waiting

    def settle(self, hold: Hold, actual: Nano, outcome: object) -> Closed:
        """Give the hold back and keep what was used, in the period that admitted it."""
        if actual < 0:
            raise ValueError("a charge cannot be negative")
        posted = Nano(min(actual, hold.amount))
        overage = Nano(actual - posted)
        self._close(hold, posted, overage)
        self.journal.append(HoldClosed(hold, posted, overage, outcome))
        return Closed(posted, overage)

    def void(self, hold: Hold, outcome: object) -> None:
        """Give the hold back whole: provably nothing was consumed."""
        self._close(hold, ZERO, ZERO)
        self.journal.append(HoldClosed(hold, None, ZERO, outcome))

    def acknowledge(self, account_id: int) -> Nano:
        """Let an account with an overage admit again; return the amount acknowledged now."""
        balance = self.accounts[account_id].balance
        if balance is None or not balance.blocked:
            return ZERO
        seen = Nano(balance.overage - balance.acknowledged)
        balance.acknowledged = balance.overage
        self.journal.append(OverageAcknowledged(balance.key, seen))
        return seen

    def adjust(self, correction: Correction, drawn: tuple[Drawn, ...]) -> tuple[Share, ...]:
        """Correct a closed request's charge in the periods that admitted it.

        A credit takes back overage first, then what was posted. A debit is posted as far as it fits under a
        ceiling whose period is the newest; the rest is overage there, and acknowledged: it has been seen.
        `drawn` has a balance per ceiling of the request: the book's own where `balance` knows one.
        """
        amount = correction.amount
        if any(amount + each.posted + each.overage < 0 for each in drawn):
            raise ValueError("a credit cannot exceed what was charged")
        shares = tuple(self._share(amount, each) for each in drawn)
        for each, share in zip(drawn, shares, strict=True):
            balance = each.balance
            balance.posted = Nano(balance.posted + share.posted)
            balance.overage = Nano(balance.overage + share.overage)
            balance.acknowledged = Nano(balance.acknowledged + share.acknowledged)
        self.journal.append(Adjusted(correction, shares))
        return shares

    def balance(self, key: BalanceKey) -> Balance | None:
        """The balance of that name, if it is in memory: the newest of its account, or one still drawn on."""
        newest = self._newest(key)
        return self._gathered.get(key) if newest is None else newest

    def _newest(self, key: BalanceKey) -> Balance | None:
        account = self.accounts.get(key.account_id)
        balance = account.balance if account is not None else None
        return balance if balance is not None and balance.key == key else None

    def _share(self, amount: int, drawn: Drawn) -> Share:
        balance = drawn.balance
        if amount < 0:
            overage = -min(-amount, drawn.overage)
            acknowledged = min(0, balance.overage + overage - balance.acknowledged)
            return Share(balance.key, amount - overage, overage, acknowledged)
        if self._newest(balance.key) is not balance:
            return Share(balance.key, 0, amount, amount)
        cap = self.accounts[balance.key.account_id].cap
        posted = amount if cap is None else min(amount, max(0, cap - balance.posted - balance.held))
        return Share(balance.key, posted, amount - posted, amount - posted, cap)

    def take_journal(self) -> list[Entry]:
        """Hand over the entries so far, in order, and begin a new list."""
        taken, self.journal = self.journal, []
        return taken

    def _close(self, hold: Hold, posted: Nano, overage: Nano) -> None:
        if not hold.open:
            raise HoldClosedTwice(hold.rid.hex())
        hold.open = False
        del self.open_holds[hold.rid]
        for balance in hold.bundle.balances:
            balance.held = Nano(balance.held - hold.amount)
            balance.posted = Nano(balance.posted + posted)
            balance.overage = Nano(balance.overage + overage)
            assert balance.held >= 0, "more was given back than was held"


def _until(account: Account) -> int:
    return min(account.period.end_ms, *(each.until_ms for each in account.raises), FOREVER_MS)


def _current(account: Account, now_ms: int) -> Balance:
    if account.raises or account.raised:
        account.raises = in_force(account.raises, now_ms)
        account.raised = total(account.raises)
    balance = account.balance
    if balance is not None and now_ms < account.period.end_ms:
        return balance
    period = account.window.period(now_ms)
    if balance is not None and period.start_ms <= account.period.start_ms:
        return balance
    account.period = period
    account.balance = Balance(BalanceKey(account.id, period.start_ms))
    return account.balance
