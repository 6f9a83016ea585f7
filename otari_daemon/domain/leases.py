"""A node's part of a budget that several nodes draw on: asked for ahead, drawn on in memory, given back.

    pending of a balance = what is held of it + what nodes have leased of it and do not hold (`idle`)

So whatever a node admits from its lease is inside `posted + pending <= limit` already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from otari_daemon.domain.money import ZERO, Nano

AHEAD = 8
"""Requests of the usual size that a lease has room for, at least."""

SCARCE = 32
"""Below so many requests' worth of a whole budget nothing is leased ahead, only what is asked for."""

SHARE = 4
"""A lease takes at most this fraction of its node's even part of what remains."""

_FADE_BITS = 5

BalanceName = tuple[int, int]
"""A `BalanceKey`: an account and the start of a period, epoch ms."""


class LeaseMoved(NamedTuple):
    """Journal: what is leased and not held changed by so much, in nano-USD."""

    key: BalanceName
    amount: int


class LeaseEnded(NamedTuple):
    """Journal: nothing of a balance is leased to this node any more."""

    key: BalanceName


class Terms(NamedTuple):
    """What came of a renewal, as the row stood afterwards; amounts in nano-USD.

    `recalls` counts how often nodes were asked for what they leave idle; `elsewhere` is what they do.
    """

    granted: Nano
    remaining: Nano
    elsewhere: Nano
    posted: Nano
    held: Nano
    overage: Nano
    acknowledged: Nano
    recalls: int


@dataclass(slots=True)
class Renewal:
    """Journal: a node asks for more of a balance; `terms` is set by whoever applies it.

    `least` is what the first in line needs, `need` what all of them do, `ahead` what would be good to have.
    """

    key: BalanceName
    cap: Nano
    least: Nano
    need: Nano
    ahead: Nano
    usual: Nano
    nodes: int
    terms: Terms | None = None


@dataclass(slots=True)
class Lease:
    """What this node may still set aside under one balance, and how fast it does; nano-USD.

    `moved` is the part of `idle` that the journal does not have yet, `mine` what this node holds. What was
    leased under another `cap` than the account has now is given back, not used. Of a `scarce` budget nothing
    is kept for long that nobody waits for. `wanted` was refused last; `waiting` requests wait for more; for
    `quiet` ticks nothing was drawn.
    """

    key: BalanceName
    cap: Nano | None = None
    idle: Nano = ZERO
    moved: int = 0
    mine: Nano = ZERO
    usual: Nano = ZERO
    drawn: Nano = ZERO
    demand: Nano = ZERO
    wanted: Nano = ZERO
    recalls: int = 0
    waiting: int = 0
    scarce: bool = False
    quiet: int = 0

    def draw(self, amount: Nano) -> None:
        """Set some of it aside for a request."""
        self.idle = Nano(self.idle - amount)
        self.moved -= amount
        self.mine = Nano(self.mine + amount)
        self.drawn = Nano(self.drawn + amount)
        self.usual = Nano(max(amount, self.usual - (self.usual >> _FADE_BITS)))

    def put_back(self, held: Nano, posted: Nano) -> None:
        """A request is over: what it did not use can be used by the next."""
        self.idle = Nano(self.idle + held - posted)
        self.moved += held - posted
        self.mine = Nano(max(0, self.mine - held))

    def give_back(self, amount: int) -> None:
        """Return some of it to the budget."""
        self.idle = Nano(self.idle - amount)
        self.moved -= amount

    @property
    def ahead(self) -> Nano:
        """What it is good to have: some requests' worth, or twice what was drawn of late."""
        return Nano(max(AHEAD * self.usual, 2 * self.demand))

    def tick(self) -> None:
        """A while has passed: what was drawn in it tells what the next will need."""
        self.demand = Nano(max(self.drawn, self.demand >> 1))
        self.quiet = 0 if self.drawn or self.waiting else self.quiet + 1
        self.drawn = ZERO


def granted(asked: Renewal, remaining: int) -> Nano:
    """How much of what remains a renewal gets; never more, and nothing that would not help anybody."""
    if remaining < max(asked.least, 1):
        return ZERO
    needed = min(asked.need, remaining)
    if scarce(asked, remaining):
        return Nano(needed)
    return Nano(max(needed, min(asked.ahead, remaining // (SHARE * asked.nodes))))


def scarce(asked: Renewal, remaining: int) -> bool:
    """Whether so little remains that every node asks for each request."""
    return remaining < SCARCE * asked.usual
