"""This machine's own control plane: keys, prices and budgets from its own books."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from otari_daemon.control.catalog import Catalog, Route
from otari_daemon.control.ledger import Ledger
from otari_daemon.control.limiter import Drawn, Limiter
from otari_daemon.control.notes import Notes, Settled
from otari_daemon.control.overflow import Overflow
from otari_daemon.control.plane import STAYS, Admission, Attempt, Caller, Ending, Leaving, Ticket
from otari_daemon.control.seats import Seat, Seats
from otari_daemon.domain.book import Bundle, Hold, Refused
from otari_daemon.domain.budgets import HolderKind
from otari_daemon.domain.errors import (
    BudgetExceeded,
    Frozen,
    GatewayError,
    InvalidRequest,
    LedgerUnavailable,
    ModelNotAllowed,
    NotFound,
    Overloaded,
    Unauthenticated,
    UnpricedModel,
    UserBlocked,
)
from otari_daemon.domain.idempotency import Claim, Kept, Scoped
from otari_daemon.domain.intent import Intent, OutputLimit
from otari_daemon.domain.limits import Standing
from otari_daemon.domain.money import AMOUNT_MAX, Nano
from otari_daemon.domain.pricing import Price, ceiling
from otari_daemon.domain.records import Facts, Instead, Outcome, Reason
from otari_daemon.domain.settling import bill
from otari_daemon.domain.usage import Usage
from otari_daemon.providers.upstream import Place
from otari_daemon.telemetry.clock import Clock, rfc3339

INJECTED_OUTPUT_MAX = 4096
"""Limits an answer that neither the caller nor the price list limits, when a budget must cover it."""

ASSUMED_OUTPUT_MAX = 131_072
"""Held for such an answer when no budget applies: only shown, since nothing is refused for it."""

DISPATCH_WAIT_S = 2.0


class Grant(NamedTuple):
    """What the books know of an admission, for when it is settled."""

    hold: Hold
    facts: Facts
    output_max: int
    started_ns: int
    drawn: Drawn | None
    presumed: Usage


class _Asked(NamedTuple):
    """A request within its limits, about to be admitted; `instead` is set for a budget's fallback."""

    caller: Caller
    intent: Intent
    request_id: str
    endpoint: str
    standing: Standing | None
    claim: Claim | None
    instead: Instead | None = None


