"""One connection: bytes in, requests out, and the news that the client has gone, at once."""

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Coroutine
from typing import Protocol, cast

import httptools

from otari_daemon.mock.frames import Request, whole
from otari_daemon.mock.multipart import Form
from otari_daemon.mock.refusal import error_body
from otari_daemon.mock.uploads import MAX_UPLOAD, open_form

MAX_BODY = 32 * 1024 * 1024
MAX_HEADERS = 64 * 1024

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Job(Protocol):
    """An answer that takes time."""

    def run(self) -> Coroutine[None, None, None]:
        """Write the answer; cancelled when the client leaves or patience ends."""

    def left(self) -> None:
        """The client has gone."""

    def over(self) -> None:
        """The answer has ended, however it did."""


class Connection(asyncio.Protocol):
    """Parses requests one at a time and runs what answers them.

    `handle` writes its answer, or returns a `Job` that will; no job outlives `patience_s`. Bytes
    behind a request still being answered are dropped and end the connection after that answer.
    """

    def __init__(
        self,
        handle: Callable[["Connection", Request], Job | None],
        closed: Callable[["Connection"], None],
        number: int,
        patience_s: float,
    ) -> None:
        self.number = number
        self._handle = handle
        self._closed = closed
        self._patience_s = patience_s
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._job: Job | None = None
        self._task: asyncio.Task[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._ready: list[Request] = []
        self._keeps_alive = True
        self._last = False  # no request is answered after this one
        self.on_message_begin()

    # What an answer does with it

    def write(self, data: bytes) -> None:
        """Send `data`, unless the client has gone."""
        if self._transport is not None:
            self._transport.write(data)

    async def taken(self) -> None:
        """Wait until the kernel has taken what was written, and let other connections run."""
        await asyncio.sleep(0)
        if self._writable is not None:
            await self._writable

    def fin(self) -> None:
        """Close in good order once everything written is sent."""
        self._last = True
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """Close at once, with a TCP reset where there is TCP."""
        if self._transport is None:
            return
        sock = self._transport.get_extra_info("socket")
        if sock is not None and sock.family != socket.AF_UNIX:
            with socket.socket(fileno=os.dup(sock.fileno())) as same:
                same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    async def stop(self) -> None:
        """Break off whatever is being answered, and close."""
        task, job = self._task, self._job
        self._job = None  # its end is ours, not the client's
        if job is not None:
            job.over()
        self._abort()
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep no more unsent than the last write."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it
        self._transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        """Parse, and answer what is complete."""
        if self._job is not None or self._last:
            self._last = True
            return
        try:
            self._parser.feed_data(data)
            if self._in_head:
                self._count_header(len(data))  # the parser tells of a header only at its end
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.write(whole(400, error_body("this is not HTTP/1.1", "invalid_request_error")))
            self.fin()
            return
        ready, self._ready = self._ready, []
        for request in ready:
            self._answer(request)

    def eof_received(self) -> None:
        """A client that closes its half is gone, as for nginx."""
        self._client_left()
        self._abort()

    def connection_lost(self, _exc: Exception | None) -> None:
        """The client, or we, closed."""
        self._transport = None
        self.resume_writing()
        self._client_left()
        self._closed(self)

    def pause_writing(self) -> None:
        """The kernel has taken less than was written."""
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Everything written has been taken."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def _abort(self) -> None:
        """Close now; what the kernel has taken still arrives."""
        if self._transport is not None:
            self._transport.abort()

    def _client_left(self) -> None:
        if self._job is not None and self._task is not None:
            self._job.left()
            self._task.cancel()

    def _answer(self, request: Request) -> None:
        if self._last or self._job is not None:
            self._last = True
            return
        self._job = self._handle(self, request)
        if self._job is not None:
            self._task = asyncio.get_running_loop().create_task(self._run(self._job))
        elif not self._keeps_alive:
            self.fin()

    # httptools

    def on_message_begin(self) -> None:
        """Forget the request before."""
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._header_bytes = 0
        self._in_head = True
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._form: Form | None = None

    def on_url(self, url: bytes) -> None:
        """Part of the target."""
        self._count_header(len(url))
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, whole."""
        self._count_header(len(name) + len(value))
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Tell a client that waits to send its body, and see whether that is a form."""
        self._in_head = False
        self._form = open_form(self._target, self._headers)
        if (b"expect", b"100-continue") in self._headers:
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        """Part of the body."""
        self._body_bytes += len(data)
        if self._body_bytes > (MAX_BODY if self._form is None else MAX_UPLOAD):
            raise httptools.HttpParserError("the body is too large")
        if self._form is None:
            self._body.append(data)
        else:
            self._form.feed(data)

    def on_message_complete(self) -> None:
        """Set the request aside; `data_received` answers it, outside the parser."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        if self._form is not None:
            self._form.close()
        request = Request(self._parser.get_method(), self._target, self._headers, body, self._form)
        self._ready.append(request)
        self._keeps_alive = self._parser.should_keep_alive()

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > MAX_HEADERS:
            raise httptools.HttpParserError("the headers are too large")

    async def _run(self, job: Job) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await job.run()
        except TimeoutError:
            self._last = True
        except BaseException:
            self.reset()
            raise
        finally:
            job.over()
            self._job = self._task = None
        if self._last or not self._keeps_alive:
            self.fin()
