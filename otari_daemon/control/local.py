"""This machine's own control plane: keys, prices and budgets from its own books."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from otari_daemon.control.catalog import Catalog
from otari_daemon.control.ledger import Ledger
from otari_daemon.control.notes import Notes, Settled
from otari_daemon.control.plane import Admission, Attempt, Caller, Ending, Ticket
from otari_daemon.control.seats import Seat, Seats
from otari_daemon.domain.book import Bundle, Hold, Refused
from otari_daemon.domain.errors import (
    BudgetExceeded,
    GatewayError,
    LedgerUnavailable,
    ModelNotAllowed,
    Overloaded,
    RateLimited,
    Unauthenticated,
    UserBlocked,
)
from otari_daemon.domain.intent import Intent, OutputLimit
from otari_daemon.domain.limits import Limits, Pace, Standing, seconds_up
from otari_daemon.domain.money import AMOUNT_MAX, Nano, format_usd
from otari_daemon.domain.pricing import Price, ceiling
from otari_daemon.domain.records import Facts, Outcome, Reason
from otari_daemon.domain.settling import bill
from otari_daemon.domain.windows import FOREVER_MS
from otari_daemon.telemetry.clock import Clock, rfc3339

INJECTED_OUTPUT_MAX = 4096
"""Limits an answer that neither the caller nor the price list limits, when a budget must cover it."""

ASSUMED_OUTPUT_MAX = 131_072
"""Held for such an answer when no budget applies: only shown, since nothing is refused for it."""

DISPATCH_WAIT_S = 2.0

SLOT_RETRY_S = 1
"""Told to keys with too much in flight: nobody knows when one of their requests ends."""


class Grant(NamedTuple):
    """What the books know of an admission, for when it is settled."""

    hold: Hold
    facts: Facts
    output_max: int
    started_ns: int


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
        limits: Limits,
        before_dispatch: bool,
    ) -> None:
        self._seats = seats
        self._catalog = catalog
        self._ledger = ledger
        self._notes = notes
        self._clock = clock
        self._rid_of = rid_of
        self._limits = limits
        self._pace = None if limits.per_minute is None else Pace(limits.per_minute)
        self._before_dispatch = before_dispatch

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

    async def admit(self, caller: Caller, intent: Intent, request_id: str, endpoint: str) -> Admission:
        """Resolve, price the worst case, and set that aside under every ceiling of the key."""
        if len(self._ledger.book.open_holds) >= self._limits.in_flight:
            raise Overloaded("too many requests are in flight; retry")
        seat: Seat = caller.seat
        now_ms = self._clock.now_ms()
        standing = self._within_limits(caller, now_ms)
        route = self._catalog.resolve(intent.model)
        _check_leave(seat, route.canonical)
        price = self._catalog.price(route, now_ms)
        bundle = self._seats.bundle(seat, now_ms)
        bound = _bound(intent, price, bundle)
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
            intent.tags,
        )
        held = self._ledger.reserve(self._rid_of(request_id), bundle, bound.amount, facts)
        if isinstance(held, Refused):
            raise _exceeded(held)
        grant = Grant(held, facts, bound.output_max, self._clock.monotonic_ns())
        limit = None
        if bound.injected is not None:
            limit = OutputLimit(route.upstream.place.output_limit_field, bound.injected)
        attempt = Attempt(route.upstream, route.model, limit)
        admission = Admission(request_id, caller, (attempt,), self._ledger.ticket(), grant, standing)
        if self._before_dispatch:
            await self._on_disk(admission)
        return admission

    def _within_limits(self, caller: Caller, now_ms: int) -> Standing | None:
        """Refuse what is too much at once or too often; a request that passes counts, whatever comes of it.

        The slot is only looked at here: it is taken with the hold. So a refusal takes nothing of any limit.
        """
        most = self._limits.in_flight_per_key
        if self._ledger.slots.of(caller.key_id) >= most:
            raise RateLimited(
                f"this API key has {most} requests in flight, its most; retry when one of them has ended",
                retry_after_s=SLOT_RETRY_S,
                standing=Standing(most, 0, now_ms // 1000 + 1 + SLOT_RETRY_S),
            )
        if self._pace is None:
            return None
        paced = self._pace.take(caller.user_id, self._clock.monotonic_ns())
        rested_s = seconds_up(now_ms * 1_000_000 + paced.rested_ns)
        standing = Standing(self._pace.per_minute, paced.remaining, rested_s)
        if paced.wait_ns:
            wait_s = seconds_up(paced.wait_ns)
            raise RateLimited(
                f"user {caller.user_id!r} may make {standing.limit} requests per minute; retry in {wait_s} s",
                retry_after_s=wait_s,
                standing=standing,
            )
        return standing

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
        grant: Grant = admission.grant
        facts = grant.facts
        charge = bill(ending.reason, ending.seen, facts.prompt_presumed, grant.output_max, facts.price)
        outcome = Outcome(
            ending.reason,
            self._clock.now_ms(),
            charge.usage,
            ending.status,
            max(0, ending.answered_ns - grant.started_ns) // 1000,
            (self._clock.monotonic_ns() - grant.started_ns) // 1000,
            charge.tier,
        )
        closed = self._ledger.settle(grant.hold, facts, charge, outcome)
        caller = admission.caller
        self._notes.settled(
            Settled(admission.request_id, caller.key_name, grant.hold.amount, facts, outcome, closed)
        )
        return self._ledger.ticket()

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


def _bound(intent: Intent, price: Price, bundle: Bundle) -> _Bound:
    """Bound a request by what it says, what the model can do, or, under a budget, by a limit of ours."""
    each, injected = intent.output_max, None
    if each is None:
        each = price.output_tokens_max
    elif price.output_tokens_max is not None:
        each = min(each, price.output_tokens_max)
    if each is None and any(account.cap is not None for account in bundle.accounts):
        each = injected = INJECTED_OUTPUT_MAX
    output_max = (each or ASSUMED_OUTPUT_MAX) * intent.choices
    input_max = intent.input_max
    if price.context_tokens is not None:
        input_max = min(input_max, price.context_tokens)
    amount = ceiling(input_max, output_max, price)
    if amount > AMOUNT_MAX:
        raise BudgetExceeded("the most this request could cost is beyond any budget; lower max_tokens")
    return _Bound(amount, input_max, output_max, injected)


def _check_leave(seat: Seat, model: str) -> None:
    """Whether this key's user may ask at all, and for this model."""
    if seat.user.blocked:
        raise UserBlocked(f"user {seat.user.id!r} is blocked")
    if not seat.key.may_name(model):
        raise ModelNotAllowed(f"model {model!r} is not permitted for this API key", param="model")


def _exceeded(refused: Refused) -> BudgetExceeded:
    """Say which budget has no room, by how much, and when it will."""
    account, balance = refused.account, refused.balance
    if balance.blocked:
        why = f"a provider billed {format_usd(balance.overage)} USD beyond its holds; an operator must look"
    else:
        why = (
            f"{format_usd(balance.posted)} spent and {format_usd(balance.held)} held of "
            f"{format_usd(account.limit or 0)} USD; this request could cost {format_usd(refused.amount)}"
        )
    end = account.period.end_ms
    until = f"; it begins anew at {rfc3339(end)}" if end < FOREVER_MS else ""
    return BudgetExceeded(f"budget {account.name!r} has no room: {why}{until}", budget=account.name)
