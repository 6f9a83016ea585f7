"""A provider asked through stock httpx: slower than our own pool, for proxies and HTTP/2.

httpx can be stopped only by cancelling the task that awaits it. So each exchange has one, which
fetches into a bounded buffer; deadlines, `abort` and `close` end that task from outside. httpx's
own timeouts stay off: its trace tells which phase a request is in, and one deadline per phase
is what the place's timeouts promise.

A request that ends before it was sent may leave its place in httpx's pool taken for good: httpcore
does not foresee an end between giving it a connection and using it. So places are counted here, and
after such an end the next request gets a fresh client.
"""

from __future__ import annotations

import asyncio
import http.cookiejar
import importlib.util
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Self

import httpx

from otari_daemon.providers.form import Sending
from otari_daemon.providers.http1.errors import FailureKind, Quiet, UpstreamError
from otari_daemon.providers.http1.framing import FramingError, body_length
from otari_daemon.providers.http1.limits import OVERDUE
from otari_daemon.providers.http1.origin import Origin, tls_context
from otari_daemon.providers.upstream import Headers, Place

HTTP2 = importlib.util.find_spec("h2") is not None
MAX_UNREAD_BYTES = 65_536
"""Beyond this, nothing is fetched until the reader has taken some."""

_CLOSE_S = 1.0  # how long `aclose` waits for exchanges that were broken off
_MAX_CAUSES = 8
_MESSAGES = {
    FailureKind.DNS: "the upstream's name does not resolve",
    FailureKind.CONNECT: "the upstream does not accept connections",
    FailureKind.TLS: "no TLS with the upstream",
    FailureKind.RESET: "the upstream closed before its answer was whole",
    FailureKind.HEADERS_TOO_LARGE: "the upstream's headers are too large",
    FailureKind.PROTOCOL: "the upstream does not speak HTTP as otari accepts it",
}
# httpx has one exception for all that a peer can say wrongly; its words are what tells these apart.
_PROTOCOL_WORDS = {
    "disconnected": FailureKind.RESET,
    "closed connection": FailureKind.RESET,
    "too long": FailureKind.HEADERS_TOO_LARGE,
}


class HttpxUpstream:
    """One provider's httpx client. Made inside the event loop that uses it."""

    def __init__(self, place: Place) -> None:
        Origin.parse(place.base_url)
        self.name = place.name
        self.type = place.type
        self.place = place
        self._proxy, self._tls = _way(place)
        self._client = self._make()
        self._users: Counter[httpx.AsyncClient] = Counter()
        self._places = asyncio.Semaphore(place.limits.connections)
        self._base = place.base_url.rstrip("/")
        self._live: set[HttpxExchange] = set()
        self._closed = False

    @property
    def mock(self) -> bool:
        """Whether this is the built-in mock: its answers are made up, and labeled so."""
        return self.type == "mock"

    def post(self, path: str, body: bytes, request_id: str, own: Headers = ()) -> HttpxExchange:
        """An exchange that posts JSON to a path under the base URL; `start` it to send it."""
        headers = [*self.place.headers_with(own), (b"x-request-id", request_id.encode())]
        return HttpxExchange(self, httpx.Request("POST", self._base + path, headers=headers, content=body))

    def post_form(self, path: str, form: Sending, request_id: str) -> HttpxExchange:
        """An exchange that posts a form, piece by piece, under the base URL."""
        headers = self.place.form_headers(form, request_id)
        return HttpxExchange(self, httpx.Request("POST", self._base + path, headers=headers, content=form))

    def break_off(self) -> None:
        """Fail every exchange at once; none can be started afterwards."""
        self._closed = True
        for exchange in tuple(self._live):
            exchange.fail(FailureKind.RESET, "the pool was closed")

    async def aclose(self) -> None:
        """Break off, and return when the connections are closed."""
        self.break_off()
        tasks = [exchange.task for exchange in self._live if exchange.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_S)
        await self._client.aclose()

    def enlist(self, exchange: HttpxExchange) -> None:
        """Count an exchange that begins; UpstreamError if too many run and wait."""
        if self._closed:
            raise RuntimeError("the upstream is closed")
        limits = self.place.limits
        if len(self._live) >= limits.connections + limits.waiters:
            raise UpstreamError(FailureKind.POOL_FULL, "too many requests wait already")
        self._live.add(exchange)

    def finished(self, exchange: HttpxExchange) -> None:
        """Forget an exchange whose task has ended."""
        self._live.discard(exchange)

    @asynccontextmanager
    async def lend(self, exchange: HttpxExchange) -> AsyncIterator[httpx.AsyncClient]:
        """Give an exchange its place and a client; renew the client if nothing was sent over it."""
        async with self._places:
            client = self._client
            self._users[client] += 1
            try:
                yield client
            finally:
                self._users[client] -= 1
                if not exchange.sent and client is self._client:
                    self._client = self._make()
                if client is not self._client and not self._users[client]:
                    del self._users[client]
                    await client.aclose()

    def _make(self) -> httpx.AsyncClient:
        """A client that adds nothing of its own: no environment, redirects, cookies or decoding."""
        limits = self.place.limits
        return httpx.AsyncClient(
            verify=self._tls or False,  # without TLS there is nothing to verify, and no context is made
            http2=HTTP2,
            proxy=self._proxy,
            timeout=None,  # noqa: S113 - every phase has its own deadline
            follow_redirects=False,
            limits=httpx.Limits(
                max_connections=limits.connections,
                max_keepalive_connections=limits.idle,
                keepalive_expiry=limits.idle_s,
            ),
            cookies=http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=())),
            trust_env=False,
        )


