"""uvicorn's HTTP protocol with one strict reading, limits, deadlines and a `Reader` per request.

The parser is only fed bytes already judged: a head when all of it is there, then exactly its body. Whatever
follows while the answer is pending is a pipelined request: it is dropped unread, and the connection closes
after that answer. An offer to upgrade (h2c, websocket) is declined by not hearing it.

A connection is in one phase: HEAD (waiting for, or inside, a head), SIZED or CHUNKED (inside a body),
ANSWER (the application's turn), CLOSING (nothing is read any more).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from otari_daemon.front import head as heads
from otari_daemon.front import refusals
from otari_daemon.front.alarm import Alarm
from otari_daemon.front.chunks import ChunkScanner
from otari_daemon.front.cycle import Cycle, scope_of
from otari_daemon.front.limits import FrontLimits
from otari_daemon.front.reader import Peer, Reader, peer_of
from otari_daemon.front.refusals import Refusal, Refused
from otari_daemon.front.writes import WriteWatch

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

_HEAD, _SIZED, _CHUNKED, _ANSWER, _CLOSING = range(5)

_SINGLE = heads.SINGLE
_UNPARSED = refusals.malformed("the request does not follow HTTP/1.1")
_REFUSED_IN_PERSON = 64  # connections over the limit that are still told so; more are dropped

_log = logging.getLogger("otari.front")


def protocol_class(limits: FrontLimits) -> type[StrictHttpProtocol]:
    """Return the protocol with its limits bound, for `uvicorn.Config(http=...)`."""
    return type("BoundHttpProtocol", (StrictHttpProtocol,), {"__slots__": (), "limits": limits})


class StrictHttpProtocol(HttpToolsProtocol):
    """One connection; uvicorn makes the requests' cycles, this decides what reaches them."""

    # beside uvicorn's own dictionary, which more names would make slower
    __slots__ = (
        *("_about", "_body_began_s", "_chunks", "_fields", "_good_host", "_held", "_least_limit", "_left"),
        *("_length", "_line", "_peer", "_phase", "_read_alarm", "_reader", "_refusal", "_served", "_upgrade"),
        "_writes",
    )
    limits = FrontLimits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.cycle: Cycle  # type: ignore[assignment]  # has all that uvicorn asks of its own
        self._about: dict[str, Any] = {}
        self._phase = _HEAD
        self._held = bytearray()  # the start of a head, at most head_bytes and one read
        self._left = 0  # bytes of a sized body still to come
        self._length = 0
        self._chunks: ChunkScanner | None = None
        self._body_began_s = 0.0
        self._served = 0
        self._line = heads.Line(b"", b"", 1, 0)
        self._fields: dict[bytes, bytes] = {}
        self._refusal: Refusal | None = None
        self._upgrade = False  # whether the parser saw an offer it would stop for
        self._good_host: bytes | None = None
        self._least_limit = self.limits.least_body_limit()
        self._peer: Peer | None = None
        self._reader: Reader | None = None  # of the request in hand: not complete, client there
        self._read_alarm = Alarm(self.loop, self._read_too_slow)
        self._writes = WriteWatch(self.loop, self.limits.write_s, self._reads_nothing)

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        """Start the clock, or turn the connection away when there are too many."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=self.limits.write_buffer_bytes)
        self._peer = peer_of(transport)
        self._about = {"scheme": self.scheme, "server": self.server, "client": self.client}
        excess = len(self.connections) - self.limits.max_connections
        if excess > _REFUSED_IN_PERSON:
            self._phase = _CLOSING
            transport.abort()
        elif excess > 0:
            self._refuse(refusals.CONNECTIONS)
        else:
            self._read_alarm.set(self.limits.head_s)

    def eof_received(self) -> None:
        """Take a half-closed client for one that left; the transport then closes itself."""
        if self._client_left():
            self.transport.abort()
        self._phase = _CLOSING
        self._writes.watch(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the reader if the client broke the connection; our closing it is not the client leaving."""
        super().connection_lost(exc)
        self._phase = _CLOSING
        self._read_alarm.stop()
        self._writes.stop()
        if exc is not None:
            self._client_left()

    def shutdown(self) -> None:
        """Finish the request in hand, if any, and close; nobody has left."""
        super().shutdown()
        if self.transport.is_closing():
            self._writes.watch(self.transport)

    # Bytes in

    def data_received(self, data: bytes) -> None:
        """Hand the parser what one strict reading allows it to see."""
        try:
            if self._phase == _HEAD:
                self._take_head(data)
            elif self._phase == _SIZED:
                self._take_sized(data)
            elif self._phase == _CHUNKED:
                self._take_chunked(data)
            elif self._phase == _ANSWER:
                self.cycle.keep_alive = False
        except Refused as refused:
            self._refuse(refused.refusal)
        except HttpParserError:
            _log.debug("the parser refused a body that the scan let pass", exc_info=True)
            self._refuse(_UNPARSED)

    def _take_head(self, data: bytes) -> None:
        end = -1 if self._held else data.find(heads.END)
        if end >= 0:
            self._begin(data, end + len(heads.END))
        else:
            self._hold(data)

    def _hold(self, data: bytes) -> None:
        """Keep a head's part until its end has come, unless what is there can only be refused."""
        held = self._held
        if self._served and not held:
            self._read_alarm.set(self.limits.head_s)
        since = max(len(held) - len(heads.END) + 1, 0)
        held += data
        end = held.find(heads.END, since)
        if end >= 0:
            self._held = bytearray()
            self._begin(bytes(held), end + len(heads.END))
        elif refusal := heads.refused_early(held, since, self.limits):
            raise Refused(refusal)

    def _begin(self, data: bytes, end: int) -> None:
        rest = data[end:]
        self._read_head(data[:end] if rest else data)
        if self._length == 0:
            self._end_of_body(rest)
            return
        self._left = self._length
        self._phase = _SIZED if self._chunks is None else _CHUNKED
        if rest:
            (self._take_sized if self._chunks is None else self._take_chunked)(rest)
        if self._phase in (_SIZED, _CHUNKED):
            self._body_began_s = self.loop.time()
            self._read_alarm.set(self.limits.body_s)

    def _read_head(self, head: bytes) -> None:
        self._line = heads.read_line(head, self.limits)
        try:
            self.parser.feed_data(head)
        except HttpParserUpgrade:
            assert self._upgrade, "the parser stops where its headers said it would"
        except HttpParserError:
            _log.debug("the parser refused a head that the scan let pass", exc_info=True)
            self._refusal = self._refusal or _UNPARSED
        if self._upgrade:
            self._upgrade = False
            self.parser = HttpRequestParser(self)
            self._read_head(heads.without_upgrade(head))
        elif self._refusal is not None:
            raise Refused(self._refusal)

    def _take_sized(self, data: bytes) -> None:
        left = self._left
        if len(data) < left:
            self._left = left - len(data)
            self.parser.feed_data(data)
            return
        self._left = 0
        self.parser.feed_data(data if len(data) == left else data[:left])
        self._end_of_body(data[left:])

    def _take_chunked(self, data: bytes) -> None:
        chunks = self._chunks
        assert chunks is not None, "the chunked phase has a scanner"
        size = chunks.scan(data)
        self.parser.feed_data(data if len(data) == size else data[:size])
        if chunks.done:
            self._end_of_body(data[size:])

    def _end_of_body(self, rest: bytes) -> None:
        self._read_alarm.clear()
        if not self.cycle.response_complete:
            self._phase = _ANSWER
            if rest:
                self.cycle.keep_alive = False
        elif not self.transport.is_closing():
            self._await_next()
            if rest:
                self._take_head(rest)

    # What the parser says

    def on_message_begin(self) -> None:
        """Start a request."""
        self.headers = []
        self._fields = {}
        self._chunks = None
        self._refusal = None

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a field, and those of `SINGLE` once."""
        name = name.lower()
        if name in _SINGLE:
            if name in self._fields:
                self._refusal = heads.repeated(name)
            self._fields[name] = value
        self.headers.append((name, value))

    def on_url(self, url: bytes) -> None:
        """Nothing: the line that was judged has it."""

    def on_headers_complete(self) -> None:
        """Judge the fields and start the application, or note why not: parsers are not raised through."""
        self._upgrade = self.parser.should_upgrade()
        if self._refusal is None and not self._upgrade:
            try:
                self._judge()
            except Refused as refused:
                self._refusal = refused.refusal
        if self._refusal is not None or self._upgrade:
            return
        self._served += 1
        self._start()

    def _start(self) -> None:
        reader = self._reader = Reader(self._peer)
        scope = scope_of(self._about, self._line, self.parser.get_method(), self.headers, reader)
        defaults = self.server_state.default_headers
        cycle = Cycle(scope, self.transport, self.flow, self.loop, defaults, self.on_response_complete)
        cycle.waiting_for_100_continue = self.expect_100_continue
        cycle.keep_alive = bool(
            self._line.minor
            and self._served < self.limits.requests_per_connection
            and self.parser.should_keep_alive()
        )
        self.cycle = cycle
        task = self.loop.create_task(cycle.run_asgi(self.app))
        self.tasks.add(task)
        task.add_done_callback(self._app_ended)

    def on_body(self, body: bytes) -> None:
        """Hand a piece of the body to the application, and hold the client back if it is behind."""
        if not self.cycle.response_complete:
            self.cycle.take(body)

    def on_message_complete(self) -> None:
        """End the body, and keep reading: a paused transport would not notice the client leave."""
        if self._refusal is None and not self._upgrade:
            self.cycle.take_end()
            self.flow.resume_reading()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless this answer was the connection's last."""
        self._reader = None
        if self.transport.is_closing():
            self._read_alarm.clear()
            self._close()
            return
        self.flow.resume_reading()
        if self._phase == _ANSWER:
            self._await_next()
        elif self.expect_100_continue:
            self._linger()  # the client may now send its body or not: no telling where a next request begins

    def _judge(self) -> None:
        fields, line = self._fields, self._line
        length = heads.judge(fields, line, len(self.headers), self._good_host, self.limits)
        self._good_host = fields.get(b"host")
        self.expect_100_continue = b"expect" in fields and line.minor == 1
        self.url = line.target
        if length > self._least_limit or length == heads.CHUNKED:
            limit = self.limits.body_limit(self.url.partition(b"?")[0].decode("ascii"))
            if length > limit:
                raise Refused(refusals.BODY_TOO_LARGE)
            if length == heads.CHUNKED:
                self._chunks = ChunkScanner(limit)
        self._length = length

    # The answer

    def pause_writing(self) -> None:
        """Give a client that does not read `write_s` to take something."""
        super().pause_writing()
        self._writes.watch(self.transport)

    def resume_writing(self) -> None:
        """Let the application write again; a closing connection stays watched."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._writes.clear()

    def _app_ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if self.transport.is_closing():
            self._writes.watch(self.transport)

    # Endings

    def _await_next(self) -> None:
        self._phase = _HEAD
        self._read_alarm.set(self.limits.idle_s)

    def _client_left(self) -> bool:
        """Stop the request in hand, if there is one, and say whether there was."""
        reader, self._reader = self._reader, None
        if reader is None:
            return False
        self.cycle.leave()
        reader.leave()
        return True

    def _reads_nothing(self) -> None:
        self._client_left()
        self.transport.abort()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer with `refusal` if nothing was answered yet, and end the connection either way."""
        _log.debug("refused: %d %s", refusal.status, refusal.code)
        in_body = self._phase in (_SIZED, _CHUNKED)
        self._phase = _CLOSING
        self._held.clear()
        started = in_body and self.cycle.response_started
        if self._client_left() and started:
            self.transport.abort()
        elif started:
            self._close()
        else:
            self.transport.write(refusals.render(refusal, self.server_state.default_headers))
            self._linger()

    def _linger(self) -> None:
        """Close for writing, and read on a little: closing over unread bytes could destroy the answer."""
        self._phase = _CLOSING
        if not self.transport.can_write_eof():
            self._close()
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self._read_alarm.set(self.limits.linger_s)

    def _close(self) -> None:
        self._phase = _CLOSING
        self.transport.close()
        self._writes.watch(self.transport)

    def _read_too_slow(self) -> None:
        if self._phase == _HEAD:
            if self._held:
                self._refuse(refusals.HEAD_TIMEOUT)
            else:
                self._close()
        elif self._phase in (_SIZED, _CHUNKED):
            self._judge_body_time()
        else:
            self.transport.abort()

    def _judge_body_time(self) -> None:
        limits = self.limits
        received = self._length - self._left if self._chunks is None else self._chunks.payload
        remaining_s = self._body_began_s + limits.body_allowed_s(received) - self.loop.time()
        if remaining_s > 0:
            self._read_alarm.set(remaining_s)
        elif self.flow.read_paused:
            self._read_alarm.set(limits.body_s)  # the application is behind, not the client
        else:
            self._refuse(refusals.BODY_TIMEOUT)
