"""Which connection a request gets, and what happens when there is none."""

import asyncio

import pytest

from otari_daemon.providers.http1 import FailureKind, PoolLimits, Timeouts, UpstreamError
from otari_daemon.providers.http1.connection import Connection
from otari_daemon.providers.http1.dial import dial


async def polite(peer):
    while True:
        await peer.request()
        await peer.answer()


async def when_told(peer):
    while True:
        await peer.request()
        await peer.server.go.wait()
        await peer.answer()


async def fetch(pool, head):
    exchange = await pool.send(head)
    try:
        return await exchange.read(1000)
    finally:
        exchange.close()


@pytest.fixture
def settle(until):
    """Wait until the pool's figures are as expected."""

    async def wait(pool, **expected):
        await until(lambda: expected.items() <= pool.stats()._asdict().items())

    return wait


async def test_requests_in_turn_share_one_connection(serve, pool_to, get):
    server = await serve(polite)
    pool = pool_to(server)
    for _ in range(5):
        assert await fetch(pool, get()) == b"ok"
        assert pool.stats() == (0, 1, 0)
    assert server.connections == 1


async def test_the_connection_used_last_is_reused_first(settle, serve, pool_to, get):
    server = await serve(when_told)
    pool = pool_to(server)
    tasks = [asyncio.create_task(fetch(pool, get(f"/{n}"))) for n in range(3)]
    await settle(pool, in_use=3)
    server.go.set()
    await asyncio.gather(*tasks)
    await settle(pool, idle=3)
    for _ in range(3):
        await fetch(pool, get("/again"))
    assert server.connections == 3
    assert len({number for number, target in server.log if target == "/again"}) == 1


async def test_beyond_the_limit_requests_queue_in_order(settle, serve, pool_to, get):
    server = await serve(when_told)
    pool = pool_to(server, PoolLimits(connections=2, waiters=10))
    tasks = []
    for n in range(8):
        tasks.append(asyncio.create_task(fetch(pool, get(f"/{n}"))))
        await settle(pool, in_use=min(2, n + 1), waiting=max(0, n - 1))
    server.go.set()
    assert await asyncio.gather(*tasks) == [b"ok"] * 8
    assert [target for _, target in server.log][2:] == [f"/{n}" for n in range(2, 8)]
    assert server.connections == 2


async def test_a_full_queue_refuses_at_once(settle, serve, pool_to, get):
    server = await serve(when_told)
    pool = pool_to(server, PoolLimits(connections=1, waiters=1))
    tasks = [asyncio.create_task(fetch(pool, get())) for _ in range(2)]
    await settle(pool, in_use=1, waiting=1)
    with pytest.raises(UpstreamError) as refused:
        await pool.send(get())
    assert (refused.value.kind, refused.value.sent) == (FailureKind.POOL_FULL, False)
    server.go.set()
    await asyncio.gather(*tasks)


async def test_waiting_in_line_has_a_deadline(settle, serve, pool_to, get):
    server = await serve(when_told)
    pool = pool_to(server, PoolLimits(connections=1, queue_s=0.05))
    first = asyncio.create_task(fetch(pool, get()))
    await settle(pool, in_use=1)
    with pytest.raises(UpstreamError) as late:
        await pool.send(get())
    assert (late.value.kind, late.value.sent) == (FailureKind.POOL_FULL, False)
    assert pool.stats() == (1, 0, 0)
    server.go.set()
    await first
    assert len(server.log) == 1


async def test_a_waiter_is_served_when_the_connection_before_it_breaks(settle, serve, pool_to, get):
    async def break_the_first(peer):
        await peer.request()
        if peer.number > 1:
            await peer.answer()
        await peer.server.go.wait()

    server = await serve(break_the_first)
    pool = pool_to(server, PoolLimits(connections=1))
    first = asyncio.create_task(fetch(pool, get("/1")))
    await asyncio.wait_for(server.asked.wait(), 5)
    second = asyncio.create_task(fetch(pool, get("/2")))
    await settle(pool, waiting=1)
    first.cancel()
    assert await second == b"ok"
    assert server.log == [(1, "/1"), (2, "/2")]


