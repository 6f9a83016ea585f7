"""Many journal entries become few statements: one row per hold, one update per balance."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import cast

from otari_daemon.domain.book import (
    Adjusted,
    Balance,
    BalanceKey,
    Bundle,
    BundleOpened,
    Entry,
    HoldClosed,
    HoldOpened,
    OverageAcknowledged,
)
from otari_daemon.domain.idempotency import Named, Unnamed
from otari_daemon.domain.money import Nano
from otari_daemon.domain.pricing import Price
from otari_daemon.domain.records import Facts, Outcome, Progress
from otari_daemon.domain.usage import Usage
from otari_daemon.store import idempotency, sql
from otari_daemon.store.cells import Cells, KnownSeries, of_corrections
from otari_daemon.store.database import Connection, Counted
from otari_daemon.store.errors import LedgerCorrupt
from otari_daemon.store.schema import POSTED, REF_CHARS, SENT, UNSET, UNSET_NANO, UNSET_REF, VOIDED

CARDS_MAX = 4096
"""Prices remembered per process; more than any catalog in use, fewer than a leak."""

_OPEN_HEAD = (SENT, UNSET_NANO, UNSET_NANO, *(UNSET,) * (1 + len(Usage._fields)))
_OPEN_FOOT = (*(UNSET,) * 4, UNSET_REF)
_OPEN = (*_OPEN_HEAD, UNSET, *_OPEN_FOOT)
_FIRST_RATES = 10
"""Rates that every card's id covers; there were no more classes when the first cards were written."""

_CARD = 10
"""Where an opened hold's row has its rate card."""


