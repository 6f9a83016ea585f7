"""The life of a request on one screen: authenticate, admit, relay, settle. (Record is part of settle.)"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import NamedTuple, Protocol

from otari_daemon.control.plane import Admission, Attempt, Caller, ControlPlane
from otari_daemon.domain.errors import GatewayError, InvalidRequest, LedgerUnavailable, ReaderLeft
from otari_daemon.domain.idempotency import Claim, Kept
from otari_daemon.domain.intent import EVENT_STREAM, Intent, presumed_tokens
from otari_daemon.domain.records import Reason, named_s
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import NOTHING
from otari_daemon.pipeline import failures
from otari_daemon.pipeline.bytes_reply import BytesReply
from otari_daemon.pipeline.replies import SETTLED_WAIT_S, Reply, StreamReply, WholeReply
from otari_daemon.pipeline.settlement import Settlement
from otari_daemon.providers.form import Form
from otari_daemon.providers.http1.errors import UpstreamError
from otari_daemon.providers.upstream import Exchange, Headers
from otari_daemon.wire.dialect import Asked, Body, Dialect, Interpreter, Oracle, Wire, wire_to
from otari_daemon.wire.fingerprint import fingerprint
from otari_daemon.wire.request_tags import with_tags
from otari_daemon.wire.strict_json import InvalidJson, decode

HOLD_WAIT_S = 2.0
"""How long an answer's first byte waits for its hold to be on disk; beyond, the request fails closed."""

ANSWER_BYTES_MAX = 64 << 20
RECOUNTED_BYTES_MAX = 64 << 10
"""Of a body that is kept while its request lives, so that its tokens can be counted if nobody states them."""

ERROR_BYTES_MAX = 64 << 10
JSON = b"application/json"


