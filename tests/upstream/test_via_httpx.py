"""Both ways to ask a provider keep the same promises: one table of cases over our pool and over httpx."""

import asyncio

import pytest

from otari_daemon.mock import server as mock
from otari_daemon.providers.http1 import FailureKind, PoolLimits, Timeouts, UpstreamError
from otari_daemon.providers.pooled import PooledUpstream
from otari_daemon.providers.via_httpx import MAX_UNREAD_BYTES, HttpxUpstream

SEEN_S = 0.1
BOUND_S = 5.0
BODY = b'{"model":"echo","messages":[{"role":"user","content":"hello there"}]}'
STREAMED = b'{"model":"drip:20:5","stream":true,"messages":[{"role":"user","content":"hi"}]}'
COUNTED = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
BOTH = pytest.mark.parametrize("kind", [PooledUpstream, HttpxUpstream])


class ReaderGone(Exception):
    """The reason given to abort."""


async def run(exchange):
    """Use an exchange as the pipeline does; give the body in the pieces it came in."""
    pieces = []
    try:
        await exchange.start()
        while piece := await exchange.next_chunk():
            pieces.append(piece)
    finally:
        exchange.close()
    return pieces


async def failure_of(upstream):
    with pytest.raises(UpstreamError) as failed:
        await asyncio.wait_for(run(upstream.post("/x", BODY, "r")), BOUND_S)
    return failed.value.kind, failed.value.sent, failed.value.started


async def silent(peer):
    await peer.request()
    await peer.gone()


async def headers_only(peer):
    await peer.request()
    await peer.send(COUNTED)
    await peer.gone()


async def mid_body(peer):
    await peer.request()
    await peer.send(CHUNKED + b"3\r\nabc\r\n")
    await peer.gone()


async def polite(peer):
    while True:
        await peer.request()
        await peer.answer()


@BOTH
async def test_the_mock_answers_whole_and_in_a_stream(upstream_to, kind):
    served = await mock.serve(0)
    upstream = upstream_to(kind, served.address)

    exchange = await upstream.post("/chat/completions", BODY, "r1").start()
    answer = await exchange.read(100_000)
    exchange.close()
    assert (exchange.status, exchange.header(b"content-type")) == (200, b"application/json")
    assert exchange.length == len(answer)
    assert b"hello there" in answer
    pieces = await run(upstream.post("/chat/completions", STREAMED, "r2"))

    assert len(pieces) > 1
    assert b"".join(pieces).endswith(b"data: [DONE]\n\n")
    await served.close()


@BOTH
async def test_a_request_says_what_is_needed_and_connections_are_used_again(serve, upstream_to, kind):
    heads = []

    async def noting(peer):
        while True:
            heads.append(await peer.request())
            await peer.answer()

    server = await serve(noting)
    upstream = upstream_to(kind, server.url + "/v1", headers=((b"authorization", b"Bearer k"),))
    for _ in range(3):
        assert await run(upstream.post("/chat/completions", BODY, "r-7")) == [b"ok"]

    assert server.connections == 1
    assert server.bodies == [BODY] * 3
    method, *lines = heads[-1].lower().rstrip().split(b"\r\n")
    assert method == b"post /v1/chat/completions http/1.1"
    assert set(lines) == {
        b"host: %b" % server.url.removeprefix("http://").encode(),
        b"user-agent: otari",
        b"accept-encoding: identity",
        b"content-type: application/json",
        b"authorization: bearer k",
        b"x-request-id: r-7",
        b"content-length: %d" % len(BODY),
    }


@BOTH
@pytest.mark.parametrize("status", [204, 302, 400, 429, 500])
async def test_every_status_comes_as_it_is_and_no_redirect_is_followed(serve, upstream_to, kind, status):
    async def refusing(peer):
        await peer.request()
        length = b"" if status == 204 else b"content-length: 2\r\n"
        head = b"HTTP/1.1 %d No\r\nLocation: /else\r\nRetry-After: 7\r\nSet-Cookie: a=b\r\n" % status
        await peer.send(head + length + b"\r\n" + (b"" if status == 204 else b"no"))
        await peer.gone()

    server = await serve(refusing)
    exchange = await upstream_to(kind, server.url).post("/x", BODY, "r").start()
    body = await exchange.read(10)
    exchange.close()

    assert (exchange.status, exchange.header(b"retry-after")) == (status, b"7")
    assert body == (b"" if status == 204 else b"no")
    assert len(server.log) == 1