def card_id(price: Price) -> int:
    """The id of a price's rate card: the first 63 bits of a digest of everything that makes it that price.

    Rates of zero at its end count for nothing, so that cards keep their ids when classes are added.
    """
    rates = list(price.rates)
    while len(rates) > _FIRST_RATES and not rates[-1]:
        rates.pop()
    text = "\0".join((price.model, price.source, str(price.effective_ms), *map(str, rates)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


class Cards:
    """Which rate cards this process knows to be in the database, by identity of the price."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Price, int]] = {}

    def find(self, price: Price) -> int | None:
        """The id of a card that is certainly stored."""
        found = self._known.get(id(price))
        return found[1] if found is not None and found[0] is price else None

    def stored(self, prices: Sequence[tuple[Price, int]]) -> None:
        """Remember cards once the transaction that wrote them has committed."""
        if len(self._known) + len(prices) > CARDS_MAX:
            self._known.clear()
        for price, card in prices:
            self._known[id(price)] = (price, card)


class _Moves:
    """What a batch does to the balances of one bundle; `caps` as of its admission number `turn`."""

    __slots__ = ("bundle", "caps", "overage", "pending", "posted", "turn")

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.pending = self.posted = self.overage = 0
        self.caps: tuple[Nano | None, ...] | None = None
        self.turn = 0


class Leg:
    """What a batch does to one balance: moves it, and restates its limit as `cap` if it admitted anything."""

    __slots__ = ("acknowledged", "admitted", "cap", "overage", "pending", "posted")

    def __init__(self) -> None:
        self.pending = self.posted = self.overage = self.acknowledged = 0
        self.admitted = 0  # the turn of the admission that last stated the cap
        self.cap: Nano | None = None

    @property
    def moves(self) -> bool:
        """Whether any amount changes."""
        return bool(self.pending or self.posted or self.overage or self.acknowledged)

    def row(self, key: BalanceKey) -> tuple[int | None, ...]:
        """The values of `sql.BALANCE_MOVE`."""
        return (
            1 if self.admitted else 0,
            self.cap,
            self.pending,
            self.posted,
            self.overage,
            self.acknowledged,
            *key,
        )


class Fold:
    """A run of journal entries, combined; `run` may be called again after a rollback."""

    def __init__(self, entries: Sequence[Entry | Progress], epoch: int, cards: Cards) -> None:
        self._epoch = epoch
        self._cards = cards
        self._turn = 0
        self._opened: dict[bytes, tuple[object, ...]] = {}
        self._whole: list[tuple[object, ...]] = []
        self._settled: list[tuple[object, ...]] = []
        self._progress: dict[bytes, int] = {}
        self._moves: dict[int, _Moves] = {}
        self._balances: list[BalanceKey] = []
        self._bundles: list[tuple[int, int, int]] = []
        self._acknowledged: list[OverageAcknowledged] = []
        self._adjusted: list[tuple[int, Adjusted]] = []
        self._names: list[Named | Unnamed] = []
        self._new_cards: dict[int, tuple[Price, int]] = {}
        self._instead: list[tuple[bytes, str, str]] = []
        self._cells = Cells()
        for entry in entries:
            self._take(entry)

    def _take(self, entry: Entry | Progress) -> None:
        match entry:
            case HoldOpened():
                self._open(entry)
            case HoldClosed():
                self._close(entry)
            case Progress():
                self._progress[entry.rid] = entry.output_tokens
            case BundleOpened():
                self._bundle(entry.bundle.id, entry.bundle.balances)
            case OverageAcknowledged():
                self._acknowledged.append(entry)
            case Adjusted():
                self._turn += 1
                self._adjusted.append((self._turn, entry))
            case Named() | Unnamed():
                self._names.append(entry)

    def _bundle(self, bundle_id: int, balances: tuple[Balance, ...]) -> None:
        for balance in balances:
            self._balances.append(balance.key)
            self._bundles.append((bundle_id, *balance.key))

    def _open(self, entry: HoldOpened) -> None:
        hold, facts = entry.hold, cast(Facts, entry.facts)
        rid, bundle, amount = hold.rid, hold.bundle, hold.amount
        key, user, created_ms, endpoint, model, provider, stream, price, prompt = facts[:9]
        instead = facts.instead
        if instead is not None:
            self._instead.append((rid, instead.asked, instead.budget_id))
        self._opened[rid] = (
            rid,
            bundle.id if bundle.balances else 0,
            key,
            user,
            self._epoch,
            created_ms,
            endpoint,
            model,
            provider,
            1 if stream else 0,
            self._card(price.presumed(facts.service, prompt), price),
            prompt,
            amount,
            facts.input_max,
            facts.output_max,
            facts.tags,
        )
        moves = self._moves_of(bundle)
        moves.pending += amount
        if amount:  # what costs nothing is admitted even over the cap, so it does not restate the cap
            self._turn += 1
            moves.caps, moves.turn = entry.caps, self._turn

    def _close(self, entry: HoldClosed) -> None:
        hold, posted, overage = entry.hold, entry.posted, entry.overage
        outcome = cast(Outcome, entry.outcome)
        state = VOIDED if posted is None else POSTED
        posted = posted or Nano(0)
        reason, settled_ms, usage, status, first_byte_us, duration_us, tier, ref = outcome
        card = None if tier is None else self._card(tier, tier)
        named = ref[:REF_CHARS].ljust(REF_CHARS) if ref else UNSET_REF
        how = (0, int(reason), status, first_byte_us, duration_us, named)
        end = (state, posted, overage, settled_ms, *usage, *how)
        opened = self._opened.pop(hold.rid, None)
        if opened is None:
            self._settled.append((card, *end, hold.rid))
        elif card is None:
            self._whole.append(opened + end)
        else:
            self._whole.append((*opened[:_CARD], card, *opened[_CARD + 1 :], *end))
        moves = self._moves_of(hold.bundle)
        moves.pending -= hold.amount
        moves.posted += posted
        moves.overage += overage
        self._cells.settle(cast(Facts, hold.facts), outcome, posted + overage)

    def _moves_of(self, bundle: Bundle) -> _Moves:
        moves = self._moves.get(bundle.id)
        if moves is None:
            moves = self._moves[bundle.id] = _Moves(bundle)
        return moves

    def _card(self, price: Price, whole: Price) -> int:
        """The card of a price that is `whole` or one of its tiers."""
        known = self._cards.find(price)
        if known is not None:
            return known
        if id(price) not in self._new_cards:
            for each in whole.family():  # all of them, so that settling at another inserts nothing
                self._new_cards[id(each)] = (each, card_id(each))
        return self._new_cards[id(price)][1]

    def run(self, con: Connection) -> None:
        """Write everything in the caller's transaction; raise `LedgerCorrupt` if a row is not as expected."""
        if self._balances:
            con.executemany(sql.BALANCE_OPEN, self._balances)
            con.executemany(sql.BUNDLE_OPEN, self._bundles)
        if self._new_cards:
            con.executemany(
                sql.RATE_CARD_ADD, [card_row(price, card) for price, card in self._new_cards.values()]
            )
        self._apply_holds(con)
        self._apply_balances(con)
        if self._adjusted:
            con.executemany(sql.ADJUSTMENT_ADD, [entry.correction for _, entry in self._adjusted])
            con.executemany(sql.ADJUSTMENT_SHARE_ADD, _share_rows(self._adjusted))
        if self._names:
            idempotency.apply(con, self._names)

    @property
    def settles(self) -> bool:
        """Whether a request ends in it, or is corrected."""
        return bool(self._adjusted) or not self._cells.empty

    def report(self, con: Connection, known: KnownSeries) -> None:
        """Add what has settled and what was corrected to the usage cells, once `run` has written the rows."""
        self._cells.run(con, known)
        if self._adjusted:
            made = [(entry.correction.rid, entry.correction.amount) for _, entry in self._adjusted]
            of_corrections(con, made).run(con, known)

    def reported(self, known: KnownSeries) -> None:
        """Remember the series that are now known to be stored."""
        self._cells.committed(known)

    def committed(self) -> None:
        """Remember what is now known to be stored."""
        if self._new_cards:
            self._cards.stored(list(self._new_cards.values()))

    def _apply_holds(self, con: Connection) -> None:
        opened, progress = self._opened, self._progress
        rows = self._whole + [head + _open_tail(progress.get(rid)) for rid, head in opened.items()]
        if rows:
            con.executemany(sql.HOLD_ADD, rows)
        if self._instead:
            con.executemany(sql.HOLD_INSTEAD, self._instead)
        if self._settled:
            expect(con.executemany(sql.HOLD_SETTLE, self._settled), len(self._settled))
        late = [(tokens, rid) for rid, tokens in progress.items() if rid not in opened]
        if late:
            con.executemany(sql.HOLD_PROGRESS, late)

    def _apply_balances(self, con: Connection) -> None:
        move(con, self._legs())

    def _legs(self) -> dict[BalanceKey, Leg]:
        legs: dict[BalanceKey, Leg] = {}
        for moves in sorted(self._moves.values(), key=_turn_of):
            _spread(moves, legs)
        if self._adjusted or self._acknowledged:
            self._correct(legs)
        return legs

    def _correct(self, legs: dict[BalanceKey, Leg]) -> None:
        """Add what corrections and acknowledgements do. A debit that was posted states its cap, as a hold."""
        for seen in self._acknowledged:
            _leg_of(legs, seen.key).acknowledged += seen.amount
        for turn, entry in self._adjusted:
            for share in entry.shares:
                leg = _leg_of(legs, share.key)
                leg.posted += share.posted
                leg.overage += share.overage
                leg.acknowledged += share.acknowledged
                if share.posted > 0 and turn > leg.admitted:
                    leg.cap, leg.admitted = share.cap, turn


def move(con: Connection, legs: Mapping[BalanceKey, Leg]) -> None:
    """Move balances; all of them must be there."""
    if legs:
        expect(con.executemany(sql.BALANCE_MOVE, [leg.row(key) for key, leg in legs.items()]), len(legs))


def _share_rows(adjusted: Sequence[tuple[int, Adjusted]]) -> list[tuple[object, ...]]:
    return [
        (*entry.correction[:3], *share.key, share.posted, share.overage)
        for _, entry in adjusted
        for share in entry.shares
    ]


def _leg_of(legs: dict[BalanceKey, Leg], key: BalanceKey) -> Leg:
    leg = legs.get(key)
    if leg is None:
        leg = legs[key] = Leg()
    return leg


def card_row(price: Price, card: int) -> tuple[object, ...]:
    """A rate card as its table has it."""
    return (card, price.model, price.effective_ms, price.source, *price.rates)


def _open_tail(progress: int | None) -> tuple[object, ...]:
    return _OPEN if progress is None else (*_OPEN_HEAD, progress, *_OPEN_FOOT)


def _turn_of(moves: _Moves) -> int:
    return moves.turn


def _spread(moves: _Moves, legs: dict[BalanceKey, Leg]) -> None:
    for place, balance in enumerate(moves.bundle.balances):
        leg = _leg_of(legs, balance.key)
        leg.pending += moves.pending
        leg.posted += moves.posted
        leg.overage += moves.overage
        if moves.caps is not None:
            leg.cap, leg.admitted = moves.caps[place], moves.turn


def expect(changed: Counted, rows: int) -> None:
    """Raise LedgerCorrupt unless as many rows changed as the book says."""
    if changed.rowcount != rows:
        raise LedgerCorrupt(f"the ledger changed {changed.rowcount} rows where the book changed {rows}")
