"""A real uvicorn server in this process, the application it serves, and a raw client for it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn

from otari_daemon.front.limits import FrontLimits
from otari_daemon.front.protocol import StrictHttpProtocol, protocol_class
from otari_daemon.front.reader import Reader

App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
WAIT_S = 5.0


class Served(NamedTuple):
    """A running server: where it is, and uvicorn's own view of its connections."""

    address: tuple[str, int] | str
    server: uvicorn.Server

    @property
    def connections(self) -> list[StrictHttpProtocol]:
        found = self.server.server_state.connections
        return [c for c in found if isinstance(c, StrictHttpProtocol)]


@contextlib.asynccontextmanager
async def serving(
    app: App, limits: FrontLimits | None = None, uds: Path | None = None
) -> AsyncIterator[Served]:
    """Serve `app` on an ephemeral loopback port, or on `uds`, until the block ends."""
    config = uvicorn.Config(
        app,
        http=protocol_class(limits or FrontLimits()),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    sock = bound(uds)
    address = sock.getsockname()
    await server.startup(sockets=[sock])
    try:
        yield Served(address, server)
    finally:
        for connection in Served(address, server).connections:
            connection.transport.abort()
        await server.shutdown(sockets=[sock])


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until `condition` holds, for at most `WAIT_S`."""
    for _ in range(int(WAIT_S / 0.005)):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("what was waited for did not come")


def bound(uds: Path | None) -> socket.socket:
    if uds is None:
        return socket.create_server(("127.0.0.1", 0))
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(uds))
    sock.listen()
    return sock


class Client:
    """One connection that writes what it is told and reads what comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, served: Served) -> Client:
        if isinstance(served.address, str):
            return cls(*await asyncio.open_unix_connection(served.address))
        return cls(*await asyncio.open_connection(*served.address))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def send_bytewise(self, data: bytes) -> None:
        """Send one byte at a time, letting the server read each."""
        with contextlib.suppress(ConnectionError):
            for at in range(len(data)):
                self.writer.write(data[at : at + 1])
                await asyncio.sleep(0)

    async def read_to_end(self) -> bytes:
        """Return everything up to the server's close, which must come; a reset counts as one."""
        got = bytearray()
        async with asyncio.timeout(WAIT_S):
            with contextlib.suppress(ConnectionError):
                while data := await self._reader.read(65536):
                    got += data
        return bytes(got)

    async def read_answer(self) -> tuple[int, bytes]:
        """Return the status and body of one answer that has a content-length."""
        async with asyncio.timeout(WAIT_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            return int(head.split()[1]), await self._reader.readexactly(length)

    async def read_some(self, size: int) -> bytes:
        async with asyncio.timeout(WAIT_S):
            return await self._reader.readexactly(size)

    def half_close(self) -> None:
        self.writer.write_eof()

    def reset(self) -> None:
        """Close with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self) -> None:
        self.writer.transport.abort()


class Echo:
    """Answers each request with its own body and remembers which it was asked to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.completed: list[str] = []
        self.scopes: list[dict[str, Any]] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        self.scopes.append(scope)
        body = await whole_body(receive)
        if body is None:
            return
        self.completed.append(scope["path"])
        await answer(send, body)


async def whole_body(receive: Any) -> bytes | None:
    """Return the request's body, or None if the client left before its end."""
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += bytes(message["body"])
        if not message["more_body"]:
            return body


async def answer(send: Any, body: bytes) -> None:
    length = str(len(body)).encode()
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


class Held:
    """Holds every request until told, and reports its reader; `phase` says when to hold."""

    def __init__(self, phase: str) -> None:
        self.phase = phase
        self.reader: asyncio.Future[Reader] = asyncio.get_running_loop().create_future()
        self.gone = asyncio.Event()
        self.fired = 0
        self.release = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        reader: Reader = scope["otari.reader"]
        reader.on_gone(self._left)
        if self.phase == "body":
            self.reader.set_result(reader)
        await whole_body(receive)
        if self.phase == "stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
        if self.phase in ("answer", "stream"):
            self.reader.set_result(reader)
            await self.release.wait()
        if self.phase == "stream":
            await send({"type": "http.response.body", "body": b"last"})
        else:
            await answer(send, b"done")

    def _left(self) -> None:
        self.fired += 1
        self.gone.set()