async def test_idle_connections_are_closed_when_they_have_rested_too_long(settle, serve, pool_to, get):
    server = await serve(polite)
    pool = pool_to(server, PoolLimits(idle_s=0.05))
    await fetch(pool, get())
    await settle(pool, idle=0, in_use=0)
    assert pool._ticker is None or pool.stats() == (0, 0, 0)
    await fetch(pool, get())
    assert server.connections == 2


async def test_no_more_than_the_idle_limit_are_kept(settle, serve, pool_to, get):
    server = await serve(when_told)
    pool = pool_to(server, PoolLimits(idle=2))
    tasks = [asyncio.create_task(fetch(pool, get())) for _ in range(5)]
    await settle(pool, in_use=5)
    server.go.set()
    await asyncio.gather(*tasks)
    assert pool.stats() == (0, 2, 0)


async def test_a_closed_pool_ends_what_is_in_flight_and_starts_nothing(serve, pool_to, get):
    server = await serve(when_told)
    pool = pool_to(server)
    task = asyncio.create_task(fetch(pool, get()))
    await asyncio.wait_for(server.asked.wait(), 5)
    await pool.aclose()
    with pytest.raises(UpstreamError) as ended:
        await task
    assert (ended.value.kind, ended.value.sent) == (FailureKind.RESET, True)
    with pytest.raises(RuntimeError):
        await pool.send(get())


async def test_refused_connections_say_that_nothing_was_sent(serve, pool_to, get):
    server = await serve(polite)
    await server.stop()
    pool = pool_to(server, timeouts=Timeouts(connect_s=2))
    with pytest.raises(UpstreamError) as refused:
        await pool.send(get())
    assert (refused.value.kind, refused.value.sent) == (FailureKind.CONNECT, False)
    assert pool.stats() == (0, 0, 0)


async def test_a_name_that_does_not_resolve_is_a_dns_failure(serve, pool_to, get):
    server = await serve(polite)
    server.url = "http://name.invalid:80"
    with pytest.raises(UpstreamError) as unknown:
        await pool_to(server).send(get())
    assert unknown.value.kind in {FailureKind.DNS, FailureKind.CONNECT_TIMEOUT}


async def test_a_unix_socket_serves_as_well(serve, pool_to, get, tmp_path):
    server = await serve(polite, path=str(tmp_path / "up.sock"))
    pool = pool_to(server)
    assert await fetch(pool, get()) == b"ok"
    assert pool.stats() == (0, 1, 0)


async def test_a_missing_unix_socket_is_a_connect_failure(serve, pool_to, get, tmp_path):
    server = await serve(polite)
    server.url = f"unix:{tmp_path}/none.sock"
    with pytest.raises(UpstreamError) as missing:
        await pool_to(server).send(get())
    assert missing.value.kind is FailureKind.CONNECT


async def test_one_loop_timer_watches_many_exchanges(settle, serve, pool_to, get):
    server = await serve(when_told)
    pool = pool_to(server)
    tasks = [asyncio.create_task(fetch(pool, get())) for _ in range(20)]
    await settle(pool, in_use=20)
    loop = asyncio.get_running_loop()
    scheduled = [handle for handle in getattr(loop, "_scheduled", []) if not handle.cancelled()]
    assert len(scheduled) <= 2  # ours, and this test's own bound
    server.go.set()
    await asyncio.gather(*tasks)


async def test_an_upstream_that_closes_on_accept_is_noticed_at_once(serve, pool_to, get):
    async def slam(peer):
        peer.reset()

    pool = pool_to(await serve(slam))
    for _ in range(50):
        with pytest.raises(UpstreamError) as slammed:
            await asyncio.wait_for(pool.send(get()), 5)
        kind, sent = slammed.value.kind, slammed.value.sent
        assert (kind, sent) in {(FailureKind.CONNECT, False), (FailureKind.RESET, True)}
        assert pool.stats() == (0, 0, 0)


async def test_a_connection_that_ends_while_it_opens_is_not_handed_out(serve, pool_to):
    class Doomed(Connection):
        """Ends in the turn of the loop in which it opens."""

        def connection_made(self, transport):
            super().connection_made(transport)
            self.eof_received()

    pool = pool_to(await serve(polite))
    with pytest.raises(UpstreamError) as doomed:
        await dial(pool.origin, None, 3, lambda: Doomed(pool, asyncio.get_running_loop()))
    assert (doomed.value.kind, doomed.value.sent) == (FailureKind.CONNECT, False)