class HttpxExchange:
    """A request and its answer, fetched by a task of its own. See `upstream.Exchange`."""

    def __init__(self, owner: HttpxUpstream, request: httpx.Request) -> None:
        self._owner = owner
        self._request: httpx.Request | None = request
        self._timeouts = owner.place.timeouts
        self._loop = asyncio.get_running_loop()
        self._overdue = FailureKind.POOL_FULL
        self._patience_s = owner.place.limits.queue_s
        self._total: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._wanted = 0  # unread bytes that are fetched although nobody has taken them
        self._chunks: list[bytes] = []
        self._failure: BaseException | None = None
        self._done = False
        self._until_s: float | None = None  # when a wait that was nudged would have been over
        self._step = ""
        self.task: asyncio.Task[None] | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.length = 0
        self.sent = False
        self.unread = 0

    # The caller's side

    async def start(self) -> Self:
        """Send the request and return once the head is in; raises UpstreamError or `abort`'s reason."""
        self._check()
        request, self._request = self._request, None
        assert request is not None, "an exchange is started once"
        self._owner.enlist(self)
        self.task = self._loop.create_task(self._fetch(request))
        self.task.add_done_callback(self._fetched)
        self._total = self._loop.call_later(self._timeouts.total_s, self._late, FailureKind.TOTAL_TIMEOUT)
        while not self.status:
            self._check()
            await self._wait()
        return self

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a field, by its lower-case name."""
        return next((value for field, value in self.headers if field == name), None)

    async def next_chunk(self) -> bytes:
        """Return whatever has arrived, waiting for something if need be; b"" at the end."""
        while not self._chunks:
            self._check()
            if self._done:
                return b""
            await self._wait()
        return self._take()

    async def read(self, limit: int) -> bytes:
        """Return the rest of the body, of at most `limit` bytes; UpstreamError beyond."""
        self._wanted = limit + 1
        self._room.set()
        while not self._done and self.length <= limit and self.unread <= limit:
            self._check()
            await self._wait()
        if self.length > limit or self.unread > limit:
            too_large = self._error(FailureKind.BODY_TOO_LARGE, "the upstream's body is too large")
            self.abort(too_large)
            raise too_large
        self._check()
        return self._take()

    def nudge(self) -> None:
        """Have a `next_chunk` that waits raise Quiet; waiting again goes on where that left off."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(Quiet())

    def abort(self, reason: BaseException) -> None:
        """Break off; who waits, and who asks later, gets exactly `reason`."""
        if self._failure is None:
            self._chunks.clear()
            self.unread = 0
            self._end(reason)

    def close(self) -> None:
        """Give up what is left; safe to repeat."""
        self.abort(RuntimeError("the exchange is closed"))

    def fail(self, kind: FailureKind, message: str) -> None:
        """End with an UpstreamError; bytes that came before stay readable."""
        if self._failure is None:
            self._end(self._error(kind, message))

    # The fetching task

    async def _fetch(self, request: httpx.Request) -> None:
        """Send, and take in the answer as fast as it is read."""
        request.extensions["trace"] = self._trace
        try:
            async with (
                self._owner.lend(self) as client,
                aclosing(await client.send(request, stream=True)) as response,
            ):
                self._publish(response)
                async with aclosing(response.aiter_raw()) as pieces:  # type: ignore[type-var]
                    async for piece in pieces:
                        await self._keep(piece)
        except FramingError:
            self.fail(FailureKind.PROTOCOL, _MESSAGES[FailureKind.PROTOCOL])
        except httpx.HTTPError as error:
            kind = _kind(error, self._step)
            self.fail(kind, _MESSAGES[kind])
        else:
            self._done = True
            self._wake()

    async def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Learn from httpx what comes next; a proxy's CONNECT is not the request."""
        self._step = event
        if event == "connection.connect_tcp.started":
            self._expect(FailureKind.CONNECT_TIMEOUT, self._timeouts.connect_s)
        elif event.endswith(".send_request_headers.started") and info["request"].method == b"POST":
            self.sent = True
            self._expect(FailureKind.FIRST_BYTE_TIMEOUT, self._timeouts.first_byte_s)

    def _publish(self, response: httpx.Response) -> None:
        """Take the head of the answer; FramingError where its body could be read in two ways."""
        self.headers = [(name.lower(), value) for name, value in response.headers.raw]
        if response.status_code < 200:
            raise FramingError("an interim answer in the place of the last")
        self.length = body_length(response.status_code, "1.1", self.headers)
        self.status = response.status_code
        self._expect(FailureKind.IDLE_TIMEOUT, self._timeouts.idle_s)

    async def _keep(self, piece: bytes) -> None:
        """Add to what is unread, then wait for room."""
        self._until_s = None
        self._chunks.append(piece)
        self.unread += len(piece)
        self._wake()
        while self.unread > max(MAX_UNREAD_BYTES, self._wanted):
            self._room.clear()
            await self._room.wait()

    def _fetched(self, task: asyncio.Task[None]) -> None:
        """The task is over: nothing of the exchange is left outside of it."""
        self.task = None
        if self._total is not None:
            self._total.cancel()
        self._owner.finished(self)
        unforeseen = None if task.cancelled() else task.exception()
        if unforeseen is not None and self._failure is None:
            self._end(unforeseen)

    # Inside

    def _expect(self, overdue: FailureKind, patience_s: float) -> None:
        self._overdue = overdue
        self._patience_s = patience_s
        self._wake()

    def _late(self, kind: FailureKind) -> None:
        self.fail(kind, OVERDUE[kind])

    def _error(self, kind: FailureKind, message: str) -> UpstreamError:
        """Of an answer that is not understood, something was seen; else its head counts."""
        spoke = kind in (FailureKind.PROTOCOL, FailureKind.HEADERS_TOO_LARGE)
        return UpstreamError(kind, message, sent=self.sent, started=self.status != 0 or (self.sent and spoke))

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _wait(self) -> None:
        """Wait for news, at most as long as this phase may be silent; cancellation closes."""
        assert self._waiter is None, "an exchange is used from one task"
        self._waiter = waiter = self._loop.create_future()
        until_s, self._until_s = self._until_s or self._loop.time() + self._patience_s, None
        try:
            async with asyncio.timeout_at(until_s):
                await waiter
        except Quiet:
            self._until_s = until_s
            raise
        except TimeoutError:
            if waiter.cancelled():
                self._late(self._overdue)
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _take(self) -> bytes:
        data = b"".join(self._chunks)
        self._chunks.clear()
        self.unread = 0
        self._room.set()
        return data

    def _end(self, reason: BaseException) -> None:
        """Fail with `reason`; the task, if it still fetches, closes its connection as it is cancelled."""
        self._failure = reason
        self._request = None
        if self.task is not None and not self._done:
            self.task.cancel()
        self._wake()


