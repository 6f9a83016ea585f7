"""R-05, R-06, R-31: nobody holds a connection by sending or reading slowly."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import Any

import pytest

from otari_daemon.front.limits import MIB, FrontLimits
from otari_daemon.front.reader import Reader
from tests.front.server import WAIT_S, Client, Echo, Served, answer, serving, until, whole_body
from tests.front.vectors import FOLLOWER, head

QUICK = FrontLimits(head_s=0.2, body_s=0.2, body_s_per_mib=0.2, idle_s=0.2, write_s=0.2)
HALF = FOLLOWER[:-10]


async def test_an_unfinished_head_is_answered_408_and_closed() -> None:
    app = Echo()
    async with serving(app, QUICK) as served:
        client = await Client.connect(served)
        await client.send(HALF)
        got = await client.read_to_end()
        client.close()
    assert got.startswith(b"HTTP/1.1 408 ")
    assert app.asked == []


async def test_bytes_that_trickle_in_do_not_move_the_heads_deadline() -> None:
    async with serving(Echo(), QUICK) as served:
        client = await Client.connect(served)
        began = time.monotonic()
        trickling = asyncio.create_task(trickle(client))
        got = await client.read_to_end()
        trickling.cancel()
        client.close()
    assert got.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < 1.0


async def trickle(client: Client) -> None:
    with contextlib.suppress(ConnectionError):
        for byte in HALF + b"x" * 10_000:
            await client.send(bytes([byte]))
            await asyncio.sleep(0.01)


async def test_a_later_heads_deadline_counts_from_its_first_byte() -> None:
    app = Echo()
    async with serving(app, FrontLimits(head_s=0.2, idle_s=30.0)) as served:
        client = await Client.connect(served)
        await client.send(FOLLOWER)
        assert (await client.read_answer())[0] == 200
        await client.send(HALF)
        got = await client.read_to_end()
        client.close()
    assert got.startswith(b"HTTP/1.1 408 ")


async def test_connections_that_say_nothing_or_nothing_more_are_closed_without_a_word() -> None:
    async with serving(Echo(), QUICK) as served:
        silent, idle = await Client.connect(served), await Client.connect(served)
        await idle.send(FOLLOWER)
        assert (await idle.read_answer())[0] == 200
        assert await idle.read_to_end() == b""
        assert await silent.read_to_end() == b""
        silent.close()
        idle.close()


@pytest.mark.parametrize(
    "raw", [head(b"Content-Length: 5") + b"he", head(b"Transfer-Encoding: chunked") + b"5\r\nhe"]
)
async def test_an_unfinished_body_is_answered_408_and_its_reader_is_gone(raw: bytes) -> None:
    app = Echo()
    async with serving(app, QUICK) as served:
        client = await Client.connect(served)
        await client.send(raw)
        got = await client.read_to_end()
        client.close()
    assert got.startswith(b"HTTP/1.1 408 ")
    assert app.completed == []
    assert app.scopes[0]["otari.reader"].gone


async def test_a_body_that_arrives_earns_time_by_its_size() -> None:
    app = Echo()
    body = b"x" * (4 * MIB)
    async with serving(app, QUICK) as served:
        client = await Client.connect(served)
        await client.send(head(b"Content-Length: %d" % len(body)) + body[:-1])
        await asyncio.sleep(0.5)  # past body_s, within body_s and 4 MiB's worth
        await client.send(body[-1:])
        status, echoed = await client.read_answer()
        client.close()
    assert (status, len(echoed)) == (200, len(body))


async def test_an_answer_that_takes_long_is_not_the_clients_delay() -> None:
    async def slow(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await whole_body(receive)
        await asyncio.sleep(0.5)  # past every deadline
        await answer(send, b"done")

    async with serving(slow, QUICK) as served:
        client = await Client.connect(served)
        await client.send(FOLLOWER)
        assert await client.read_answer() == (200, b"done")
        client.close()


async def test_slowloris_is_closed_in_time_while_a_good_client_is_served() -> None:
    async with serving(Echo(), FrontLimits(head_s=0.5)) as served:
        began = time.monotonic()
        crowd = [await Client.connect(served) for _ in range(200)]
        for client in crowd:
            await client.send(HALF)
        good = await Client.connect(served)
        for _ in range(50):
            await good.send(FOLLOWER)
            assert (await good.read_answer())[0] == 200
        answers = await asyncio.gather(*(client.read_to_end() for client in crowd))
        took_s = time.monotonic() - began
        for client in (*crowd, good):
            client.close()
    assert all(got.startswith(b"HTTP/1.1 408 ") for got in answers)
    assert took_s < 2.0


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
            self.most_unsent = max(self.most_unsent, self.unsent())
        await send({"type": "http.response.body", "body": b""})
        self.ended.set()

    def unsent(self) -> int:
        assert self.served is not None
        waiting = [c.transport.get_write_buffer_size() for c in self.served.connections]
        return max(waiting, default=0)


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
