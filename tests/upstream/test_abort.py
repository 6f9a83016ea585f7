"""Aborting, closing and cancelling in every phase: the peer sees it at once, nothing is left."""

import asyncio
import contextlib
import socket

import pytest

from otari_daemon.providers.http1 import FailureKind, PoolLimits, Timeouts, UpstreamError

SEEN_S = 0.25  # the outer bound of R-30; typical is below a millisecond


class ReaderGone(Exception):
    """The reason given to abort."""


async def silent(peer):
    await peer.request()
    await peer.gone()


async def headers_only(peer):
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
    await peer.gone()


async def mid_body(peer):
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await peer.gone()


async def run(exchange):
    try:
        await exchange.start()
        while await exchange.next_chunk():
            pass
    finally:
        exchange.close()


async def reach(until, server, exchange, phase):
    """Wait until the exchange waits in the phase asked for."""
    await asyncio.wait_for(server.asked.wait(), 5)
    if phase != "head":
        await until(lambda: exchange.status and exchange.unread == 0 and exchange._waiter)


PHASES = [("head", silent), ("body", headers_only), ("chunk", mid_body)]


@pytest.mark.parametrize("way", ["abort", "close", "cancel"])
@pytest.mark.parametrize(("phase", "script"), PHASES)
async def test_the_upstream_sees_the_close_at_once(until, serve, pool_to, get, phase, script, way):
    server = await serve(script)
    pool = pool_to(server)
    exchange = pool.begin(get())
    task = asyncio.create_task(run(exchange))
    await reach(until, server, exchange, phase)
    reason = ReaderGone()
    at = asyncio.get_running_loop().time()
    {"abort": lambda: exchange.abort(reason), "close": exchange.close, "cancel": task.cancel}[way]()
    with pytest.raises((ReaderGone, RuntimeError, asyncio.CancelledError)) as raised:
        await task
    if way == "abort":
        assert raised.value is reason
    assert pool.stats() == (0, 0, 0)
    await asyncio.wait_for(server.closed.wait(), 5)
    assert server.closed_at - at < SEEN_S


async def test_abort_before_start_makes_start_raise_it(serve, pool_to, get):
    server = await serve(silent)
    pool = pool_to(server)
    exchange = pool.begin(get())
    reason = ReaderGone()
    exchange.abort(reason)
    with pytest.raises(ReaderGone) as raised:
        await exchange.start()
    assert raised.value is reason
    assert server.connections == 0


@pytest.mark.parametrize("way", ["abort", "cancel"])
async def test_leaving_the_queue_frees_the_place(until, serve, pool_to, get, way):
    server = await serve(silent)
    pool = pool_to(server, PoolLimits(connections=1))
    first = asyncio.create_task(run(pool.begin(get())))
    await asyncio.wait_for(server.asked.wait(), 5)
    exchange = pool.begin(get())
    task = asyncio.create_task(run(exchange))
    await until(lambda: pool.stats().waiting)
    exchange.abort(ReaderGone()) if way == "abort" else task.cancel()
    with pytest.raises((ReaderGone, asyncio.CancelledError)):
        await task
    assert pool.stats() == (1, 0, 0)
    first.cancel()
    await asyncio.wait([first])
    assert len(server.log) == 1


def full_listener():
    """A listening socket whose backlog is used up, so that connecting to it hangs."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            filler.connect(listener.getsockname())
        fillers.append(filler)
    return listener, fillers


class Place:
    """Where a pool is to connect to."""

    def __init__(self, address):
        self.url = f"http://{address[0]}:{address[1]}"


@pytest.mark.parametrize("way", ["abort", "cancel", "timeout"])
async def test_connecting_can_be_ended(until, pool_to, get, way):
    listener, fillers = full_listener()
    pool = pool_to(Place(listener.getsockname()), timeouts=Timeouts(connect_s=0.1 if way == "timeout" else 3))
    exchange = pool.begin(get())
    task = asyncio.create_task(run(exchange))
    await until(lambda: exchange.dialing)
    if way != "timeout":
        exchange.abort(ReaderGone()) if way == "abort" else task.cancel()
    with pytest.raises((ReaderGone, asyncio.CancelledError, UpstreamError)) as raised:
        await asyncio.wait_for(task, 5)
    if way == "timeout":
        assert raised.value.kind is FailureKind.CONNECT_TIMEOUT
        assert not raised.value.sent
    assert pool.stats() == (0, 0, 0)
    for sock in (listener, *fillers):
        sock.close()


async def test_abort_at_any_turn_of_the_loop_leaves_nothing(serve, pool_to, get):
    async def polite(peer):
        while True:
            await peer.request()
            await peer.answer()

    server = await serve(polite)
    pool = pool_to(server, PoolLimits(connections=4))
    for turns in range(60):
        exchange = pool.begin(get(f"/{turns}"))
        task = asyncio.create_task(run(exchange))
        for _ in range(turns % 30):
            await asyncio.sleep(0)
        exchange.abort(ReaderGone()) if turns < 30 else task.cancel()
        with contextlib.suppress(ReaderGone, asyncio.CancelledError):
            await task
        assert pool.stats().in_use == 0
        assert not pool._live
    targets = [target for _, target in server.log]
    assert len(targets) == len(set(targets))
    assert len(pool._sockets - set(pool._idle)) <= 4  # those still being closed


async def test_abort_after_the_answer_is_whole_leaves_the_connection_in_the_pool(until, serve, pool_to, get):
    async def polite(peer):
        while True:
            await peer.request()
            await peer.answer()

    pool = pool_to(await serve(polite))
    exchange = await pool.send(get())
    await until(lambda: exchange._done)
    reason = ReaderGone()
    exchange.abort(reason)
    assert pool.stats() == (0, 1, 0)
    with pytest.raises(ReaderGone):
        await exchange.read(10)
    exchange.close()
    exchange.abort(ValueError())
    with pytest.raises(ReaderGone):
        await exchange.next_chunk()


async def test_abort_from_a_callback_beats_bytes_that_wait_to_be_read(until, serve, pool_to, get):
    server = await serve(mid_body)
    pool = pool_to(server)
    exchange = await pool.send(get())
    await until(lambda: exchange.unread)
    reason = ReaderGone()
    asyncio.get_running_loop().call_soon(exchange.abort, reason)
    await asyncio.sleep(0)
    with pytest.raises(ReaderGone):
        await exchange.next_chunk()
