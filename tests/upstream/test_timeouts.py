"""Every deadline fires, names its phase, and says what had been sent."""

import asyncio

import pytest

from otari_daemon.providers.http1 import FailureKind, Timeouts, UpstreamError

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"


async def drain(exchange):
    await exchange.start()
    while await exchange.next_chunk():
        pass


async def failure_of(pool, head):
    exchange = pool.begin(head)
    at = asyncio.get_running_loop().time()
    with pytest.raises(UpstreamError) as failed:
        await drain(exchange)
    assert pool.stats() == (0, 0, 0)
    return failed.value, asyncio.get_running_loop().time() - at


async def test_no_head_in_time(serve, pool_to, get):
    async def silent(peer):
        await peer.request()
        await peer.gone()

    server = await serve(silent)
    error, took_s = await failure_of(pool_to(server, timeouts=Timeouts(first_byte_s=0.1)), get())
    assert (error.kind, error.sent, error.started) == (FailureKind.FIRST_BYTE_TIMEOUT, True, False)
    assert took_s >= 0.1
    await asyncio.wait_for(server.closed.wait(), 5)


async def test_a_dripping_head_does_not_put_the_deadline_off(serve, pool_to, get):
    async def drip(peer):
        await peer.request()
        for byte in b"HTTP/1.1 200 OK\r\nx-slow: " + b"a" * 1000:
            await peer.send(bytes([byte]))
            await asyncio.sleep(0.02)

    server = await serve(drip)
    error, took_s = await failure_of(pool_to(server, timeouts=Timeouts(first_byte_s=0.15)), get())
    assert (error.kind, error.started) == (FailureKind.FIRST_BYTE_TIMEOUT, True)
    assert took_s < 3


async def test_silence_within_the_body(serve, pool_to, get):
    async def stall(peer):
        await peer.request()
        await peer.send(HEAD + b"abc")
        await peer.gone()

    server = await serve(stall)
    error, took_s = await failure_of(pool_to(server, timeouts=Timeouts(idle_s=0.1)), get())
    assert (error.kind, error.sent, error.started) == (FailureKind.IDLE_TIMEOUT, True, True)
    assert took_s >= 0.1


async def test_silence_while_the_whole_body_is_awaited(serve, pool_to, get):
    async def stall(peer):
        await peer.request()
        await peer.send(HEAD + b"abc")
        await peer.gone()

    exchange = await pool_to(await serve(stall), timeouts=Timeouts(idle_s=0.1)).send(get())
    with pytest.raises(UpstreamError) as failed:
        await exchange.read(1000)
    assert failed.value.kind is FailureKind.IDLE_TIMEOUT


async def test_a_body_that_keeps_coming_is_not_idle_but_has_a_total(serve, pool_to, get):
    async def drip(peer):
        await peer.request()
        await peer.send(HEAD)
        for _ in range(100):
            await peer.send(b".")
            await asyncio.sleep(0.02)

    server = await serve(drip)
    error, took_s = await failure_of(pool_to(server, timeouts=Timeouts(idle_s=0.3, total_s=0.6)), get())
    assert error.kind is FailureKind.TOTAL_TIMEOUT
    assert took_s >= 0.6


async def test_a_slow_reader_is_not_the_upstreams_silence(serve, pool_to, get):
    async def prompt(peer):
        await peer.request()
        await peer.send(HEAD + b"a" * 99)
        await peer.server.go.wait()
        await peer.send(b"a")

    server = await serve(prompt)
    exchange = await pool_to(server, timeouts=Timeouts(idle_s=0.1)).send(get())
    await asyncio.sleep(0.25)  # the subject: a reader that is away for longer than idle_s
    server.go.set()
    assert await exchange.read(100) == b"a" * 100


async def test_timeouts_may_be_given_per_exchange(serve, pool_to, get):
    async def silent(peer):
        await peer.request()
        await peer.gone()

    pool = pool_to(await serve(silent))
    exchange = pool.begin(get(), timeouts=Timeouts(first_byte_s=0.05))
    with pytest.raises(UpstreamError) as failed:
        await asyncio.wait_for(exchange.start(), 5)
    assert failed.value.kind is FailureKind.FIRST_BYTE_TIMEOUT
