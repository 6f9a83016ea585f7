"""A request leaves once, and nobody gets a byte that was meant for another."""

import asyncio
import contextlib
import socket

import pytest

from otari_daemon.providers.http1 import FailureKind, PoolLimits, UpstreamError

EXTRA = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nCANARY"


async def fetch(pool, head):
    exchange = pool.begin(head)
    try:
        await exchange.start()
        return await exchange.read(1000)
    finally:
        exchange.close()


@pytest.mark.parametrize("ending", ["fin", "reset", "unsolicited", "line break"])
async def test_an_idle_connection_that_shows_anything_is_not_used_again(until, serve, pool_to, get, ending):
    async def once_then(peer):
        await peer.request()
        await peer.answer()
        if peer.number == 1:
            await peer.server.go.wait()
            if ending == "reset":
                peer.reset()
            elif ending != "fin":
                await peer.send(EXTRA if ending == "unsolicited" else b"\r\n")
                await peer.gone()
        else:
            await peer.gone()

    server = await serve(once_then)
    pool = pool_to(server)
    assert await fetch(pool, get("/1")) == b"ok"
    server.go.set()
    await until(lambda: pool.stats().idle == 0)
    assert await fetch(pool, get("/2")) == b"ok"
    assert server.log == [(1, "/1"), (2, "/2")]


class RawPeer:
    """A blocking upstream: what it sends lies in the kernel before the client's loop turns."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(5)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def accept(self):
        peer = self.listener.accept()[0]
        peer.settimeout(5)
        return peer


@pytest.mark.parametrize("ending", ["fin", "unsolicited"])
async def test_what_the_loop_has_not_read_yet_is_seen_when_a_connection_is_taken(pool_to, get, ending):
    upstream = RawPeer()
    pool = pool_to(upstream, PoolLimits(connections=1))
    task = asyncio.create_task(fetch(pool, get("/1")))
    first = await asyncio.to_thread(upstream.accept)
    assert b"/1" in await asyncio.to_thread(first.recv, 1000)
    first.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    assert await task == b"ok"
    assert pool.stats() == (0, 1, 0)
    first.sendall(EXTRA) if ending == "unsolicited" else first.shutdown(socket.SHUT_WR)
    task = asyncio.create_task(fetch(pool, get("/2")))  # the loop does not poll before it runs
    second = await asyncio.to_thread(upstream.accept)
    assert b"/2" in await asyncio.to_thread(second.recv, 1000)
    second.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\ntwo")
    assert await task == b"two"
    first.settimeout(1)
    with contextlib.suppress(ConnectionResetError):
        assert first.recv(1000) == b""  # the second request never came here
    for sock in (first, second, upstream.listener):
        sock.close()


@pytest.mark.parametrize("way", ["fin", "reset"])
async def test_a_close_that_crosses_the_request_is_a_reset_and_not_sent_again(serve, pool_to, get, way):
    async def deaf_to_the_second(peer):
        await peer.request()
        await peer.answer()
        await peer.request()
        if way == "reset":
            peer.reset()

    server = await serve(deaf_to_the_second)
    pool = pool_to(server)
    await fetch(pool, get("/1"))
    with pytest.raises(UpstreamError) as crossed:
        await fetch(pool, get("/2"))
    error = crossed.value
    assert (error.kind, error.sent, error.started) == (FailureKind.RESET, True, False)
    assert server.log == [(1, "/1"), (1, "/2")]


@pytest.mark.parametrize("where", ["same segment", "later"])
async def test_two_tenants_never_see_each_others_bytes(serve, pool_to, get, where):
    async def lie(peer):
        while True:
            target = (await peer.request()).split(b" ")[1]
            poison = EXTRA if len(peer.server.log) % 2 else b""
            await peer.answer(target, after=poison if where == "same segment" else b"")
            if where == "later" and poison:
                await peer.send(poison)

    server = await serve(lie)
    pool = pool_to(server, PoolLimits(connections=4))
    seen = []

    async def tenant(name):
        for turn in range(250):
            target = f"/{name}{turn}"
            seen.append((target.encode(), await fetch(pool, get(target))))

    await asyncio.gather(tenant("a"), tenant("b"))
    assert len(seen) == 500
    assert [pair for pair in seen if pair[0] != pair[1]] == []
    targets = [target for _, target in server.log]
    assert len(targets) == len(set(targets))
