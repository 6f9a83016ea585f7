"""One request and its answer as ASGI has them. uvicorn's own cycle costs a quarter of a small request:
it searches every header twice by pattern, and writes heads and bodies apart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from otari_daemon.front import refusals
from otari_daemon.front.head import Line
from otari_daemon.front.reader import SCOPE_KEY, Reader

JOINED_BYTES_MAX = 65_536
"""More than this is not worth copying to join it with a head."""

App = Callable[[Any, Any, Any], Any]
Headers = Iterable[tuple[bytes, bytes]]

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_ASGI = {"version": "3.0", "spec_version": "2.3"}
_NO_BODY, _SIZED, _CHUNKED, _TO_THE_END = range(4)  # how the end of an answer is known
_BODILESS = frozenset({204, 304})
_LENGTH, _CODING, _CONNECTION = b"content-length", b"transfer-encoding", b"connection"
_FRAMING = frozenset({_LENGTH, _CODING, _CONNECTION})

_log = logging.getLogger("otari.front")


def scope_of(
    about: dict[str, Any], line: Line, method: bytes, headers: list[tuple[bytes, bytes]], reader: Reader
) -> dict[str, Any]:
    """The ASGI scope of one request; `about` is what its connection says of itself."""
    raw_path, _, query = line.target.partition(b"?")
    path = raw_path.decode("ascii")
    return {
        "type": "http",
        "asgi": _ASGI,
        "http_version": "1.1" if line.minor else "1.0",
        "method": method.decode("ascii"),
        "path": unquote(path) if "%" in path else path,
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": headers,
        SCOPE_KEY: reader,
        **about,
    }


class Cycle:
    """Runs the application for one request, hands it the body and frames what it answers.

    The names uvicorn's protocol uses of a cycle are kept. A head leaves with the body that follows it in the
    same turn of the loop, else at the end of that turn: each write is a system call of some ten microseconds.
    """

    __slots__ = (
        *("_default_headers", "_event", "_framing", "_head", "_left", "_loop", "_on_response", "_ready"),
        *("_scope", "body", "disconnected", "flow", "keep_alive", "more_body", "response_complete"),
        *("response_started", "transport", "waiting_for_100_continue"),
    )

    def __init__(
        self,
        scope: dict[str, Any],
        transport: asyncio.Transport,
        flow: FlowControl,
        loop: asyncio.AbstractEventLoop,
        default_headers: Headers,
        on_response: Callable[[], None],
    ) -> None:
        self._scope = scope
        self.transport = transport
        self.flow = flow
        self._loop = loop
        self._default_headers = default_headers
        self._on_response: Callable[[], None] | None = on_response
        self.keep_alive = True
        self.waiting_for_100_continue = False
        self.disconnected = False
        self.body = bytearray()
        self.more_body = True
        self.response_started = False
        self.response_complete = False
        self._ready = False  # whether `receive` has something to say
        self._event: asyncio.Event | None = None
        self._head = b""  # kept for what follows in this turn
        self._framing = _NO_BODY
        self._left = 0  # bytes of a sized answer still to come

    @property
    def message_event(self) -> Cycle:
        """What uvicorn's protocol sets when there is something to receive."""
        return self

    def set(self) -> None:
        """Let `receive` look again."""
        self._ready = True
        if self._event is not None:
            self._event.set()

    def take(self, body: bytes) -> None:
        """Keep a piece of the request's body, and hold the client back if the application is behind."""
        self.body += body
        if len(self.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        self.set()

    def take_end(self) -> None:
        """The request's body is whole."""
        self.more_body = False
        self.set()

    def leave(self) -> None:
        """The client is gone: nothing more is sent, and whoever waits for it is let go."""
        self.disconnected = True
        self.waiting_for_100_continue = False
        self.set()
        self.flow.resume_writing()

    async def run_asgi(self, app: App) -> None:
        """Run the application; what it leaves undone is made good or the connection is closed."""
        try:
            await app(self._scope, self.receive, self.send)
        except asyncio.CancelledError:
            self._break_off()
            raise
        except ConnectionAbortedError:
            self._break_off()  # whose bytes it passes on has broken off
        except Exception:  # noqa: BLE001 - logged whole; the client gets a 500 or a closed connection
            _log.exception("the application failed")
            self._break_off()
        else:
            if not self.response_complete and not self.disconnected:
                _log.error("the application returned before its answer was whole")
                self._break_off()
        finally:
            self._on_response = None

    async def receive(self) -> dict[str, Any]:
        """What has come of the body, or that the client is gone; the ASGI callable."""
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.transport.write(_CONTINUE)
            self.waiting_for_100_continue = False
        if not self.disconnected and not self.response_complete:
            self.flow.resume_reading()
            if not self._ready:
                self._event = asyncio.Event()
                await self._event.wait()
                self._event = None
            self._ready = False
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: dict[str, Any]) -> None:
        """Take the next part of the answer; the ASGI callable. Sent to nobody, it goes nowhere."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if kind == "http.response.body" and self.response_started and not self.response_complete:
            self._write(message.get("body", b""), message.get("more_body", False))
        elif kind == "http.response.start" and not self.response_started:
            self._begin(message["status"], message.get("headers", ()))
        else:
            raise RuntimeError(f"{kind} is not what follows here")

    def flush(self) -> None:
        """Send a kept head by itself."""
        head, self._head = self._head, b""
        if head and not self.transport.is_closing():
            self.transport.write(head)

    def _begin(self, status: int, headers: Headers) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        lines = [STATUS_LINE[status]]
        length: int | None = None
        for name, value in (*self._default_headers, *headers):
            if name in _FRAMING:
                if name == _LENGTH:
                    length = int(value)
                elif name == _CODING:
                    continue
                elif b"close" in value.lower():
                    self.keep_alive = False
                    continue
            lines.append(b"%b: %b\r\n" % (name, value))
        self._frame_by(length, status)
        if self._framing == _CHUNKED:
            lines.append(b"transfer-encoding: chunked\r\n")
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        head = b"".join(lines)
        if not head.count(b"\r") == head.count(b"\n") == len(lines) or b"\0" in head:
            raise RuntimeError("a field of the answer has a control character")
        self._head = head + b"\r\n"
        self._loop.call_soon(self.flush)

    def _frame_by(self, length: int | None, status: int) -> None:
        if self._scope["method"] == "HEAD" or status in _BODILESS:
            self._framing = _NO_BODY
        elif length is not None:
            self._framing, self._left = _SIZED, length
        elif self._scope["http_version"] == "1.1":
            self._framing = _CHUNKED
        else:
            self._framing = _TO_THE_END
            self.keep_alive = False

    def _write(self, body: bytes, more: bool) -> None:
        data = self._framed(body, more)
        head = self._head
        if head and len(data) <= JOINED_BYTES_MAX:
            self._head = b""
            data = head + data
        elif head:
            self.flush()
        if data:
            self.transport.write(data)
        if not more:
            self._complete()

    def _framed(self, body: bytes, more: bool) -> bytes:
        if self._framing == _SIZED:
            self._left -= len(body)
            if self._left < 0 or (self._left and not more):
                raise RuntimeError("the answer is not as long as its content-length says")
            return body
        if self._framing == _CHUNKED:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            return chunk if more else chunk + b"0\r\n\r\n"
        return body if self._framing == _TO_THE_END else b""

    def _complete(self) -> None:
        self.response_complete = True
        self.set()
        if not self.keep_alive:
            self.transport.close()
        if self._on_response is not None:
            self._on_response()

    def _break_off(self) -> None:
        if not self.response_started and not self.disconnected:
            self.response_started = True
            self.keep_alive = False
            self.transport.write(refusals.render(refusals.INTERNAL, self._default_headers))
            self._complete()
        else:
            self.flush()
            self.transport.close()
