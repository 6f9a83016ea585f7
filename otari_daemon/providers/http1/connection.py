"""One connection: bytes to answer, strictly, and a judgment whether it may be used again."""

import asyncio
import select
from typing import TYPE_CHECKING, Protocol, cast

import httptools

from otari_daemon.providers.http1.errors import FailureKind
from otari_daemon.providers.http1.framing import (
    CHUNKED,
    UNTIL_CLOSE,
    FramingError,
    body_length,
    ends_exactly,
)

if TYPE_CHECKING:
    from otari_daemon.providers.http1.exchange import Exchange

MAX_HEAD_BYTES = 65_536
MAX_FIELDS = 200  # of all heads of one answer and its trailers together
MAX_INTERIM = 10
MAX_UNREAD_BYTES = 65_536  # beyond this the socket is not read until the reader has taken some
ONE_WRITE_BYTES = 65_536  # a body up to this size leaves in one write with its head


class Keeper(Protocol):
    """Who owns connections: told of each one's birth, its end, and when it is free again."""

    def opened(self, connection: "Connection") -> None:
        """Count a connection whose socket is open."""

    def freed(self, connection: "Connection") -> None:
        """Take back a connection whose exchange ended well."""

    def vacated(self) -> None:
        """Learn that a connection in use is gone."""

    def died_idle(self, connection: "Connection") -> None:
        """Learn that a connection not in use is gone."""

    def closed(self, connection: "Connection") -> None:
        """Learn that a connection's socket is closed."""


class _Refused(Exception):
    """Ends the parser's run from within a callback; the exchange knows why."""