@BOTH
async def test_an_encoded_body_is_not_decoded(serve, upstream_to, kind):
    async def zipped(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc")
        await peer.gone()

    assert await run(upstream_to(kind, (await serve(zipped)).url).post("/x", BODY, "r")) == [b"abc"]


K = FailureKind
FAULTS = [
    ("closed early", b"", (K.RESET, True, False)),
    ("closed in a counted body", COUNTED + b"abc", (K.RESET, True, True)),
    ("closed in a chunk", CHUNKED + b"9\r\nabc", (K.RESET, True, True)),
    ("no HTTP", b"hello\r\n\r\n", (K.PROTOCOL, True, True)),
    (
        "two lengths",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n",
        (K.PROTOCOL, True, True),
    ),
    ("length and chunks", COUNTED[:-2] + b"transfer-encoding: chunked\r\n\r\n", (K.PROTOCOL, True, True)),
    ("bad chunk", CHUNKED + b"zz\r\n", (K.PROTOCOL, True, True)),
]


@BOTH
@pytest.mark.parametrize(("said", "expected"), [fault[1:] for fault in FAULTS], ids=[f[0] for f in FAULTS])
async def test_a_broken_answer_is_named(serve, upstream_to, kind, said, expected):
    async def broken(peer):
        await peer.request()
        await peer.send(said)

    assert await failure_of(upstream_to(kind, (await serve(broken)).url)) == expected


@BOTH
async def test_nobody_listening_and_no_such_name_are_told_apart(serve, upstream_to, kind):
    server = await serve(silent)
    server.listener.close()

    assert await failure_of(upstream_to(kind, server.url)) == (K.CONNECT, False, False)
    assert await failure_of(upstream_to(kind, "http://no.invalid")) == (K.DNS, False, False)
    assert (await failure_of(upstream_to(kind, "https://no.invalid")))[0] is K.DNS


@BOTH
async def test_a_peer_without_tls_is_a_failure_of_tls(serve, upstream_to, kind):
    async def plain(peer):
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = await serve(plain)
    url = server.url.replace("http:", "https:")
    assert await failure_of(upstream_to(kind, url)) == (K.TLS, False, False)


DEADLINES = [
    (silent, Timeouts(first_byte_s=0.1), (K.FIRST_BYTE_TIMEOUT, True, False)),
    (headers_only, Timeouts(idle_s=0.1), (K.IDLE_TIMEOUT, True, True)),
    (mid_body, Timeouts(idle_s=0.1), (K.IDLE_TIMEOUT, True, True)),
    (silent, Timeouts(total_s=0.1), (K.TOTAL_TIMEOUT, True, False)),
    (mid_body, Timeouts(total_s=0.1), (K.TOTAL_TIMEOUT, True, True)),
]


@BOTH
@pytest.mark.parametrize(("script", "timeouts", "expected"), DEADLINES)
async def test_every_deadline_fires_and_closes(serve, upstream_to, kind, script, timeouts, expected):
    server = await serve(script)

    assert await failure_of(upstream_to(kind, server.url, timeouts=timeouts)) == expected
    await asyncio.wait_for(server.closed.wait(), BOUND_S)


@BOTH
async def test_a_dripping_head_does_not_put_the_deadline_off(serve, upstream_to, kind):
    async def drip(peer):
        await peer.request()
        while True:
            await peer.send(b"HTTP/1.1 200 OK\r\n" if not peer.server.closed_at else b"x: y\r\n")
            peer.server.closed_at = 1.0
            await asyncio.sleep(0.02)

    upstream = upstream_to(kind, (await serve(drip)).url, timeouts=Timeouts(first_byte_s=0.2))
    assert (await failure_of(upstream))[:2] == (K.FIRST_BYTE_TIMEOUT, True)


@BOTH
async def test_waiting_for_a_place_ends_too(serve, upstream_to, kind):
    limits = PoolLimits(connections=1, waiters=1, queue_s=0.1)
    server = await serve(silent)
    upstream = upstream_to(kind, server.url, limits=limits)
    first = asyncio.create_task(run(upstream.post("/x", BODY, "r")))
    await asyncio.wait_for(server.asked.wait(), BOUND_S)
    second = asyncio.create_task(failure_of(upstream))
    await asyncio.sleep(0)

    assert await failure_of(upstream) == (K.POOL_FULL, False, False)
    assert await second == (K.POOL_FULL, False, False)
    first.cancel()
    await asyncio.wait([first])
    assert len(server.log) == 1


PHASES = [("head", silent), ("body", headers_only), ("chunk", mid_body)]


@BOTH
@pytest.mark.parametrize("way", ["abort", "close", "cancel", "break_off"])
@pytest.mark.parametrize(("phase", "script"), PHASES)
async def test_the_upstream_sees_the_close_at_once(until, serve, upstream_to, kind, phase, script, way):
    server = await serve(script)
    upstream = upstream_to(kind, server.url)
    exchange = upstream.post("/x", BODY, "r")
    task = asyncio.create_task(run(exchange))
    await asyncio.wait_for(server.asked.wait(), BOUND_S)
    await until(lambda: phase == "head" or (exchange.status and not exchange.unread))
    reason = ReaderGone()
    end = {
        "abort": lambda: exchange.abort(reason),
        "close": exchange.close,
        "cancel": task.cancel,
        "break_off": upstream.break_off,
    }[way]
    at = asyncio.get_running_loop().time()
    asyncio.get_running_loop().call_soon(end)

    outcome = {
        "abort": ReaderGone,
        "close": RuntimeError,
        "cancel": asyncio.CancelledError,
        "break_off": UpstreamError,
    }[way]
    with pytest.raises(outcome) as raised:
        await task
    assert way != "abort" or raised.value is reason
    assert exchange.sent
    await asyncio.wait_for(server.closed.wait(), BOUND_S)
    assert server.closed_at - at < SEEN_S


@BOTH
async def test_abort_before_start_makes_start_raise_it(serve, upstream_to, kind):
    server = await serve(silent)
    exchange = upstream_to(kind, server.url).post("/x", BODY, "r")
    reason = ReaderGone()
    exchange.abort(reason)

    with pytest.raises(ReaderGone) as raised:
        await exchange.start()
    assert raised.value is reason
    assert (exchange.sent, server.connections) == (False, 0)


@BOTH
async def test_abort_beats_bytes_that_wait_to_be_read(until, serve, upstream_to, kind):
    exchange = await upstream_to(kind, (await serve(mid_body)).url).post("/x", BODY, "r").start()
    await until(lambda: exchange.unread)
    exchange.abort(ReaderGone())

    with pytest.raises(ReaderGone):
        await exchange.next_chunk()


@BOTH
async def test_abort_at_any_turn_of_the_loop_leaves_nothing(until, serve, upstream_to, kind):
    server = await serve(polite)
    upstream = upstream_to(kind, server.url, limits=PoolLimits(connections=4))
    for turns in range(60):
        exchange = upstream.post(f"/{turns}", BODY, "r")
        task = asyncio.create_task(run(exchange))
        for _ in range(turns % 30):
            await asyncio.sleep(0)
        exchange.abort(ReaderGone()) if turns < 30 else task.cancel()
        outcome = (await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), BOUND_S))[0]
        assert outcome == [b"ok"] or isinstance(outcome, ReaderGone | asyncio.CancelledError)
    assert await run(upstream.post("/last", BODY, "r")) == [b"ok"]
    targets = [target for _, target in server.log]
    assert len(targets) == len(set(targets))


