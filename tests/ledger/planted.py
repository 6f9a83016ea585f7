"""Ledgers with one defect each. A simulation that lets any of them pass proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from otari_daemon.domain.book import (
    BalanceKey,
    Book,
    Bundle,
    Closed,
    Correction,
    Drawn,
    Entry,
    Hold,
    HoldClosed,
    HoldOpened,
    Refused,
    Share,
)
from otari_daemon.domain.budgets import Budget
from otari_daemon.domain.money import ZERO, Nano
from otari_daemon.domain.records import Progress
from otari_daemon.store.fold import Fold, Leg
from tests.ledger.disk import SqliteDisk, connect
from tests.ledger.model import ModelDisk


class Clamping(Book):
    """Lets a hold be closed twice and hides it by stopping at zero."""

    def _close(self, hold: Hold, posted: Nano, overage: Nano) -> None:
        self.open_holds.pop(hold.rid, None)
        for balance in hold.bundle.balances:
            balance.held = Nano(max(0, balance.held - hold.amount))
            balance.posted = Nano(balance.posted + posted)
            balance.overage = Nano(balance.overage + overage)


class ForgetsALeg(Book):
    """Holds under the first ceiling only."""

    def reserve(self, rid: bytes, bundle: Bundle, amount: Nano, facts: object) -> Hold | Refused:
        made = super().reserve(rid, bundle, amount, facts)
        if isinstance(made, Hold):
            for balance in bundle.balances[1:]:
                balance.held = Nano(balance.held - amount)
        return made


class AdmitsOneTooMany(Book):
    """Looks at what was posted and forgets what is held."""

    def refusal(self, bundle: Bundle, amount: Nano) -> Refused | None:
        held = [balance.held for balance in bundle.balances]
        for balance in bundle.balances:
            balance.held = ZERO
        refused = super().refusal(bundle, amount)
        for balance, amount_held in zip(bundle.balances, held, strict=True):
            balance.held = amount_held
        return refused


class HidesOverage(Book):
    """Charges no more than was held, whatever the provider bills."""

    def settle(self, hold: Hold, actual: Nano, outcome: object) -> Closed:
        return super().settle(hold, Nano(min(actual, hold.amount)), outcome)


class VoidsInSilence(Book):
    """Gives a hold back without telling the database."""

    def void(self, hold: Hold, outcome: object) -> None:
        super().void(hold, outcome)
        self.journal.pop()


class SettlesBeforeItHolds(Book):
    """Hands its journal over in the wrong order."""

    def take_journal(self) -> list[Entry]:
        return sorted(super().take_journal(), key=lambda entry: isinstance(entry, HoldOpened))


class FollowsTheClockBack(Book):
    """Opens an old period again, empty, when the clock is set back."""

    def bundle(self, account_ids: tuple[int, ...], now_ms: int) -> Bundle:
        for account_id in account_ids:
            account = self.accounts[account_id]
            if account.balance is not None and now_ms < account.period.start_ms:
                account.balance = None
        return super().bundle(account_ids, now_ms)


class DebitsPastTheLimit(Book):
    """Posts a whole debit, room or no room."""

    def _share(self, amount: int, drawn: Drawn) -> Share:
        made = super()._share(amount, drawn)
        whole = made._replace(posted=amount, overage=0, acknowledged=0)
        return whole if amount > 0 and self._newest(made.key) else made


class CreditsInSilence(Book):
    """Lowers what was posted without telling the database."""

    def adjust(self, correction: Correction, drawn: tuple[Drawn, ...]) -> tuple[Share, ...]:
        made = super().adjust(correction, drawn)
        self.journal.pop()
        return made


class DropsWhatFailed(ModelDisk):
    """Loses every fifth batch, as a writer does that gives up after an error."""

    batches = 0

    def apply(self, entries: Sequence[Entry | Progress]) -> None:
        self.batches += 1
        kept = [entry for entry in entries if not isinstance(entry, HoldClosed)]
        super().apply(entries if self.batches % 5 else kept)


class VoidsAllOrphans(ModelDisk):
    """Gives sent requests back for free after a crash."""

    def charged(self) -> dict[bytes, int | None]:
        return {rid: 0 if amount is None else amount for rid, amount in super().charged().items()}


class _FoldForgets(Fold):
    def _close(self, entry: HoldClosed) -> None:
        super()._close(entry)
        if self._whole:  # opened and closed in one batch
            self._moves_of(entry.hold.bundle).posted -= entry.posted or 0


class _FoldCorrectsTheRowOnly(Fold):
    def _correct(self, legs: dict[BalanceKey, Leg]) -> None:
        self._adjusted = []
        super()._correct(legs)


class CorrectsTheRowOnly(SqliteDisk):
    """Writes a correction down, and leaves the balances as they were."""

    fold = _FoldCorrectsTheRowOnly

    def __init__(self, made: list[Budget]) -> None:
        super().__init__(made, connect())


class FoldsTooMuchAway(SqliteDisk):
    """Takes a hold that opened and closed in one batch for nothing at all."""

    fold = _FoldForgets

    def __init__(self, made: list[Budget]) -> None:
        super().__init__(made, connect())


BOOKS: tuple[Callable[..., Book], ...] = (
    Clamping,
    ForgetsALeg,
    AdmitsOneTooMany,
    HidesOverage,
    VoidsInSilence,
    SettlesBeforeItHolds,
    FollowsTheClockBack,
    DebitsPastTheLimit,
    CreditsInSilence,
)
DISKS = (DropsWhatFailed, VoidsAllOrphans, FoldsTooMuchAway, CorrectsTheRowOnly)