class Connection(asyncio.Protocol):
    """A socket to one origin, serving one exchange at a time.

    `alive` turns False once and for all, with the socket aborted: at the first end of input,
    error or byte nobody asked for.
    """

    __slots__ = (
        "_chunked",
        "_complete",
        "_exchange",
        "_fields",
        "_head_bytes",
        "_interim",
        "_keep",
        "_keeper",
        "_last_piece",
        "_loop",
        "_parser",
        "_poll",
        "_silent_bytes",
        "_transport",
        "alive",
        "idle_since",
        "paused",
        "write_paused",
    )

    def __init__(self, keeper: Keeper, loop: asyncio.AbstractEventLoop) -> None:
        self._keeper = keeper
        self._loop = loop
        self._exchange: Exchange | None = None
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._poll = select.poll()
        self._interim = False
        self.alive = True
        self.idle_since = 0.0
        self.paused = False
        self.write_paused = False
        self._reset()

    def _reset(self) -> None:
        """Forget the last answer."""
        self._fields = 0
        self._head_bytes = 0
        self._silent_bytes = 0
        self._complete = False
        self._keep = False
        self._chunked = False
        self._last_piece = b""

    # Life

    @property
    def transport(self) -> asyncio.Transport:
        """The transport; only once connected."""
        assert self._transport is not None
        return self._transport

    def adopt(self, transport: asyncio.Transport) -> None:
        """Continue over `transport`, which has TLS inside."""
        self._transport = transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by behavior only
        self._poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        self._keeper.opened(self)
        if not self.alive:
            self._transport.abort()

    def usable(self) -> bool:
        """Say whether an idle connection is still good: open, and nothing to read from it.

        Asks the kernel too: what arrived there has not passed through the event loop yet.
        """
        return self.alive and not self._poll.poll(0)

    def kill(self) -> None:
        """Close the socket at once, without a word to the peer or to the exchange."""
        self.alive = False
        self._exchange = None
        self._parser = None  # it holds our callbacks: a cycle otherwise
        if self._transport is not None:
            self._transport.abort()

    def discard(self) -> None:
        """Kill a connection that did not open, of whose end the loop may tell nobody."""
        self.kill()
        self._keeper.closed(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.alive:
            self._input_ended(clean=exc is None)
        self._keeper.closed(self)

    def eof_received(self) -> None:
        if self.alive:
            self._input_ended(clean=True)

    def _input_ended(self, *, clean: bool) -> None:
        exchange = self._exchange
        if exchange is None:
            self.kill()
            self._keeper.died_idle(self)
        elif clean and exchange.length == UNTIL_CLOSE:
            self._finish(exchange, reusable=False)
        elif exchange.uploading:
            exchange.fail(FailureKind.WRITE, "the upstream closed before it had the whole request")
        else:
            exchange.fail(FailureKind.RESET, "the upstream closed before its answer was whole")

    # Sending

    def send(self, exchange: "Exchange", head: bytes, body: bytes) -> None:
        """Begin an exchange: write its head and the body known so far."""
        self._reset()
        self._exchange = exchange
        transport = self.transport
        if len(body) <= ONE_WRITE_BYTES:
            transport.write(head + body)
        else:
            transport.write(head)
            transport.write(body)

    def pause_writing(self) -> None:
        self.write_paused = True

    def resume_writing(self) -> None:
        self.write_paused = False
        if self._exchange is not None:
            self._exchange.wake()

    # Receiving

    def resume(self) -> None:
        """Read the socket again, after the reader has taken what was buffered."""
        if self.paused:
            self.paused = False
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None or self._parser is None:
            if self.alive:
                self.kill()
                self._keeper.died_idle(self)
            return
        exchange.started = True
        self._silent_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._keep = False
            if not self._complete:
                exchange.fail(FailureKind.PROTOCOL, "the upstream's answer is malformed")
        if self._complete:
            reusable = self._keep and not exchange.uploading
            self._finish(exchange, reusable and ends_exactly(data, self._last_piece))
        elif self.alive:
            self._hand_over(exchange)

    def _hand_over(self, exchange: "Exchange") -> None:
        """Wake the reader if it has what it waits for, and hold back a sender it cannot keep up with."""
        if self._silent_bytes > MAX_HEAD_BYTES:
            self._refuse_size(exchange)
            return
        if exchange.status:  # bytes of a head do not put its deadline off
            exchange.since = self._loop.time()
            if exchange.unread >= exchange.wanted:
                exchange.wake()
        if exchange.unread > MAX_UNREAD_BYTES and exchange.unread > exchange.wanted:
            self.paused = True
            self.transport.pause_reading()

    def _finish(self, exchange: "Exchange", reusable: bool) -> None:
        self._exchange = None
        exchange.finish()
        if reusable:
            self.resume()
            self._keeper.freed(self)
        else:
            self.kill()
            self._keeper.vacated()

    @staticmethod
    def _refuse_size(exchange: "Exchange") -> None:
        if exchange.status:
            exchange.fail(FailureKind.PROTOCOL, "the upstream's chunk framing is too large")
        else:
            exchange.fail(FailureKind.HEADERS_TOO_LARGE, "the upstream's head is too large")

    # Parser callbacks; the names are httptools'.

    def on_message_begin(self) -> None:
        """Stop at a second answer; interim ones are not whole answers."""
        if self._complete:
            raise _Refused

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head; count, but drop, one of the trailers."""
        exchange = self._exchange
        if exchange is None:
            raise _Refused
        self._fields += 1
        self._head_bytes += len(name) + len(value) + 4
        if self._fields > MAX_FIELDS or self._head_bytes > MAX_HEAD_BYTES:
            self._refuse_size(exchange)
            raise _Refused
        if not exchange.status:
            exchange.headers.append((name.lower(), value.rstrip()))

    def on_headers_complete(self) -> None:
        """Judge the head: skip an interim one, refuse an ambiguous one, else publish it."""
        exchange, parser = self._exchange, self._parser
        if exchange is None or parser is None:
            raise _Refused
        status = parser.get_status_code()
        version = parser.get_http_version()
        if version not in {"1.1", "1.0"}:
            raise _Refused
        try:
            length = body_length(status, version, exchange.headers)
        except FramingError:
            raise _Refused from None
        if status < 200:
            self._skip_interim(exchange, status, length)
            return
        self._interim = False
        self._chunked = length == CHUNKED
        exchange.publish(status, 0 if exchange.is_head else length)
        if exchange.is_head:  # the parser would wait for the body that is only announced
            self._complete = True
            raise _Refused

    def _skip_interim(self, exchange: "Exchange", status: int, length: int) -> None:
        exchange.interim += 1
        if status == 101 or length != UNTIL_CLOSE or exchange.interim > MAX_INTERIM:
            raise _Refused
        exchange.headers.clear()
        self._interim = True

    def on_body(self, piece: bytes) -> None:
        """Keep a piece of the body for the reader."""
        exchange = self._exchange
        if exchange is None:
            raise _Refused
        self._silent_bytes = 0
        exchange.chunks.append(piece)
        exchange.unread += len(piece)
        self._last_piece = piece

    def on_message_complete(self) -> None:
        """Note that the answer is whole, and what its head said about staying open."""
        if self._exchange is None or self._parser is None:
            raise _Refused
        if self._interim:
            return
        self._complete = True
        self._keep = self._parser.should_keep_alive()
        if self._chunked:
            self._last_piece = b""