class LocalControlPlane:
    """Keys, prices and budgets of one configuration; the books are shared by all of them."""

    def __init__(
        self,
        seats: Seats,
        catalog: Catalog,
        ledger: Ledger,
        notes: Notes,
        clock: Clock,
        rid_of: Callable[[str], bytes],
        *,
        before_dispatch: bool,
    ) -> None:
        self._seats = seats
        self._catalog = catalog
        self._ledger = ledger
        self._notes = notes
        self._clock = clock
        self._rid_of = rid_of
        self._in_flight_max = catalog.limits.in_flight
        self._limiter = Limiter(catalog.limits, ledger.meters, clock)
        self._before_dispatch = before_dispatch
        self._overflow = Overflow(ledger.lines, catalog.limits, self._leased)

    async def authenticate(self, credential: bytes, request_id: str, endpoint: str) -> Caller:
        """Find the key in memory; unknown, revoked and expired ones are told apart by nobody outside."""
        now_ms = self._clock.now_ms()
        seat = self._seats.find(credential)
        if seat is None or seat.key.refusal(now_ms) is not None:
            refusal = Unauthenticated("invalid API key")
            self._notes.refusal(None, request_id, endpoint, refusal)
            raise refusal
        seat.used_ms = now_ms
        return Caller(seat.key.id, seat.key.name, seat.user.id, seat)

    async def claim(self, caller: Caller, endpoint: str, name: str, fingerprint: bytes) -> Claim | Kept:
        """Look a client's idempotency key up, in memory and then in the database."""
        if caller.seat.user.blocked:
            raise _blocked(caller.user_id)
        scoped = Scoped(caller.key_id, endpoint, name)
        return await self._ledger.claims.take(scoped, fingerprint, self._clock.now_ms())

    def unclaim(self, claim: Claim) -> None:
        """Let the next request have the key."""
        self._ledger.claims.release(claim)

    async def admit(
        self,
        caller: Caller,
        intent: Intent,
        request_id: str,
        endpoint: str,
        reader: Leaving = STAYS,
        claim: Claim | None = None,
    ) -> Admission:
        """Resolve, price the worst case, and set that aside under every ceiling of the key."""
        seat: Seat = caller.seat
        now_ms = self._clock.now_ms()
        self._check_load()
        route = self._route(seat, intent, now_ms)
        standing = self._limiter.request(seat, route.upstream.name, intent, now_ms)
        asked = _Asked(caller, intent, request_id, endpoint, standing, claim)
        admitted = self._try(asked, route, now_ms)
        if isinstance(admitted, Refused):
            again = partial(self._again, asked)
            admitted = await self._leased(admitted, partial(again, None))
            if isinstance(admitted, Refused):
                admitted = await self._overflow.admit(admitted, intent.model, again, reader)
        if self._before_dispatch:
            await self._on_disk(admitted)
        return admitted

    async def _leased(
        self, refused: Refused, again: Callable[[], Admission | Refused]
    ) -> Admission | Refused:
        """Where nodes share the books, a refusal may only say that this one has leased too little."""
        sharing = self._ledger.sharing
        return refused if sharing is None else await sharing.leasing.admit(refused, again)

    def _try(self, asked: _Asked, route: Route, now_ms: int) -> Admission | Refused:
        """One admission, decided at once."""
        caller, intent, request_id, endpoint, standing, claim, instead = asked
        seat: Seat = caller.seat
        if intent.reach.isdisjoint(route.upstream.place.speaks):
            raise InvalidRequest(f"provider {route.upstream.name!r} does not serve {endpoint}", param="model")
        if self._seats.frozen:
            self._check_freeze(seat, now_ms)
        _check_leave(seat, route.canonical)
        price = self._catalog.price(route, now_ms)
        if intent.service is not None and not price.covers(intent.service):
            raise UnpricedModel(f"service_tier {intent.service!r} of {route.canonical!r} has no price here")
        if intent.pieces.tool_calls and not price.covers_calls:
            raise UnpricedModel(f"calls of the provider's tools by {route.canonical!r} have no price here")
        bundle = self._seats.bundle(seat, now_ms)
        bound = _bound(intent, price, bundle, route.upstream.place)
        facts = Facts(
            caller.key_id,
            caller.user_id,
            now_ms,
            endpoint,
            route.canonical,
            route.upstream.name,
            intent.stream,
            price,
            min(intent.prompt_presumed, bound.input_max),
            bound.input_max,
            bound.output_max,
            instead,
            intent.service,
            intent.tags,
        )
        held = self._ledger.reserve(self._rid_of(request_id), bundle, bound.amount, facts)
        if isinstance(held, Refused):
            return held
        if claim is not None:
            self._ledger.name(held, claim, now_ms)
        if bundle.watches:
            self._notes.watched(held)
        drawn = self._limiter.draw(seat, route.upstream.name, intent)
        grant = Grant(held, facts, bound.output_max, self._clock.monotonic_ns(), drawn, intent.presumed)
        limit = None
        if bound.injected is not None:
            limit = OutputLimit(route.upstream.place.output_limit_field, bound.injected)
        attempt = Attempt(route.upstream, route.model, limit)
        admission = held.owner = Admission(
            request_id, caller, (attempt,), self._ledger.ticket(), grant, standing, instead, claim
        )
        return admission

    def _again(self, asked: _Asked, instead: Instead | None) -> Admission | Refused:
        """Try once more: later, when the key may be gone or too busy, or at once with another model.

        The request has been counted already; only what it takes at once is looked at again.
        """
        caller, intent = asked.caller, asked.intent
        now_ms = self._clock.now_ms()
        seat = self._seats.by_id(caller.key_id)
        if seat is None or seat.key.refusal(now_ms) is not None:
            raise Unauthenticated("invalid API key")
        if instead is not None:
            intent = intent._replace(model=instead.model)
        self._check_load()
        route = self._catalog.resolve(intent.model)
        self._limiter.check_slots(seat, route.upstream.name, intent, now_ms)
        caller = caller._replace(seat=seat)
        return self._try(asked._replace(caller=caller, intent=intent, instead=instead), route, now_ms)

    def _route(self, seat: Seat, intent: Intent, now_ms: int) -> Route:
        """Who serves the model; asking for one that nobody knows counts, and a limit is told of first."""
        try:
            return self._catalog.resolve(intent.model)
        except NotFound:
            self._limiter.request(seat, None, intent, now_ms)
            raise

    def _check_freeze(self, seat: Seat, now_ms: int) -> None:
        """Turn away whom an operator has stopped."""
        freeze = self._seats.freeze_of(seat, now_ms)
        if freeze is not None:
            who = "this API key" if freeze.holder.kind is HolderKind.KEY else f"user {seat.user.id!r}"
            until = f" until {rfc3339(freeze.until_ms)}" if freeze.until_ms is not None else ""
            why = f": {freeze.reason}" if freeze.reason else ""
            raise Frozen(f"{who} is frozen{until}{why}")

    def _check_load(self) -> None:
        """Refuse what is too much at once for this daemon."""
        if len(self._ledger.book.open_holds) >= self._in_flight_max:
            raise Overloaded("too many requests are in flight; retry")

    async def _on_disk(self, admission: Admission) -> None:
        """Wait for the hold's commit before anything is sent; give the hold back on every other way out."""
        durable = False
        try:
            durable = await admission.opened.wait(DISPATCH_WAIT_S)
        finally:
            if not durable:
                self.settle(admission, Ending(Reason.UNSENT, status=LedgerUnavailable.status))
        if not durable:
            raise LedgerUnavailable("the ledger could not be written in time; retry")

    def settle(self, admission: Admission, ending: Ending) -> Ticket:
        """Charge by how it ended; the hold's row becomes the usage row in the same transaction."""
        if admission.expired:  # the watchdog was first
            return self._ledger.ticket()
        grant: Grant = admission.grant
        grant.hold.owner = None  # a circle costs the collector
        facts = grant.facts
        seen = ending.seen
        if seen.prompt_tokens is not None and seen.prompt_tokens > facts.input_max:
            seen = seen._replace(prompt_tokens=facts.input_max)
        if seen.reported is None and seen.pieces is None:
            seen = seen._replace(pieces=grant.presumed)
        charge = bill(
            ending.reason,
            seen,
            facts.prompt_presumed,
            grant.output_max,
            facts.price,
            facts.service,
        )
        outcome = Outcome(
            ending.reason,
            self._clock.now_ms(),
            charge.usage,
            ending.status,
            max(0, ending.answered_ns - grant.started_ns) // 1000,
            (self._clock.monotonic_ns() - grant.started_ns) // 1000,
            charge.tier,
            ending.provider_ref,
        )
        closed = self._ledger.settle(grant.hold, facts, charge, outcome)
        if admission.claim is not None:
            self._ledger.unclaim(grant.hold, admission.claim, void=charge.void)
        if grant.drawn is not None:
            self._limiter.correct(grant.drawn, charge.usage)
        caller = admission.caller
        self._notes.settled(
            Settled(admission.request_id, caller.key_name, grant.hold.amount, facts, outcome, closed)
        )
        return self._ledger.ticket()

    def keep(self, admission: Admission, kept: Kept) -> None:
        """Queue the answer ahead of the settlement, never as a part of it: that must not need new disk."""
        if admission.claim is not None:
            self._ledger.keep(admission.grant.hold, admission.claim, kept)

    def follow(self, admission: Admission, generated: Callable[[], int]) -> None:
        """Keep count of a live stream, so that a crash charges for what was seen of it."""
        self._ledger.watch(admission.grant.hold, generated)

    def refused(
        self, caller: Caller, request_id: str, endpoint: str, error: GatewayError, model: str | None
    ) -> None:
        """Keep the refusal for `otari tail` and `explain`."""
        self._notes.refusal(caller, request_id, endpoint, error, model)