def _way(place: Place) -> tuple[httpx.Proxy | None, ssl.SSLContext | None]:
    """The proxy on the way, if any, and the TLS for whoever is met with it."""
    proxy = None if place.proxy is None else httpx.Proxy(place.proxy.reveal())
    tls_proxy = proxy is not None and proxy.url.scheme == "https"
    tls = None
    if tls_proxy or place.base_url.startswith("https:"):
        tls = tls_context(place.ca_file, verify=place.verify_tls)
    if proxy is not None and tls_proxy:
        proxy.ssl_context = tls
    return proxy, tls


def _kind(error: httpx.HTTPError, step: str) -> FailureKind:
    """Name a failure of httpx, which came in `step` of its trace."""
    if isinstance(error, httpx.ConnectError):
        if "start_tls" in step:
            return FailureKind.TLS
        return FailureKind.DNS if _unresolved(error) else FailureKind.CONNECT
    if isinstance(error, httpx.ProxyError):
        return FailureKind.CONNECT
    if isinstance(error, httpx.NetworkError):
        return FailureKind.RESET
    words = str(error)
    return next((kind for said, kind in _PROTOCOL_WORDS.items() if said in words), FailureKind.PROTOCOL)


def _unresolved(error: BaseException) -> bool:
    """Whether a name that does not resolve is behind a failure to connect."""
    cause: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if cause is None or isinstance(cause, socket.gaierror):
            break
        cause = cause.__cause__ or cause.__context__
    return isinstance(cause, socket.gaierror)
