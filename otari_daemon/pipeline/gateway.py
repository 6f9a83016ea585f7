"""The life of a request on one screen: authenticate, admit, relay, settle. (Record is part of settle.)"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

from otari_daemon.control.plane import Admission, Caller, ControlPlane
from otari_daemon.domain.errors import GatewayError, InvalidRequest, LedgerUnavailable, ReaderLeft
from otari_daemon.domain.intent import Intent, presumed_tokens
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.pipeline import failures
from otari_daemon.pipeline.replies import SETTLED_WAIT_S, Reply, StreamReply, WholeReply
from otari_daemon.pipeline.settlement import Settlement
from otari_daemon.providers.http1.errors import UpstreamError
from otari_daemon.providers.upstream import Exchange
from otari_daemon.wire.dialect import Dialect
from otari_daemon.wire.request_tags import with_tags
from otari_daemon.wire.strict_json import InvalidJson, decode

HOLD_WAIT_S = 2.0
"""How long an answer's first byte waits for its hold to be on disk; beyond, the request fails closed."""

ANSWER_BYTES_MAX = 64 << 20
ERROR_BYTES_MAX = 64 << 10
EVENT_STREAM = b"text/event-stream"


class Reader(Protocol):
    """The client at the other end, as the front sees it."""

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Run `callback` when the client leaves; at once if it has."""

    def forget(self, callback: Callable[[], None]) -> None:
        """Take the callback back."""


class Call(NamedTuple):
    """One authenticated request, read whole."""

    dialect: Dialect
    caller: Caller
    request_id: str
    body: bytes
    reader: Reader
    tags: bytes | None = None


class Gateway:
    """Serves inference requests: the one route every dialect takes."""

    def __init__(self, plane: ControlPlane, monotonic_ns: Callable[[], int]) -> None:
        self._plane = plane
        self._monotonic_ns = monotonic_ns

    async def authenticate(self, credential: bytes, request_id: str, endpoint: str) -> Caller:
        """Who is calling; before the body is read."""
        return await self._plane.authenticate(credential, request_id, endpoint)

    async def complete(self, call: Call) -> Reply:
        """Admit, relay, settle. Raises GatewayError, or ReaderLeft when nobody is left to answer."""
        dialect, model = call.dialect, None
        try:
            body = decode(call.body)
            intent = dialect.read_intent(body, len(call.body))
            model = intent.model
            if call.tags is not None:
                intent = with_tags(intent, call.tags)
            admission = await self._plane.admit(call.caller, intent, call.request_id, dialect.endpoint)
        except InvalidJson as refusal:
            error = InvalidRequest(str(refusal))
            self._refused(call, error, model)
            raise error from None
        except GatewayError as error:
            self._refused(call, error, model)
            raise
        attempt = admission.attempts[0]
        settlement = Settlement(self._plane, admission)
        try:
            outgoing = dialect.outgoing(call.body, body, attempt.model, attempt.limit)
            exchange = attempt.upstream.post(dialect.upstream_path, outgoing, call.request_id)
        except BaseException:
            settlement.close(Reason.UNSENT)
            raise
        return await self._relay(call, intent, admission, settlement, exchange)

    async def _relay(
        self, call: Call, intent: Intent, admission: Admission, settlement: Settlement, exchange: Exchange
    ) -> Reply:
        """Send it, and settle on every way out that is not a stream's."""
        abort = partial(exchange.abort, ReaderLeft())
        release = partial(call.reader.forget, abort)
        call.reader.on_gone(abort)
        try:
            await exchange.start()
            settlement.answered_ns = self._monotonic_ns()
            if exchange.status >= 300:
                raise await self._refusal(call, admission, settlement, exchange)
            if intent.stream and _is_event_stream(exchange):
                await _durable(admission)
                meter = call.dialect.meter(intent)
                self._plane.follow(admission, meter.generated)
                name = admission.attempts[0].upstream.name
                return StreamReply(
                    exchange,
                    meter,
                    settlement,
                    call.dialect,
                    release,
                    call.request_id,
                    name,
                    admission.standing,
                )
            reply = await self._whole(call, admission, settlement, exchange)
        except UpstreamError as failure:
            answering = exchange.status != 0
            error, reason = failures.of_transport(failure, answering)
            promised = max(exchange.length, exchange.unread, 0) if answering else 0
            settlement.close(reason, Consumption(None, presumed_tokens(promised)), error.status)
            exchange.close()
            release()
            raise error from None
        except BaseException:
            settlement.close(Reason.CLIENT_CUT if exchange.sent else Reason.UNSENT)
            exchange.close()
            release()
            raise
        release()
        return reply

    async def _whole(
        self, call: Call, admission: Admission, settlement: Settlement, exchange: Exchange
    ) -> WholeReply:
        """Read a whole answer; it leaves once what it cost is on disk."""
        answer = await exchange.read(ANSWER_BYTES_MAX)
        exchange.close()
        reading = call.dialect.read_answer(answer)
        ticket = settlement.close(reading.reason, reading.seen, 502 if reading.broken else 200)
        if not ticket.durable:
            await ticket.wait(SETTLED_WAIT_S)
        await _durable(admission)
        if reading.broken:
            raise failures.garbled()
        content_type = exchange.header(b"content-type") or b"application/json"
        return WholeReply(answer, content_type, admission.attempts[0].upstream.name, admission.standing)

    async def _refusal(
        self, call: Call, admission: Admission, settlement: Settlement, exchange: Exchange
    ) -> GatewayError:
        """A provider's error answer: void, unless it says that something was used."""
        try:
            body = await exchange.read(ERROR_BYTES_MAX)
        except UpstreamError:
            body = b""
        sent = admission.attempts[0].upstream.place.headers
        error, reason = failures.of_status(exchange.status, exchange.header(b"retry-after"), body, sent)
        seen = call.dialect.read_answer(body).seen
        billed = seen.reported is not None
        settlement.close(Reason.USAGE if billed else reason, seen if billed else Consumption(), error.status)
        return error

    def _refused(self, call: Call, error: GatewayError, model: str | None) -> None:
        self._plane.refused(call.caller, call.request_id, call.dialect.endpoint, error, model)


def _is_event_stream(exchange: Exchange) -> bool:
    content_type = exchange.header(b"content-type")
    return content_type is not None and content_type.lower().startswith(EVENT_STREAM)


async def _durable(admission: Admission) -> None:
    """No byte of an answer leaves before its hold is on disk."""
    if not admission.opened.durable and not await admission.opened.wait(HOLD_WAIT_S):
        raise LedgerUnavailable("the ledger could not be written in time; retry")
