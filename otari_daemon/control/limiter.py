"""Requests and tokens per minute, and requests at once: all limits of a request together, or none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from otari_daemon.control.meters import PARALLEL, RPM, TPM, Asked, Meters, refusal
from otari_daemon.control.seats import Seat
from otari_daemon.domain.errors import RateLimited
from otari_daemon.domain.intent import Intent
from otari_daemon.domain.limits import (
    ALL,
    KEY,
    MINUTE_NS,
    MINUTE_S,
    NO_CAPS,
    PROVIDER,
    USER,
    Bound,
    Bounds,
    Caps,
    Limits,
    Quota,
    Standing,
    Subject,
    bounds,
    seconds_up,
)
from otari_daemon.domain.pricing import ONE_REQUEST
from otari_daemon.domain.sliding import Mark, Windows
from otari_daemon.domain.usage import Usage
from otari_daemon.telemetry.clock import Clock

PRESUMED_OUTPUT = 4_096
"""Tokens reserved for an answer that its caller does not limit, if a token limit has room for so many."""


class Drawn(NamedTuple):
    """Tokens taken for a request, of every holder that has a limit on them."""

    tokens: int
    marks: tuple[tuple[Subject, Mark], ...]


class Use(NamedTuple):
    """A limit and how much of it is taken now; `own` if an operator set it for this holder."""

    subject: Subject
    what: str
    most: int
    used: int
    own: bool


class Limiter:
    """The limits of one configuration upon the meters of this daemon."""

    def __init__(self, limits: Limits, meters: Meters, clock: Clock) -> None:
        self._limits = limits
        self._meters = meters
        self._clock = clock

    def request(self, seat: Seat, provider: str | None, intent: Intent, now_ms: int) -> Standing | None:
        """Count a request of a key at a provider, if it names any; or raise RateLimited and count nothing.

        None where nothing is limited per minute. A request that passes counts, whatever comes of it. Its
        slots and tokens are only looked at: they are taken with its hold, on the same turn of the loop.
        """
        bound = self.check_slots(seat, provider, intent, now_ms)
        if not bound.rpm and not bound.tpm:
            return None
        now_ns = self._clock.monotonic_ns()
        requests, spent = self._meters.requests, self._meters.tokens
        left, tightest = requests.room(bound.rpm, 1, now_ns)
        unspent, dearest = 0, None
        if bound.tpm:
            unspent, dearest = spent.room(bound.tpm, _tokens(intent, bound.tpm), now_ns)
        if left < 0 or unspent < 0:
            raise self._refusal(seat, bound, intent, (now_ms, now_ns))
        for subject, _ in bound.rpm:
            requests.take(subject, 1, now_ns)
        return Standing(
            None if tightest is None else _quota(requests, tightest, left, (now_ms, now_ns)),
            None if dearest is None else _quota(spent, dearest, unspent, (now_ms, now_ns)),
        )

    def check_slots(self, seat: Seat, provider: str | None, intent: Intent, now_ms: int) -> Bounds:
        """Look only at what a request takes at once, and return all that bounds it; or raise RateLimited."""
        bound = seat.bounds.get(provider)
        if bound is None or bound.source is not self._limits:
            bound = self._gather(seat, provider)
        slots = self._meters.slots
        for subject, most in bound.parallel:
            if slots.of(subject) >= most:
                raise self._refusal(seat, bound, intent, (now_ms, self._clock.monotonic_ns()))
        return bound

    def draw(self, seat: Seat, provider: str, intent: Intent) -> Drawn | None:
        """Take the tokens of a request that has just passed and has its hold; None where none are limited."""
        limits = seat.bounds[provider].tpm
        if not limits:
            return None
        take, tokens, now_ns = self._meters.tokens.take, _tokens(intent, limits), self._clock.monotonic_ns()
        return Drawn(tokens, tuple((subject, take(subject, tokens, now_ns)) for subject, _ in limits))

    def correct(self, drawn: Drawn, usage: Usage) -> None:
        """Give back the tokens a request did not use, or count those it used beyond its own from now on."""
        unused = drawn.tokens - usage.input_tokens - usage.output_tokens
        tokens = self._meters.tokens
        for subject, mark in drawn.marks:
            if unused > 0:
                tokens.give_back(subject, mark, unused)
            elif unused < 0:
                tokens.take(subject, -unused, self._clock.monotonic_ns())

    def uses(self, key: tuple[str, Caps] | None, user: tuple[str, Caps]) -> Iterator[Use]:
        """How every limit on a key, its user and everybody stands; `key` and `user` are ids and own caps."""
        limits, now_ns = self._limits, self._clock.monotonic_ns()
        if key is not None:
            yield from self._uses((KEY, key[0]), key[1], limits.key, now_ns)
        yield from self._uses((USER, user[0]), user[1], limits.user, now_ns)
        yield from self._uses(ALL, NO_CAPS, limits.everybody, now_ns)

    def _uses(self, subject: Subject, own: Caps, default: Caps, now_ns: int) -> Iterator[Use]:
        meters, caps = self._meters, own.over(default)
        if caps.rpm is not None:
            used = meters.requests.used(subject, now_ns)
            yield Use(subject, RPM, caps.rpm, used, own.rpm is not None)
        if caps.tpm is not None:
            used = meters.tokens.used(subject, now_ns)
            yield Use(subject, TPM, caps.tpm, used, own.tpm is not None)
        if caps.parallel is not None:
            yield Use(subject, PARALLEL, caps.parallel, meters.slots.of(subject), own.parallel is not None)

    def _gather(self, seat: Seat, provider: str | None) -> Bounds:
        """Read the limits on a key's requests to a provider, and remember them in its seat."""
        limits = self._limits
        holders = {
            (KEY, seat.key.id): seat.key_caps.over(limits.key),
            (USER, seat.user.id): seat.user_caps.over(limits.user),
            ALL: limits.everybody,
        }
        if provider is not None and provider in limits.providers:
            holders[PROVIDER, provider] = limits.providers[provider]
        found = seat.bounds[provider] = bounds(limits, holders)
        return found

    def _refusal(self, seat: Seat, bound: Bounds, intent: Intent, now: tuple[int, int]) -> RateLimited:
        """What to raise, judged at the very moment `now` that found no room: epoch ms and monotonic ns."""
        tokens = _tokens(intent, bound.tpm) if bound.tpm else 0
        return refusal(self._meters, seat, bound, Asked(tokens, *now))


def _quota(windows: Windows, limit: Bound, left: int, now: tuple[int, int]) -> Quota:
    """How a limit stands once something is taken; `now` in epoch ms, and in monotonic ns."""
    now_ms, now_ns = now
    window = windows.find(limit.subject)
    first_ns = (window.first_leaves_ns(now_ns) if window else 0) or MINUTE_NS
    return Quota(limit.most, left, seconds_up(now_ms * 1_000_000 + first_ns), MINUTE_S)


def _tokens(intent: Intent, limits: tuple[Bound, ...]) -> int:
    """What to reserve: the presumed prompt, and all that its answer may have.

    An answer without a limit of its own is reserved as much as the tightest limit can ever give, at most
    `PRESUMED_OUTPUT`; so is what comes by the piece, for no caller can ask for it in fewer tokens.
    """
    prompt, output = intent.prompt_presumed, intent.output_max
    if output is not None and intent.pieces is ONE_REQUEST:
        return prompt + output * intent.choices
    each = PRESUMED_OUTPUT if output is None else min(output, PRESUMED_OUTPUT)
    return max(prompt, min(prompt + each * intent.choices, *(most for _, most in limits)))
