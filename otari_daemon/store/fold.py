"""Many journal entries become few statements: one row per hold, one update per balance."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import cast

from otari_daemon.domain.book import (
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
from otari_daemon.store import idempotency, sql
from otari_daemon.store.database import Connection, Counted
from otari_daemon.store.errors import LedgerCorrupt
from otari_daemon.store.schema import POSTED, SENT, UNSET, UNSET_NANO, VOIDED

CARDS_MAX = 4096
"""Prices remembered per process; more than any catalog in use, fewer than a leak."""

_OPEN_HEAD = (SENT, UNSET_NANO, UNSET_NANO, *(UNSET,) * 11)
_OPEN_FOOT = (UNSET,) * 4
_OPEN = (*_OPEN_HEAD, UNSET, *_OPEN_FOOT)
_CARD = 10
"""Where an opened hold's row has its rate card."""


def card_id(price: Price) -> int:
    """The id of a price's rate card: the first 63 bits of a digest of everything that makes it that price."""
    text = "\0".join((price.model, price.source, str(price.effective_ms), *map(str, price.rates)))
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

    __slots__ = ("admitted", "cap", "overage", "pending", "posted")

    def __init__(self) -> None:
        self.pending = self.posted = self.overage = 0
        self.admitted = 0
        self.cap: Nano | None = None

    @property
    def moves(self) -> bool:
        """Whether any amount changes."""
        return bool(self.pending or self.posted or self.overage)

    def row(self, key: BalanceKey) -> tuple[int | None, ...]:
        """The values of `sql.BALANCE_MOVE`."""
        return (self.admitted, self.cap, self.pending, self.posted, self.overage, *key)


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
        self._acknowledged: list[tuple[int, int, int]] = []
        self._names: list[Named | Unnamed] = []
        self._new_cards: dict[int, tuple[Price, int]] = {}
        self._instead: list[tuple[bytes, str, str]] = []
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
                self._acknowledged.append((entry.amount, *entry.key))
            case Named() | Unnamed():
                self._names.append(entry)

    def _bundle(self, bundle_id: int, balances: tuple[Balance, ...]) -> None:
        for balance in balances:
            self._balances.append(balance.key)
            self._bundles.append((bundle_id, *balance.key))

    def _open(self, entry: HoldOpened) -> None:
        hold, facts = entry.hold, cast(Facts, entry.facts)
        rid, bundle, amount = hold.rid, hold.bundle, hold.amount
        (
            key, user, created_ms, endpoint, model, provider, stream, price, prompt, input_max, output_max,
            instead,
        ) = facts  # fmt: skip
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
            self._card(price),
            prompt,
            amount,
            input_max,
            output_max,
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
        reason, settled_ms, usage, status, first_byte_us, duration_us, tier = outcome
        card = None if tier is None else self._card(tier)
        end = (state, posted, overage, settled_ms, *usage, 0, int(reason), status, first_byte_us, duration_us)
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

    def _moves_of(self, bundle: Bundle) -> _Moves:
        moves = self._moves.get(bundle.id)
        if moves is None:
            moves = self._moves[bundle.id] = _Moves(bundle)
        return moves

    def _card(self, price: Price) -> int:
        known = self._cards.find(price)
        if known is not None:
            return known
        if id(price) not in self._new_cards:
            for each in (price, *price.tiers):  # tiers too, so that settling at one inserts nothing
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
        if self._names:
            idempotency.apply(con, self._names)
        if self._acknowledged:
            self._acknowledge(con, self._acknowledged)

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
        return legs

    def _acknowledge(self, con: Connection, amounts: Sequence[tuple[int, int, int]]) -> None:
        expect(con.executemany(sql.BALANCE_ACKNOWLEDGE, amounts), len(amounts))


def move(con: Connection, legs: Mapping[BalanceKey, Leg]) -> None:
    """Move balances; all of them must be there."""
    if legs:
        expect(con.executemany(sql.BALANCE_MOVE, [leg.row(key) for key, leg in legs.items()]), len(legs))


def card_row(price: Price, card: int) -> tuple[object, ...]:
    """A rate card as its table has it."""
    return (card, price.model, price.effective_ms, price.source, *price.rates)


def _open_tail(progress: int | None) -> tuple[int, ...]:
    return _OPEN if progress is None else (*_OPEN_HEAD, progress, *_OPEN_FOOT)


def _turn_of(moves: _Moves) -> int:
    return moves.turn


def _spread(moves: _Moves, legs: dict[BalanceKey, Leg]) -> None:
    for place, balance in enumerate(moves.bundle.balances):
        leg = legs.get(balance.key)
        if leg is None:
            leg = legs[balance.key] = Leg()
        leg.pending += moves.pending
        leg.posted += moves.posted
        leg.overage += moves.overage
        if moves.caps is not None:
            leg.cap, leg.admitted = moves.caps[place], 1


def expect(changed: Counted, rows: int) -> None:
    """Raise LedgerCorrupt unless as many rows changed as the book says."""
    if changed.rowcount != rows:
        raise LedgerCorrupt(f"the ledger changed {changed.rowcount} rows where the book changed {rows}")