class Reader(Protocol):
    """The client at the other end, as the front sees it."""

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Run `callback` when the client leaves; at once if it has."""

    def forget(self, callback: Callable[[], None]) -> None:
        """Take the callback back."""


class Call(NamedTuple):
    """One authenticated request, read whole; `idempotency_key` is the client's own name for it.

    Where it came as a `form`, the body is that form's description. `headers` are those of the client's that a
    provider of the same dialect is to have.
    """

    dialect: Dialect
    caller: Caller
    request_id: str
    body: bytes
    reader: Reader
    idempotency_key: str | None = None
    tags: bytes | None = None
    form: Form | None = None
    headers: Headers = ()


class Way(NamedTuple):
    """What is asked, and the wire by which its provider is."""

    intent: Intent
    wire: Wire


class Gateway:
    """Serves inference requests: the one route every dialect takes.

    A stream that is silent for `keep_alive_s` carries a comment; None leaves it as the provider made it.
    """

    def __init__(
        self, plane: ControlPlane, monotonic_ns: Callable[[], int], keep_alive_s: float | None = None
    ) -> None:
        self._plane = plane
        self._keep_alive_s = keep_alive_s
        self._monotonic_ns = monotonic_ns

    async def authenticate(self, credential: bytes, request_id: str, endpoint: str) -> Caller:
        """Who is calling; before the body is read."""
        return await self._plane.authenticate(credential, request_id, endpoint)

    async def complete(self, call: Call) -> Reply:
        """Admit, relay, settle. Raises GatewayError, or ReaderLeft when nobody is left to answer."""
        dialect, model = call.dialect, None
        claim: Claim | None = None
        try:
            body = decode(call.body)
            intent = dialect.read_intent(body, len(call.body))
            model = intent.model
            if call.tags is not None or "metadata" in body or "user" in body:
                intent = with_tags(intent, body, call.tags)
            if call.idempotency_key is not None:
                found = await self._claim(call, call.idempotency_key, body)
                if isinstance(found, Kept):
                    return WholeReply(*found, standing=None, replayed=True)
                claim = found
            admitting = self._plane.admit(
                call.caller, intent, call.request_id, dialect.endpoint, call.reader, claim
            )
            admission = await (admitting if claim is None else self._or_unclaim(admitting, claim))
        except InvalidJson as refusal:
            error = InvalidRequest(str(refusal))
            self._refused(call, error, model)
            raise error from None
        except GatewayError as error:
            self._refused(call, error, model)
            raise
        attempt = admission.attempts[0]
        settlement = Settlement(self._plane, admission, _counter(call))
        try:
            route = wire_to(dialect, attempt.upstream.place.speaks)
            assert route is not None, "admission looked at the request's reach"
            if isinstance(route, Oracle):
                return await self._told(route.answer(body), admission, settlement)
            wire, exchange = _begin(route, call, body, attempt)
        except BaseException as error:
            settlement.close(Reason.UNSENT, status=error.status if isinstance(error, GatewayError) else 0)
            raise
        relaying = self._relay(call, Way(intent, wire), admission, settlement, exchange)
        return await (relaying if claim is None else _named(relaying, settlement))

    async def _claim(self, call: Call, name: str, body: Body) -> Claim | Kept:
        """The right to make a request under the client's name for it, or the answer it has had."""
        return await self._plane.claim(call.caller, call.dialect.endpoint, name, fingerprint(body))

    async def _or_unclaim(self, admitting: Coroutine[None, None, Admission], claim: Claim) -> Admission:
        """The admission; a claim whose request is not admitted is given back."""
        try:
            return await admitting
        except BaseException:
            self._plane.unclaim(claim)
            raise

    async def _relay(
        self, call: Call, way: Way, admission: Admission, settlement: Settlement, exchange: Exchange
    ) -> Reply:
        """Send it, and settle on every way out that is not a stream's."""
        abort = partial(exchange.abort, ReaderLeft())
        release = partial(call.reader.forget, abort)
        call.reader.on_gone(abort)
        try:
            await exchange.start()
            settlement.answered_ns = self._monotonic_ns()
            settlement.provider_ref = _called(exchange)
            if exchange.status >= 300:
                raise await self._refusal(way, admission, settlement, exchange)
            if way.intent.stream and _streams(exchange, way.intent):
                await _durable(admission)
                place = admission.attempts[0].upstream.place
                meter = way.wire.meter(way.intent, place.speaks[way.wire.speaks])
                self._plane.follow(admission, meter.generated)
                made = StreamReply if way.intent.streams_as == EVENT_STREAM else BytesReply
                reply = made(
                    exchange,
                    meter,
                    settlement,
                    call.dialect,
                    release,
                    call.request_id,
                    place.name,
                    admission.standing,
                ).keep_alive(self._keep_alive_s)
                reply.instead = admission.instead
                return reply
            whole = await self._whole(way, admission, settlement, exchange)
        except UpstreamError as failure:
            answering = exchange.status != 0
            error, reason = failures.of_transport(failure, answering)
            promised = max(exchange.length, exchange.unread, 0) if answering else 0
            settlement.close(reason, Consumption(None, presumed_tokens(promised)), error.status)
            exchange.close()
            release()
            raise error from None
        except BaseException as error:
            if isinstance(error, LedgerUnavailable):
                settlement.close(Reason.WITHHELD, status=error.status)
            settlement.close(Reason.CLIENT_CUT if exchange.sent else Reason.UNSENT)
            exchange.close()
            release()
            raise
        release()
        return whole

    async def _whole(
        self, way: Way, admission: Admission, settlement: Settlement, exchange: Exchange
    ) -> WholeReply:
        """Read a whole answer; it leaves once what it cost is on disk."""
        answer = await exchange.read(ANSWER_BYTES_MAX)
        exchange.close()
        place = admission.attempts[0].upstream.place
        reading = way.wire.read_answer(answer, place.speaks[way.wire.speaks], way.intent)
        content_type = exchange.header(b"content-type") or JSON
        told = answer if reading.told is None else reading.told
        if admission.claim is not None and not reading.broken:
            self._plane.keep(admission, Kept(told, content_type, place.name))
        ticket = settlement.close(reading.reason, reading.seen, 502 if reading.broken else 200)
        if not ticket.durable:
            await ticket.wait(SETTLED_WAIT_S)
        await _durable(admission)
        if reading.broken:
            raise failures.garbled()
        return WholeReply(told, content_type, place.name, admission.standing, admission.instead)

    async def _told(self, told: bytes, admission: Admission, settlement: Settlement) -> WholeReply:
        """Give an answer that is ours: nothing was used, and the books say so first."""
        place = admission.attempts[0].upstream.place
        if admission.claim is not None:
            self._plane.keep(admission, Kept(told, JSON, place.name))
        ticket = settlement.close(Reason.USAGE, Consumption(NOTHING), 200)
        if not ticket.durable:
            await ticket.wait(SETTLED_WAIT_S)
        await _durable(admission)
        return WholeReply(told, JSON, place.name, admission.standing, admission.instead)

    async def _refusal(
        self, way: Way, admission: Admission, settlement: Settlement, exchange: Exchange
    ) -> GatewayError:
        """A provider's error answer: void, unless it says that something was used."""
        try:
            body = await exchange.read(ERROR_BYTES_MAX)
        except UpstreamError:
            body = b""
        place = admission.attempts[0].upstream.place
        error, reason = failures.of_status(
            exchange.status, exchange.header(b"retry-after"), body, place.headers
        )
        seen = way.wire.read_answer(body, place.speaks[way.wire.speaks], way.intent).seen
        billed = seen.reported is not None
        settlement.close(Reason.USAGE if billed else reason, seen if billed else Consumption(), error.status)
        return error

    def _refused(self, call: Call, error: GatewayError, model: str | None) -> None:
        self._plane.refused(call.caller, call.request_id, call.dialect.endpoint, error, model)


