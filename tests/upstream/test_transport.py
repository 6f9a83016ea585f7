"""httpx over our pools: the interface its users know, the failures they expect."""

import asyncio
import json

import httpx
import pytest

from otari_daemon.providers.http1 import PooledTransport, PoolLimits, Timeouts


async def polite(peer):
    while True:
        head = await peer.request()
        await peer.answer(
            json.dumps({"head": head.decode(), "body": peer.server.bodies[-1].decode()}).encode()
        )


async def stream(peer):
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(3):
        await peer.send(b"7\r\ndata: x\r\n2\r\n\n\n\r\n")
    await peer.send(b"0\r\n\r\n")
    await peer.gone()


async def test_requests_and_answers_pass_through(serve):
    server = await serve(polite)
    async with httpx.AsyncClient(transport=PooledTransport()) as client:
        for _ in range(3):
            answer = await client.post(f"{server.url}/v1?q=1", json={"a": 1}, headers={"x-a": "b"})
            seen = answer.json()
            assert answer.status_code == 200
            assert seen["body"] == '{"a":1}'
            assert seen["head"].startswith("POST /v1?q=1 HTTP/1.1\r\nhost: 127.0.0.1:")
            assert "\r\nx-a: b\r\n" in seen["head"]
            assert seen["head"].lower().count("\r\nhost:") == 1
    assert server.connections == 1


async def test_a_stream_is_read_as_it_comes_and_closed_when_left(serve):
    async def stay(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\ndata: x\r\n")
        await peer.gone()

    server = await serve(stay)
    async with httpx.AsyncClient(transport=PooledTransport()) as client:
        async with client.stream("GET", server.url) as answer:
            chunks = answer.aiter_raw()
            assert (await anext(chunks)).startswith(b"data: x")
            await chunks.aclose()
        await asyncio.wait_for(server.closed.wait(), 5)


async def test_a_stream_read_to_its_end(serve):
    server = await serve(stream)
    async with (
        httpx.AsyncClient(transport=PooledTransport()) as client,
        client.stream("GET", server.url) as answer,
    ):
        assert await answer.aread() == 3 * b"data: x\n\n"


async def test_a_streamed_request_body(serve):
    async def parts():
        yield b"abc"
        yield b"def"

    server = await serve(polite)
    async with httpx.AsyncClient(transport=PooledTransport()) as client:
        answer = await client.post(server.url, content=parts(), headers={"content-length": "6"})
    assert answer.json()["body"] == "abcdef"


ANSWERS = {
    "reset": (b"", httpx.RemoteProtocolError),
    "malformed": (b"nonsense\r\n\r\n", httpx.RemoteProtocolError),
    "cut body": (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", httpx.RemoteProtocolError),
    "huge head": (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 70_000, httpx.RemoteProtocolError),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_broken_answers_are_httpx_errors(serve, name):
    answer, expected = ANSWERS[name]

    async def broken(peer):
        await peer.request()
        await peer.send(answer)

    server = await serve(broken)
    async with httpx.AsyncClient(transport=PooledTransport()) as client:
        with pytest.raises(expected):
            await client.get(server.url)


async def silent(peer):
    await peer.request()
    await peer.gone()


async def test_failures_to_connect_and_to_answer_in_time(serve):
    server, closed = await serve(silent), await serve(silent)
    await closed.stop()
    transport = PooledTransport(timeouts=Timeouts(idle_s=0.2))
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(closed.url)
        with pytest.raises(httpx.ReadTimeout):
            await client.get(server.url, timeout=0.1)
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.get("ftp://127.0.0.1/")
        with pytest.raises(httpx.LocalProtocolError):
            await client.get(server.url, headers={"x": "a\r\nb"})


async def test_a_full_pool_is_a_pool_timeout(serve):
    server = await serve(silent)
    transport = PooledTransport(PoolLimits(connections=1, waiters=0))
    async with httpx.AsyncClient(transport=transport) as client:
        first = asyncio.create_task(client.get(server.url))
        await asyncio.wait_for(server.asked.wait(), 5)
        with pytest.raises(httpx.PoolTimeout):
            await client.get(server.url)
        first.cancel()
        await asyncio.wait([first])


async def test_the_number_of_origins_is_bounded_and_the_least_used_goes_first(serve):
    servers = [await serve(polite) for _ in range(3)]
    transport = PooledTransport(max_origins=2)
    async with httpx.AsyncClient(transport=transport) as client:
        for place in (0, 1, 0, 2, 0, 1):
            await client.get(servers[place].url)
        assert len(transport._pools) == 2
    assert [server.connections for server in servers] == [1, 2, 1]


async def test_no_origin_is_dropped_while_it_is_busy(serve):
    server, other = await serve(silent), await serve(polite)
    transport = PooledTransport(max_origins=1)
    async with httpx.AsyncClient(transport=transport) as client:
        first = asyncio.create_task(client.get(server.url))
        await asyncio.wait_for(server.asked.wait(), 5)
        with pytest.raises(httpx.PoolTimeout):
            await client.get(other.url)
        first.cancel()
        await asyncio.wait([first])
        assert (await client.get(other.url)).status_code == 200
