"""What counts against every limit now, and how a request is told that one of them has no room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from otari_daemon.control.seats import Seat
from otari_daemon.domain.errors import RateLimited
from otari_daemon.domain.limits import (
    EVERYBODY,
    KEY,
    KIND_NAMES,
    MINUTE_NS,
    SECOND_NS,
    Bound,
    Bounds,
    Quota,
    Slots,
    Standing,
    Subject,
    seconds_up,
)
from otari_daemon.domain.sliding import Windows

SLOT_RETRY_NS = SECOND_NS
"""Told to who has too much in flight: nobody knows when one of their requests ends."""

RPM, TPM, PARALLEL = "rpm", "tpm", "max_parallel"
_STANDS_AS = {RPM: "requests", TPM: "tokens", PARALLEL: "parallel"}
_MATTERS = {RPM: "requests per minute", TPM: "tokens per minute", PARALLEL: "requests in flight"}


@dataclass(frozen=True, slots=True)
class Meters:
    """Slots, and what was taken within the last minute: outlives every configuration."""

    slots: Slots = field(default_factory=Slots)
    requests: Windows = field(default_factory=Windows)
    tokens: Windows = field(default_factory=Windows)

    def sweep(self, now_ns: int) -> None:
        """Forget whoever has taken nothing within the last minute."""
        self.requests.sweep(now_ns)
        self.tokens.sweep(now_ns)


class Asked(NamedTuple):
    """Tokens that a request could take, and the moment it asks: epoch ms, and monotonic ns."""

    tokens: int
    now_ms: int
    now_ns: int


class _Full(NamedTuple):
    """A limit without room: how long until it has some, and until all of it is free."""

    wait_ns: int
    full_ns: int
    what: str
    bound: Bound
    used: int
    asked: int


def refusal(meters: Meters, seat: Seat, bounds: Bounds, asked: Asked) -> RateLimited:
    """Name the limit without room; of several, the one that will have some last."""
    full = max(_full(meters, bounds, asked), key=lambda each: each.wait_ns)
    most, wait_s = full.bound.most, seconds_up(full.wait_ns)
    reset_s = seconds_up(asked.now_ms * 1_000_000 + full.wait_ns)
    quota = Quota(most, max(0, most - full.used), reset_s, seconds_up(full.full_ns))
    error = RateLimited(
        _message(full, wait_s),
        retry_after_s=wait_s,
        retry_after_ms=-(-full.wait_ns // 1_000_000),
        standing=Standing(**{_STANDS_AS[full.what]: quota}),
        limit=f"{full.what} of {_holder(seat, full.bound.subject)}",
    )
    error.retryable = full.asked <= most  # what is too large alone never fits
    return error


def _full(meters: Meters, bounds: Bounds, asked: Asked) -> Iterator[_Full]:
    tokens, _, now_ns = asked
    for limit in bounds.parallel:
        used = meters.slots.of(limit.subject)
        if used >= limit.most:
            yield _Full(SLOT_RETRY_NS, SLOT_RETRY_NS, PARALLEL, limit, used, 1)
    rates = ((RPM, meters.requests, bounds.rpm, 1), (TPM, meters.tokens, bounds.tpm, tokens))
    for what, windows, limits, amount in rates:
        for limit in limits:
            used = windows.used(limit.subject, now_ns)
            if used + amount > limit.most:
                wait_ns, full_ns = _waits(windows, limit, amount, now_ns)
                yield _Full(wait_ns, full_ns, what, limit, used, amount)


def _waits(windows: Windows, limit: Bound, asked: int, now_ns: int) -> tuple[int, int]:
    """How long until `asked` fits and until all is free; a minute where it never fits."""
    window = windows.find(limit.subject)
    full_ns = window.last_leaves_ns(now_ns) if window else 0
    if window is None or asked > limit.most:
        return MINUTE_NS, full_ns
    return window.wait_ns(limit.most - asked, now_ns), full_ns


def _message(full: _Full, wait_s: int) -> str:
    """What the caller is told, and the way out."""
    who, most = _told(full.bound.subject), full.bound.most
    limited = f"{who} is limited to {most} {_MATTERS[full.what]}"
    if full.what == PARALLEL:
        return f"{limited}; retry when one of them has ended"
    if full.what == RPM:
        return f"{limited}; retry in {wait_s} s"
    if full.asked > most:
        return f"{limited}, and this request alone could take {full.asked}; lower max_tokens or its prompt"
    return f"{limited}: {full.used} are taken and this request could take {full.asked}; retry in {wait_s} s"


def _told(subject: Subject) -> str:
    kind, id = subject
    if kind == KEY:
        return "this API key"
    return "this gateway" if kind == EVERYBODY else f"{KIND_NAMES[kind]} {id!r}"


def _holder(seat: Seat, subject: Subject) -> str:
    """A holder as operators write it: `key:<name>`, `user:<id>`, `provider:<name>`, `global`."""
    kind, id = subject
    if kind == EVERYBODY:
        return KIND_NAMES[kind]
    return f"{KIND_NAMES[kind]}:{(seat.key.name if kind == KEY else '') or id}"
