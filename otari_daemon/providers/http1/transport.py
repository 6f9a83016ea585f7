"""The pools as a transport for httpx, whose own costs grow with every connection it keeps."""

import ssl
from collections import OrderedDict
from collections.abc import AsyncIterable, AsyncIterator
from typing import NoReturn

import httpx

from otari_daemon.providers.http1.errors import FailureKind, UpstreamError
from otari_daemon.providers.http1.exchange import Exchange
from otari_daemon.providers.http1.heads import request_head
from otari_daemon.providers.http1.limits import PoolLimits, Timeouts
from otari_daemon.providers.http1.origin import DEFAULT_PORTS, Origin, tls_context
from otari_daemon.providers.http1.pool import Pool

MAX_ORIGINS = 64

_HTTPX_ERRORS: dict[FailureKind, type[httpx.TransportError]] = {
    FailureKind.DNS: httpx.ConnectError,
    FailureKind.CONNECT: httpx.ConnectError,
    FailureKind.TLS: httpx.ConnectError,
    FailureKind.CONNECT_TIMEOUT: httpx.ConnectTimeout,
    FailureKind.POOL_FULL: httpx.PoolTimeout,
    FailureKind.WRITE: httpx.WriteError,
    FailureKind.FIRST_BYTE_TIMEOUT: httpx.ReadTimeout,
    FailureKind.IDLE_TIMEOUT: httpx.ReadTimeout,
    FailureKind.TOTAL_TIMEOUT: httpx.ReadTimeout,
    FailureKind.RESET: httpx.RemoteProtocolError,
    FailureKind.PROTOCOL: httpx.RemoteProtocolError,
    FailureKind.HEADERS_TOO_LARGE: httpx.RemoteProtocolError,
    FailureKind.BODY_TOO_LARGE: httpx.RemoteProtocolError,
}


class PooledTransport(httpx.AsyncBaseTransport):
    """Sends httpx requests over our pools, one per origin, at most `max_origins` of them.

    A new origin beyond the bound takes the place of the least recently used one that is at
    rest; httpx.PoolTimeout if all are busy. httpx's connect and read timeouts shorten the
    phases they name; None leaves `timeouts` in force.
    """

    def __init__(
        self,
        limits: PoolLimits | None = None,
        timeouts: Timeouts | None = None,
        tls: ssl.SSLContext | None = None,
        max_origins: int = MAX_ORIGINS,
    ) -> None:
        """Take what every pool gets; `tls` is made at the first https request if not given."""
        self._limits = limits
        self._timeouts = timeouts or Timeouts()
        self._tls = tls
        self._max_origins = max_origins
        self._pools: OrderedDict[Origin, Pool] = OrderedDict()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return once the head of its answer is in."""
        url = request.url
        pool = self._pool(
            Origin(url.scheme, url.raw_host.decode(), url.port or DEFAULT_PORTS.get(url.scheme, 0))
        )
        exchange = _begin(pool, request, self._phases(request))
        try:
            await exchange.start()
        except UpstreamError as error:
            _reraise(error)
        return httpx.Response(exchange.status, headers=exchange.headers, stream=_Body(exchange))

    async def aclose(self) -> None:
        """Close every pool."""
        while self._pools:
            await self._pools.popitem()[1].aclose()

    def _pool(self, origin: Origin) -> Pool:
        pool = self._pools.get(origin)
        if pool is not None:
            self._pools.move_to_end(origin)
            return pool
        if origin.scheme not in DEFAULT_PORTS:
            raise httpx.UnsupportedProtocol("the url must begin with http:// or https://")
        if len(self._pools) >= self._max_origins:
            self._make_room()
        if origin.scheme == "https" and self._tls is None:
            self._tls = tls_context()
        pool = self._pools[origin] = Pool(origin, self._limits, self._timeouts, self._tls)
        return pool

    def _make_room(self) -> None:
        for origin, pool in self._pools.items():
            if pool.stats().in_use == 0:
                pool.close()
                del self._pools[origin]
                return
        raise httpx.PoolTimeout("too many origins are busy at once")

    def _phases(self, request: httpx.Request) -> Timeouts:
        asked: dict[str, float | None] = request.extensions.get("timeout", {})
        ours = self._timeouts
        connect_s, read_s = asked.get("connect"), asked.get("read")
        if connect_s is None and read_s is None:
            return ours
        return Timeouts(
            connect_s=ours.connect_s if connect_s is None else min(connect_s, ours.connect_s),
            first_byte_s=ours.first_byte_s if read_s is None else min(read_s, ours.first_byte_s),
            idle_s=ours.idle_s if read_s is None else min(read_s, ours.idle_s),
            total_s=ours.total_s,
        )


class _Body(httpx.AsyncByteStream):
    """An answer's body; closing it early closes the connection."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while chunk := await self._exchange.next_chunk():
                yield chunk
        except UpstreamError as error:
            _reraise(error)

    async def aclose(self) -> None:
        self._exchange.close()


def _begin(pool: Pool, request: httpx.Request, timeouts: Timeouts) -> Exchange:
    """Make the exchange of a request, whose body httpx has read already or streams."""
    raw = request.headers.raw
    fields = [(name, value) for name, value in raw if name.lower() != b"host"]
    host = request.headers.get("host", "").encode("ascii") or pool.origin.authority
    try:
        head = request_head(request.method.encode("ascii"), request.url.raw_path, host, fields)
    except ValueError as error:
        raise httpx.LocalProtocolError(str(error)) from None
    try:
        return pool.begin(head, request.content, timeouts)
    except httpx.RequestNotRead:
        length = request.headers.get("content-length")
        assert isinstance(request.stream, AsyncIterable)
        return pool.begin_upload(head, request.stream, None if length is None else int(length), timeouts)


def _reraise(error: UpstreamError) -> NoReturn:
    raise _HTTPX_ERRORS[error.kind](str(error)) from error