def _begin(route: Wire | Interpreter, call: Call, body: Body, attempt: Attempt) -> tuple[Wire, Exchange]:
    """The wire and the exchange of one attempt; another dialect's provider gets no header of the client's."""
    upstream = attempt.upstream
    if call.form is not None and not isinstance(route, Interpreter):
        sending = call.form.sent_as(attempt.model, call.request_id)
        return route, upstream.post_form(route.path, sending, call.request_id)
    own = call.headers
    if isinstance(route, Interpreter):
        asked = Asked(body["model"], call.request_id, named_s(call.request_id), body)
        route, own = route.wire_for(asked, upstream.place.output_limit_field), ()
    outgoing = route.outgoing(call.body, body, attempt.model, attempt.limit)
    return route, upstream.post(route.path, outgoing, call.request_id, own)


async def _named(relaying: Coroutine[None, None, Reply], settlement: Settlement) -> Reply:
    """Hold a failure back until its settlement is on disk, so that who asks again meets what came of it."""
    try:
        return await relaying
    except GatewayError:
        if settlement.ticket is not None:
            await settlement.ticket.wait(SETTLED_WAIT_S)
        raise


def _called(exchange: Exchange) -> str:
    """What the provider calls the request, in the header it has for that; empty if it does not say."""
    name = exchange.header(b"x-request-id") or exchange.header(b"request-id")
    if name is None or not name.isascii():
        return ""
    text = name.decode("ascii")
    return text if text.isprintable() else ""


def _counter(call: Call) -> Callable[[], int] | None:
    """Counts the prompt from its bytes, which stay for that; large ones do not."""
    return partial(call.dialect.prompt_tokens, call.body) if len(call.body) <= RECOUNTED_BYTES_MAX else None


def _streams(exchange: Exchange, intent: Intent) -> bool:
    content_type = exchange.header(b"content-type")
    return content_type is not None and content_type.lower().startswith(intent.streams_as)


async def _durable(admission: Admission) -> None:
    """No byte of an answer leaves before its hold is on disk."""
    if not admission.opened.durable and not await admission.opened.wait(HOLD_WAIT_S):
        raise LedgerUnavailable("the ledger could not be written in time; retry")