class _Bound(NamedTuple):
    """The most a request can use and cost. `injected` is an output limit the caller did not set."""

    amount: Nano
    input_max: int
    output_max: int
    injected: int | None


def _bound(intent: Intent, price: Price, bundle: Bundle, place: Place) -> _Bound:
    """Bound a request by what it says, what the model can do, or, under a budget, by a limit of ours.

    A provider that needs a limit is told one of these.
    """
    each, injected = intent.output_max, None
    if each is None:
        each = price.output_tokens_max
    elif price.output_tokens_max is not None:
        each = min(each, price.output_tokens_max)
    capped = place.needs_limit or any(account.cap is not None for account in bundle.accounts)
    if each is None and capped:
        each = injected = INJECTED_OUTPUT_MAX
    if intent.output_max is None and place.needs_limit:
        injected = each
    output_max = (ASSUMED_OUTPUT_MAX if each is None else each) * intent.choices
    input_max = intent.input_max
    if price.context_tokens is not None:
        input_max = min(input_max, price.context_tokens * intent.rounds)
    amount = ceiling(input_max, output_max, price, intent.service, intent.pieces)
    if amount > AMOUNT_MAX:
        raise BudgetExceeded("the most this request could cost is beyond any budget; lower max_tokens")
    return _Bound(amount, input_max, output_max, injected)


def _check_leave(seat: Seat, model: str) -> None:
    """Whether this key's user may ask at all, and for this model."""
    if seat.user.blocked:
        raise _blocked(seat.user.id)
    if not seat.key.may_name(model):
        raise ModelNotAllowed(f"model {model!r} is not permitted for this API key", param="model")


def _blocked(user_id: str) -> UserBlocked:
    return UserBlocked(f"user {user_id!r} is blocked")
