"""One request and its answer, on whatever connection the pool finds for it."""

import asyncio
from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Protocol, Self

from otari_daemon.providers.http1.connection import Connection
from otari_daemon.providers.http1.errors import FailureKind, Quiet, UpstreamError
from otari_daemon.providers.http1.limits import OVERDUE, Timeouts


class Dispatcher(Protocol):
    """What finds connections for exchanges: the pool, as an exchange sees it."""

    queue_s: float

    def enlist(self, exchange: "Exchange") -> None:
        """Start on a connection now, or as soon as there is one; raises UpstreamError."""

    def withdraw(self, exchange: "Exchange") -> None:
        """Forget an exchange that has no connection yet."""

    def vacated(self) -> None:
        """Learn that a connection in use is gone."""

    def finished(self, exchange: "Exchange") -> None:
        """Watch an exchange no longer."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A request body that comes in pieces: `length` bytes in all, or chunked when None."""

    pieces: AsyncIterable[bytes]
    length: int | None

    def frame(self, piece: bytes) -> bytes:
        """Put a piece, never an empty one, into the form it travels in."""
        return piece if self.length is not None else b"%x\r\n%b\r\n" % (len(piece), piece)


class Exchange:
    """A request and its answer; inert until `start`, over at the latest after `total_s`.

    Use it from one task, and `close` it on every way out. `abort` and `close` are synchronous
    and may be called at any time from any callback. While a request body is being uploaded,
    `start` runs the caller's iterator, and what ends the exchange then is raised when that
    iterator next yields.

    `status` is 0 and `headers` empty until the head has come; names are lower-case, in the
    order received. `length` is the body's length, or negative while only its end will tell.
    """

    __slots__ = (
        "_begun",
        "_body",
        "_connection",
        "_done",
        "_failure",
        "_head",
        "_loop",
        "_nudged",
        "_overdue",
        "_patience_s",
        "_pool",
        "_upload",
        "_waiter",
        "chunks",
        "dialing",
        "headers",
        "interim",
        "is_head",
        "length",
        "sent",
        "since",
        "started",
        "status",
        "timeouts",
        "unread",
        "uploading",
        "wanted",
    )

    def __init__(
        self,
        pool: Dispatcher,
        loop: asyncio.AbstractEventLoop,
        head: bytes,
        body: bytes | Upload,
        timeouts: Timeouts,
    ) -> None:
        self._pool = pool
        self._loop = loop
        self._head = head
        self.timeouts = timeouts
        self._upload = body if isinstance(body, Upload) else None
        self._body = b"" if isinstance(body, Upload) else body
        self._connection: Connection | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._failure: BaseException | None = None
        self._done = False
        self._nudged = False
        self._begun = 0.0
        self._overdue = FailureKind.POOL_FULL
        self._patience_s = pool.queue_s
        self.dialing: asyncio.Task[None] | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.length = 0
        self.sent = False
        self.started = False
        # What follows is the connection's side: buffer, and progress for the watch.
        self.is_head = head.startswith(b"HEAD ")
        self.uploading = self._upload is not None
        self.interim = 0
        self.chunks: list[bytes] = []
        self.unread = 0
        self.wanted = 0  # unread bytes that wake the reader
        self.since = 0.0

    # The caller's side

    async def start(self) -> Self:
        """Find a connection, send the request, and return once the head of the answer is in.

        Raises UpstreamError, or exactly what `abort` was given.
        """
        self._check()
        self._begun = self.since = self._loop.time()
        self._pool.enlist(self)
        if self._upload is not None:
            await self._send_upload(self._upload)
        while not self.status:
            self._check()
            await self._wait(0)
        return self

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a field, by its lower-case name."""
        for field, value in self.headers:
            if field == name:
                return value
        return None

    async def next_chunk(self) -> bytes:
        """Return whatever has arrived, waiting for something if need be; b"" at the end.

        Bytes that came before a failure are returned before it is raised.
        """
        while not self.chunks:
            self._check()
            if self._done:
                return b""
            await self._wait(1)
        return self._take()

    async def read(self, limit: int) -> bytes:
        """Return the rest of the body, of at most `limit` bytes; UpstreamError beyond."""
        while not self._done and self.length <= limit and self.unread <= limit:
            self._check()
            if self._connection is not None:
                self._connection.resume()
            await self._wait(limit + 1)
        if self.length > limit or self.unread > limit:
            too_large = self._error(FailureKind.BODY_TOO_LARGE, "the upstream's body is too large")
            self.abort(too_large)
            raise too_large
        self._check()
        return self._take()

    def nudge(self) -> None:
        """Have a `next_chunk` that waits raise Quiet; waiting again is as late as if it had gone on."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            self._waiter, self._nudged = None, True
            waiter.set_exception(Quiet())

    def abort(self, reason: BaseException) -> None:
        """Close the connection at once; who waits, and who asks later, gets exactly `reason`.

        Before `start` it makes that raise. After the answer's last byte it only drops what was
        not read. After another failure, or `close`, it does nothing.
        """
        if self._failure is None:
            self.chunks.clear()
            self.unread = 0
            self._end(reason)

    def close(self) -> None:
        """Give up what is left of the exchange; safe to repeat.

        A connection whose answer is whole has gone back to the pool by then; any other is
        closed.
        """
        if self._failure is None:
            self.abort(RuntimeError("the exchange is closed"))

    # The pool's side

    def attach(self, connection: Connection) -> None:
        """Send the request on `connection`."""
        self.dialing = None
        self._connection = connection
        self.sent = True
        head, body = self._head, self._body
        self._head = self._body = b""  # sent once, and large ones should not stay in memory
        if self.uploading:
            self._expect(FailureKind.IDLE_TIMEOUT, self.timeouts.idle_s)
            self.wake()
        else:
            self._expect(FailureKind.FIRST_BYTE_TIMEOUT, self.timeouts.first_byte_s)
        connection.send(self, head, body)

    def dial(self, task: asyncio.Task[None]) -> None:
        """Wait for a connection that is being opened for this exchange alone."""
        self.dialing = task
        self._expect(FailureKind.CONNECT_TIMEOUT, self.timeouts.connect_s)

    def watch(self, now: float) -> None:
        """Fail if a deadline has passed at loop time `now`; a reader who does not wait is not late."""
        if now - self._begun > self.timeouts.total_s:
            kind = FailureKind.TOTAL_TIMEOUT
        elif self._waiter is not None and now - self.since > self._patience_s:
            kind = self._overdue
        else:
            return
        self.fail(kind, OVERDUE[kind])

    # The connection's side

    def publish(self, status: int, length: int) -> None:
        """Take the head of the answer; its fields are in `headers` already."""
        self.status = status
        self.length = length
        if not self.uploading:
            self._expect(FailureKind.IDLE_TIMEOUT, self.timeouts.idle_s)

    def finish(self) -> None:
        """The answer is whole: part with the connection."""
        self._done = True
        self._connection = None
        self._pool.finished(self)
        self.wake()

    def fail(self, kind: FailureKind, message: str) -> None:
        """End with an UpstreamError; bytes that came before stay readable."""
        if self._failure is None:
            self._end(self._error(kind, message))

    def wake(self) -> None:
        """Let whoever waits look again."""
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    # Inside

    def _expect(self, overdue: FailureKind, patience_s: float) -> None:
        self._overdue = overdue
        self._patience_s = patience_s
        self.since = self._loop.time()

    def _error(self, kind: FailureKind, message: str) -> UpstreamError:
        return UpstreamError(kind, message, sent=self.sent, started=self.started)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _wait(self, wanted: int) -> None:
        """Wait for `wanted` unread bytes, the end, or a failure; cancellation closes."""
        assert self._waiter is None, "an exchange is used from one task"
        self.wanted = wanted
        if not self._nudged:
            self.since = self._loop.time()
        self._nudged = False
        self._waiter = waiter = self._loop.create_future()
        try:
            await waiter
        except asyncio.CancelledError:
            self._waiter = None
            self.close()
            raise

    def _take(self) -> bytes:
        chunks = self.chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self.unread = 0
        if self._connection is not None:
            self._connection.resume()
        return data

    def _end(self, reason: BaseException) -> None:
        """Fail with `reason` and let go of whatever is held: connection, dial or place in the queue."""
        self._failure = reason
        self._head = self._body = b""
        if self._done:
            return
        connection, self._connection = self._connection, None
        self._pool.finished(self)
        if connection is not None:
            connection.kill()
            self._pool.vacated()
        else:
            self._pool.withdraw(self)
        self.wake()

    async def _send_upload(self, upload: Upload) -> None:
        """Write the request body as fast as the upstream takes it, once there is a connection.

        An answer that is whole, or a refusal, ends the upload before its last piece; the
        connection is not used again then.
        """
        try:
            while self._connection is None and not self._done:
                self._check()
                await self._wait(0)
            if not await self._send_pieces(upload):
                return
        except BaseException:
            self.close()
            raise
        self.uploading = False
        if not self.status:
            self._expect(FailureKind.FIRST_BYTE_TIMEOUT, self.timeouts.first_byte_s)

    async def _send_pieces(self, upload: Upload) -> bool:
        """Write every piece; False if the answer made that pointless."""
        left = upload.length
        async for piece in upload.pieces:
            if left is not None:
                left -= len(piece)
                if left < 0:
                    break
            if piece and not await self._write(upload.frame(piece)):
                return False
        if left:
            raise self._error(FailureKind.WRITE, "the request body has not its stated length")
        return await self._write(b"" if left is not None else b"0\r\n\r\n")

    async def _write(self, data: bytes) -> bool:
        """Write and wait until more may follow; False once the answer makes it pointless."""
        self._check()
        connection = self._connection
        if connection is None or self.status >= 300:
            return False
        if data:
            connection.transport.write(data)
        while connection.write_paused and self._connection is not None and self.status < 300:
            await self._wait(0)
        self._check()
        return True
