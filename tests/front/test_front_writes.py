"""R-06, R-31: a client that reads slowly costs little memory, and one that reads nothing is cut."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from otari_daemon.front.limits import MIB, FrontLimits
from otari_daemon.front.reader import Reader
from tests.front.server import WAIT_S, Served, answer, serving, until, whole_body
from tests.front.vectors import FOLLOWER, head

QUICK = FrontLimits(write_s=0.2)
LOW_WATER = 16 * 1024


class Firehose:
    """Sends 50 MiB, as fast as it is let, and remembers the most that waited in the daemon."""

    def __init__(self) -> None:
        self.served: Served | None = None
        self.reader: Reader | None = None
        self.most_unsent = 0
        self.sent = 0
        self.ended = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.reader = scope["otari.reader"]
        await whole_body(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(50 * 64):
            if self.reader.gone:
                break
            await send({"type": "http.response.body", "body": b"x" * 16384, "more_body": True})
            self.sent += 16384
            assert self.served is not None
            self.most_unsent = max(self.most_unsent, unsent(self.served))
        await send({"type": "http.response.body", "body": b""})
        self.ended.set()


def unsent(served: Served) -> int:
    """The most bytes that wait in the daemon for one client."""
    return max((c.transport.get_write_buffer_size() for c in served.connections), default=0)


async def test_a_client_that_reads_nothing_is_cut_and_its_reader_gone() -> None:
    app = Firehose()
    async with serving(app, QUICK) as served:
        app.served = served
        sock = await deaf_client(served)
        async with asyncio.timeout(WAIT_S):
            await app.ended.wait()
        sock.close()
    assert app.reader is not None
    assert app.reader.gone
    assert app.sent < 50 * MIB
    assert app.most_unsent <= 64 * 1024 + 16384 + 16


@pytest.mark.parametrize("fields", [(), (b"Connection: close",)])
async def test_a_finished_answer_nobody_takes_does_not_keep_its_connection(
    fields: tuple[bytes, ...],
) -> None:
    await assert_cut_off(Large(then_fail=False), head(*fields))


async def test_an_app_that_fails_midstream_does_not_keep_a_deaf_clients_connection() -> None:
    await assert_cut_off(Large(then_fail=True), head())


async def test_an_app_that_fails_with_little_unsent_does_not_keep_a_deaf_clients_connection() -> None:
    async def failing(scope: dict[str, Any], receive: Any, send: Any) -> None:
        connection = served.connections[0]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while connection.transport.get_write_buffer_size() == 0:
            await send({"type": "http.response.body", "body": b"x" * 4096, "more_body": True})
            await asyncio.sleep(0)
        raise ValueError("as an app may, before the transport is full enough to pause it")

    async with serving(failing, QUICK) as served:
        sock = await deaf_client(served, head())
        await until(lambda: served.connections)
        await until(lambda: not served.connections)
        sock.close()


async def test_a_closing_connection_whose_last_bytes_nobody_takes_is_cut() -> None:
    async def closing(scope: dict[str, Any], receive: Any, send: Any) -> None:
        sock = served.connections[0].transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        await answer(send, b"x" * MIB)

    async with serving(closing, QUICK) as served:
        sock = await deaf_client(served, head(b"Connection: close"))
        await until(lambda: served.connections and unsent(served) > LOW_WATER)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(WAIT_S):
            while unsent(served) > LOW_WATER:
                await loop.sock_recv(sock, 2048)
                await asyncio.sleep(0)
        assert unsent(served) > 0
        await until(lambda: not served.connections)
        sock.close()


class Large:
    """Answers with 8 MiB at once, or sends them and fails."""

    def __init__(self, *, then_fail: bool) -> None:
        self.then_fail = then_fail
        self.asked = False

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.asked = True
        if not self.then_fail:
            await answer(send, b"x" * (8 * MIB))
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * (8 * MIB), "more_body": True})
        raise ValueError("as an app may")


async def assert_cut_off(app: Large, raw: bytes) -> None:
    async with serving(app, QUICK) as served:
        sock = await deaf_client(served, raw)
        await until(lambda: app.asked)
        assert served.connections
        await until(lambda: not served.connections)
        sock.close()


async def deaf_client(served: Served, raw: bytes = FOLLOWER) -> socket.socket:
    """A client that asks and never reads, with a receive window that fills soon."""
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, served.address)
    await loop.sock_sendall(sock, raw)
    return sock


async def test_a_slow_reader_gets_everything_and_the_daemon_holds_little() -> None:
    app = Firehose()
    async with serving(app) as served:
        app.served = served
        sock = await deaf_client(served)
        loop = asyncio.get_running_loop()
        got = 0
        async with asyncio.timeout(60):
            while not app.ended.is_set() or got < 50 * MIB:
                data = await loop.sock_recv(sock, 65536)
                got += len(data)
        sock.close()
    assert app.sent == 50 * MIB
    assert app.most_unsent <= 64 * 1024 + 16384 + 16