@BOTH
@pytest.mark.parametrize("head", [COUNTED, CHUNKED])
async def test_a_body_too_large_is_not_read_on(serve, upstream_to, kind, head):
    async def large(peer):
        await peer.request()
        await peer.send(head + (b"" if head is COUNTED else b"64\r\n") + b"a" * 50)
        await peer.gone()

    server = await serve(large)
    exchange = await upstream_to(kind, server.url).post("/x", BODY, "r").start()
    with pytest.raises(UpstreamError) as failed:
        await exchange.read(40)

    assert (failed.value.kind, failed.value.sent, failed.value.started) == (K.BODY_TOO_LARGE, True, True)
    await asyncio.wait_for(server.closed.wait(), BOUND_S)


@BOTH
async def test_a_slow_reader_holds_the_upstream_back_and_is_not_its_silence(until, serve, upstream_to, kind):
    size = 32 << 20

    async def generous(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        await peer.send(b"a" * size)
        peer.server.go.set()
        await peer.gone()

    server = await serve(generous)
    upstream = upstream_to(kind, server.url, timeouts=Timeouts(idle_s=0.2))
    exchange = await upstream.post("/x", BODY, "r").start()
    await until(lambda: exchange.unread > MAX_UNREAD_BYTES)
    await asyncio.sleep(0.3)  # beyond idle_s; the subject

    assert exchange.unread < 1 << 20
    assert not server.go.is_set()
    assert len(await exchange.read(size)) == size
    exchange.close()


@BOTH
async def test_a_requests_own_header_stands_in_for_a_default_and_goes_once(serve, upstream_to, kind):
    heads = []

    async def noting(peer):
        while True:
            heads.append((await peer.request()).lower())
            await peer.answer()

    server = await serve(noting)
    upstream = upstream_to(kind, server.url, headers=((b"x-api-key", b"k"),), defaults=((b"v", b"old"),))
    for own in ((), ((b"v", b"new"), (b"beta", b"a,b")), ()):
        await run(upstream.post("/messages", BODY, "r", own))

    shown = [[line for line in head.split(b"\r\n") if line[:2] in (b"v:", b"be", b"x-")] for head in heads]
    alone = [b"v: old", b"x-api-key: k", b"x-request-id: r"]
    assert shown == [alone, [b"v: new", b"beta: a,b", b"x-api-key: k", b"x-request-id: r"], alone]
