"""The book of a node that is not alone: a limited balance admits what this node has leased of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from otari_daemon.domain.book import (
    Account,
    Balance,
    Book,
    Bundle,
    Correction,
    Drawn,
    Entry,
    Hold,
    Refused,
    Share,
)
from otari_daemon.domain.leases import BalanceName, Lease, LeaseEnded, LeaseMoved, Renewal, Terms, scarce
from otari_daemon.domain.money import ZERO, Nano


@dataclass(slots=True)
class SharedBook(Book):
    """A book whose limits are the database's to keep, and whose leases are its own to spend.

    `lacking` are the accounts whose leases were too small for what was refused last; it is empty where
    no lease could have helped. Amounts of a balance are as the database last told, and never less than ours.
    """

    leases: dict[BalanceName, Lease] = field(default_factory=dict)
    lacking: list[tuple[Account, Balance]] = field(default_factory=list)
    _touched: dict[BalanceName, Lease] = field(default_factory=dict)

    def refusal(self, bundle: Bundle, amount: Nano) -> Refused | None:
        """An account that has not leased `amount` here, if any; one that is refused for good first."""
        self.lacking = []
        if amount == 0:
            return None
        lacking: list[tuple[Account, Balance]] = []
        for account, balance in zip(bundle.accounts, bundle.balances, strict=True):
            if account.cap is None:
                continue
            if balance.blocked:
                return Refused(account, balance, amount)
            lease = self.leases.get(balance.key)
            if lease is None or lease.idle < amount or lease.cap != account.cap:
                lacking.append((account, balance))
        if not lacking:
            return None
        self.lacking = lacking
        refusals = [Refused(account, balance, amount) for account, balance in lacking]
        return next((each for each in refusals if not each.may_wait), refusals[0])

    def reserve(self, rid: bytes, bundle: Bundle, amount: Nano, facts: object) -> Hold | Refused:
        """Set `amount` aside under every ceiling, from leases, or refuse and move nothing."""
        held = Book.reserve(self, rid, bundle, amount, facts)
        if amount and isinstance(held, Hold):
            for account, balance in zip(bundle.accounts, bundle.balances, strict=True):
                if account.cap is not None:
                    lease = self._touched[balance.key] = self.leases[balance.key]
                    lease.draw(amount)
        return held

    def lease(self, balance: Balance) -> Lease:
        """This node's lease on a balance; an empty one where there was none."""
        found = self.leases.get(balance.key)
        if found is None:
            found = self.leases[balance.key] = Lease(balance.key)
        return found

    def give_back(self, lease: Lease, keep: Nano = ZERO) -> bool:
        """Return what is leased and not held, beyond `keep`; say whether that was anything."""
        if lease.idle <= keep:
            return False
        lease.give_back(lease.idle - keep)
        self._touched[lease.key] = lease
        return True

    def give_back_all(self) -> None:
        """Return every lease: this node goes."""
        for lease in self.leases.values():
            self.give_back(lease)

    def end(self, lease: Lease) -> None:
        """Forget an empty lease that nobody draws on."""
        del self.leases[lease.key]
        self.journal.append(LeaseEnded(lease.key))

    def renewed(self, asked: Renewal, terms: Terms, balance: Balance) -> None:
        """Take in what a renewal came to."""
        lease = self.lease(balance)
        if lease.cap != asked.cap:
            self.give_back(lease)  # what came back meanwhile was leased under another cap
        lease.cap, lease.recalls = asked.cap, terms.recalls
        lease.scarce = scarce(asked, terms.remaining)
        lease.idle = Nano(lease.idle + terms.granted)
        self._touched[lease.key] = lease
        balance.held = Nano(max(terms.held, lease.mine))
        seen(balance, terms.posted, terms.overage, terms.acknowledged)

    def adjust(self, correction: Correction, drawn: tuple[Drawn, ...]) -> tuple[Share, ...]:
        """Correct a closed request's charge; a debit under a limit is posted as far as it is leased here."""
        shares = Book.adjust(self, correction, drawn)
        for share in shares:
            if share.posted > 0 and share.cap is not None:
                lease = self._touched[share.key] = self.leases[share.key]
                lease.give_back(share.posted)
        return shares

    def _share(self, amount: int, drawn: Drawn) -> Share:
        share = Book._share(self, amount, drawn)
        if share.posted <= 0 or share.cap is None:
            return share
        lease = self.leases.get(share.key)
        idle = lease.idle if lease is not None and lease.cap == share.cap else ZERO
        posted = min(share.posted, idle)
        return share._replace(posted=posted, overage=amount - posted, acknowledged=amount - posted)

    def take_journal(self) -> list[Entry]:
        """The entries so far, and what they moved in leases."""
        for key, lease in self._touched.items():
            if lease.moved:
                self.journal.append(LeaseMoved(key, lease.moved))
                lease.moved = 0
        self._touched.clear()
        return Book.take_journal(self)

    def _close(self, hold: Hold, posted: Nano, overage: Nano) -> None:
        Book._close(self, hold, posted, overage)
        if hold.amount:
            for balance in hold.bundle.balances:
                lease = self.leases.get(balance.key)
                if lease is not None:
                    lease.put_back(hold.amount, posted)
                    self._touched[balance.key] = lease


def seen(balance: Balance, posted: int, overage: int, acknowledged: int) -> None:
    """Take in what the database says of a balance while ours may be ahead of it: the higher amounts."""
    balance.posted = Nano(max(balance.posted, posted))
    balance.overage = Nano(max(balance.overage, overage))
    balance.acknowledged = Nano(min(balance.overage, max(balance.acknowledged, acknowledged)))


def stands(balance: Balance, posted: int, overage: int, acknowledged: int) -> None:
    """Take in what the database says of a balance when it has everything of ours."""
    balance.posted, balance.overage = Nano(posted), Nano(overage)
    balance.acknowledged = Nano(acknowledged)
