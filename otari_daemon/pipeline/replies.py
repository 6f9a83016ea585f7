"""What goes back to the caller: a whole answer, or a stream that settles itself as it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from otari_daemon.domain.errors import GatewayError, ReaderLeft, UpstreamFailed
from otari_daemon.domain.limits import Standing
from otari_daemon.domain.records import Instead, Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.pipeline.failures import of_transport
from otari_daemon.pipeline.pulse import COMMENT, Pulse
from otari_daemon.pipeline.settlement import Settlement
from otari_daemon.providers.http1.errors import Quiet, UpstreamError
from otari_daemon.providers.upstream import Exchange
from otari_daemon.wire.dialect import Dialect, Meter
from otari_daemon.wire.sse import EventTooLong

SETTLED_WAIT_S = 2.0
"""How long an answer's end waits for its settlement to be on disk; its hold already is."""


class WholeReply(NamedTuple):
    """A finished answer, as the provider wrote it; `replayed` if that was for an earlier request."""

    body: bytes
    content_type: bytes
    provider: str
    standing: Standing | None
    instead: Instead | None = None
    replayed: bool = False


class StreamReply:
    """An upstream stream on its way to the reader, metered as it passes.

    Falcon awaits `close` however a response ends, so that is the last place where a request settles;
    the common ends settle before: the stream's last bytes wait for their settlement to be on disk.
    """

    def __init__(
        self,
        exchange: Exchange,
        meter: Meter,
        settlement: Settlement,
        dialect: Dialect,
        release: Callable[[], None],
        request_id: str,
        provider: str,
        standing: Standing | None,
    ) -> None:
        self._exchange = exchange
        self._meter = meter
        self._settlement = settlement
        self._dialect = dialect
        self._request_id = request_id
        self.provider = provider
        self.standing = standing
        self.instead: Instead | None = None
        self._release = release
        self._over = False
        self._keep_alive_s: float | None = None
        self._pulse: Pulse | None = None

    @property
    def content_type(self) -> str:
        """What the caller is told it is."""
        return "text/event-stream; charset=utf-8"

    def keep_alive(self, interval_s: float | None) -> StreamReply:
        """Send a comment whenever nothing has passed for so long; never, if None."""
        self._keep_alive_s = interval_s
        return self

    def __aiter__(self) -> StreamReply:
        if self._keep_alive_s is not None:
            self._pulse = Pulse(self._exchange, self._keep_alive_s)  # from here on, `close` is certain
        return self

    async def __anext__(self) -> bytes:
        if self._over:
            raise StopAsyncIteration
        try:
            return await self._next()
        except Quiet:
            return COMMENT  # a meter passes whole events, so this stands between two of them
        except ReaderLeft:
            self._settle(Reason.CLIENT_CUT)
            raise StopAsyncIteration from None
        except UpstreamError as failure:
            return await self._broken(of_transport(failure, answering=True).error)
        except UpstreamFailed as failure:
            return await self._broken(failure)
        except EventTooLong:
            return await self._broken(UpstreamFailed("LLM provider error", status=502))

    async def close(self) -> None:
        """Let go of the upstream; settle as left by the client unless the stream has ended otherwise."""
        self._settle(Reason.CLIENT_CUT)
        self._exchange.close()
        self._release()
        if self._pulse is not None:
            self._pulse.stop()

    async def _next(self) -> bytes:
        while True:
            chunk = await self._exchange.next_chunk()
            if not chunk:
                return await self._finish(b"")
            passing = self._meter.feed(chunk)
            if self._meter.ended:
                return await self._finish(passing)
            if passing:
                if self._pulse is not None:
                    self._pulse.heard()
                return passing

    async def _finish(self, passing: bytes) -> bytes:
        """The end, as the upstream made it: on disk first, then to the reader."""
        last = passing + self._meter.finish()
        reading = self._meter.reading()
        await self._close_books(reading.reason, reading.seen)
        if not last:
            raise StopAsyncIteration
        return last

    async def _broken(self, error: GatewayError) -> bytes:
        """The upstream failed in the middle: say so in the caller's dialect."""
        seen = self._meter.reading()
        reason = seen.reason if seen.reason is Reason.USAGE else Reason.UPSTREAM_CUT
        await self._close_books(reason, seen.seen)
        return self._tell(error)

    def _tell(self, error: GatewayError) -> bytes:
        """What the caller is told of a failure in the middle."""
        return self._dialect.error_event(error, self._request_id)

    async def _close_books(self, reason: Reason, seen: Consumption) -> None:
        ticket = self._settlement.close(reason, seen, status=200)
        self._over = True
        if not ticket.durable:
            await ticket.wait(SETTLED_WAIT_S)

    def _settle(self, reason: Reason) -> None:
        """Settle a stream whose reader is gone; usage that had already come is exact."""
        self._over = True
        if self._settlement.ticket is None:
            reading = self._meter.reading()
            settled = reading.reason if reading.seen.reported is not None else reason
            self._settlement.close(settled, reading.seen)


Reply = WholeReply | StreamReply
