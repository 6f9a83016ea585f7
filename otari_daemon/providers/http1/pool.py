"""Connections to one origin: the last used is the first reused, and everything has a bound."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterable
from typing import NamedTuple

from otari_daemon.providers.http1.connection import Connection
from otari_daemon.providers.http1.dial import dial
from otari_daemon.providers.http1.errors import FailureKind, UpstreamError
from otari_daemon.providers.http1.exchange import Exchange, Upload
from otari_daemon.providers.http1.limits import PoolLimits, Timeouts
from otari_daemon.providers.http1.origin import Origin, tls_context

# The watch looks this often, as a part of the shortest deadline and within these bounds: a
# deadline is noticed late by at most so much.
_TICKS_PER_DEADLINE = 20
_TICK_S_MIN = 0.005
_TICK_S_MAX = 0.25
_CLOSE_S = 1.0  # how long `aclose` waits for sockets that were aborted


class PoolStats(NamedTuple):
    """Connections serving or opening, connections at rest, and requests in the queue."""

    in_use: int
    idle: int
    waiting: int


class Pool:
    """Pooled connections to one origin, of one event loop.

    One timer per pool watches the deadlines of all exchanges and the age of idle connections,
    and stops when there is neither. A request is written to one connection, once.
    """

    def __init__(
        self,
        origin: Origin,
        limits: PoolLimits | None = None,
        timeouts: Timeouts | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Take a place to connect to; call it inside the loop.

        `tls` is shared by the connections to an https origin and made here if not given.
        """
        self.origin = origin
        self._limits = limits or PoolLimits()
        self._timeouts = timeouts or Timeouts()
        self._tls = (tls or tls_context()) if origin.scheme == "https" else None
        self._loop = asyncio.get_running_loop()
        self._open = 0  # connections serving, opening and idle
        self._idle: deque[Connection] = deque()
        self._waiters: deque[Exchange] = deque()
        self._live: set[Exchange] = set()
        self._sockets: set[Connection] = set()
        self._dials: set[asyncio.Task[None]] = set()
        self._emptied: asyncio.Future[None] | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._closed = False
        self.queue_s = self._limits.queue_s
        shortest_s = min(
            self.queue_s,
            self._timeouts.connect_s,
            self._timeouts.first_byte_s,
            self._timeouts.idle_s,
            self._timeouts.total_s,
            self._limits.idle_s,
        )
        self._tick_s = min(_TICK_S_MAX, max(_TICK_S_MIN, shortest_s / _TICKS_PER_DEADLINE))

    # The caller's side

    def begin(self, head: bytes, body: bytes = b"", timeouts: Timeouts | None = None) -> Exchange:
        """Make an exchange, which does nothing until its `start` is awaited.

        `head` is whole, with its empty line and the framing of `body` (see `request_head`).
        """
        return Exchange(self, self._loop, head, body, timeouts or self._timeouts)

    def begin_upload(
        self,
        head: bytes,
        pieces: AsyncIterable[bytes],
        length: int | None = None,
        timeouts: Timeouts | None = None,
    ) -> Exchange:
        """Make an exchange whose request body comes in pieces.

        With `length`, the head carries it and the pieces must add up to it; without, the head
        says `transfer-encoding: chunked` and the chunks are made here. Closing the iterator is
        the caller's part.
        """
        upload = Upload(pieces, length)
        return Exchange(self, self._loop, head, upload, timeouts or self._timeouts)

    async def send(self, head: bytes, body: bytes = b"") -> Exchange:
        """Begin and start an exchange: `begin` for who need not abort it before its head is in."""
        return await self.begin(head, body).start()

    def stats(self) -> PoolStats:
        """Count connections and waiters now."""
        return PoolStats(self._open - len(self._idle), len(self._idle), len(self._waiters))

    def close(self) -> None:
        """Abort all exchanges and connections; nothing can be started afterwards."""
        self._closed = True
        for exchange in tuple(self._live):
            exchange.fail(FailureKind.RESET, "the pool was closed")
        while self._idle:
            self._discard(self._idle.pop())
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None

    async def aclose(self) -> None:
        """Close, and return when the sockets are closed too."""
        self.close()
        if self._dials:
            await asyncio.wait(self._dials, timeout=_CLOSE_S)
        if self._sockets:
            self._emptied = self._loop.create_future()
            await asyncio.wait([self._emptied], timeout=_CLOSE_S)

    # The exchange's side

    def enlist(self, exchange: Exchange) -> None:
        """Start on an idle connection, a new one, or wait in line; UpstreamError if that is full."""
        if self._closed:
            raise RuntimeError("the pool is closed")
        connection = self._take_idle()
        if connection is not None:
            exchange.attach(connection)
        elif self._open < self._limits.connections:
            self._open_for(exchange)
        elif len(self._waiters) < self._limits.waiters:
            self._waiters.append(exchange)
        else:
            raise UpstreamError(FailureKind.POOL_FULL, "too many requests wait already")
        self._live.add(exchange)
        if self._ticker is None:
            self._ticker = self._loop.call_later(self._tick_s, self._tick)

    def withdraw(self, exchange: Exchange) -> None:
        """Stop dialing for an exchange, or take it out of the line."""
        if exchange.dialing is not None:
            exchange.dialing.cancel()
            exchange.dialing = None
            self.vacated()
        elif exchange in self._waiters:
            self._waiters.remove(exchange)

    def finished(self, exchange: Exchange) -> None:
        """Watch an exchange no longer."""
        self._live.discard(exchange)

    # The connections' side

    def opened(self, connection: Connection) -> None:
        """Count a connection whose socket is open."""
        self._sockets.add(connection)

    def freed(self, connection: Connection) -> None:
        """Take back a connection whose exchange ended well: for the first in line, or to rest."""
        connection.idle_since = self._loop.time()
        self._idle.append(connection)
        if self._waiters:
            self._serve_waiters()
        elif len(self._idle) > self._limits.idle:
            self._discard(self._idle.popleft())

    def vacated(self) -> None:
        """Learn that a connection in use is gone: there is room for another."""
        self._open -= 1
        if self._waiters:
            self._serve_waiters()

    def died_idle(self, connection: Connection) -> None:
        """Learn that a connection at rest is gone."""
        if connection in self._idle:
            self._idle.remove(connection)
            self.vacated()

    def closed(self, connection: Connection) -> None:
        """Learn that a connection's socket is closed."""
        self._sockets.discard(connection)
        if self._emptied is not None and not self._sockets and not self._emptied.done():
            self._emptied.set_result(None)

    # Inside

    def _take_idle(self) -> Connection | None:
        """Return the idle connection used last that is still good; drop those that are not."""
        oldest = self._loop.time() - self._limits.idle_s
        while self._idle:
            connection = self._idle.pop()
            if connection.idle_since > oldest and connection.usable():
                return connection
            self._discard(connection)
        return None

    def _discard(self, connection: Connection) -> None:
        connection.kill()
        self._open -= 1

    def _serve_waiters(self) -> None:
        """Give the first in line what there is: an idle connection, or room for a new one."""
        while self._waiters and not self._closed:
            connection = self._take_idle()
            if connection is not None:
                self._waiters.popleft().attach(connection)
            elif self._open < self._limits.connections:
                self._open_for(self._waiters.popleft())
            else:
                return

    def _open_for(self, exchange: Exchange) -> None:
        self._open += 1
        task = self._loop.create_task(self._dial(exchange))
        self._dials.add(task)
        task.add_done_callback(self._dials.discard)
        exchange.dial(task)

    async def _dial(self, exchange: Exchange) -> None:
        """Open a connection for `exchange` and start it there; cancelled when that is withdrawn."""
        connect_s = exchange.timeouts.connect_s
        try:
            connection = await dial(self.origin, self._tls, connect_s, self._make)
        except UpstreamError as error:
            exchange.dialing = None
            self.vacated()
            exchange.fail(error.kind, str(error))
            return
        exchange.attach(connection)

    def _make(self) -> Connection:
        return Connection(self, self._loop)

    def _tick(self) -> None:
        """Look at every deadline, and at the connections that have rested longest."""
        now = self._loop.time()
        for exchange in tuple(self._live):
            exchange.watch(now)
        while self._idle and now - self._idle[0].idle_since > self._limits.idle_s:
            self._discard(self._idle.popleft())
        if self._live or self._idle:
            self._ticker = self._loop.call_later(self._tick_s, self._tick)
        else:
            self._ticker = None
