"""R-05, R-06, R-31: nobody holds a connection by sending or reading slowly."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import pytest

from otari_daemon.front.limits import MIB, FrontLimits
from tests.front.server import Client, Echo, Served, answer, serving, whole_body
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


@pytest.mark.parametrize("served_before", [0, 1])
async def test_bytes_that_trickle_in_do_not_move_the_heads_deadline(served_before: int) -> None:
    async with serving(Echo(), QUICK) as served:
        client = await Client.connect(served)
        for _ in range(served_before):
            await client.send(FOLLOWER)
            await client.read_answer()
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
    async with serving(Echo(), FrontLimits(head_s=3.0)) as served:
        began = time.monotonic()
        crowd = [await half_asked(served) for _ in range(200)]
        good = await Client.connect(served)
        for _ in range(50):
            await good.send(FOLLOWER)
            assert (await good.read_answer())[0] == 200
        answers = await asyncio.gather(*(client.read_to_end() for client in crowd))
        took_s = time.monotonic() - began
        for client in (*crowd, good):
            client.close()
    assert all(got.startswith(b"HTTP/1.1 408 ") for got in answers)
    assert took_s < 9.0  # 200 deadlines of 3 s run side by side, not one after another


async def half_asked(served: Served) -> Client:
    """Return a connection that has sent half a head: one that sent nothing is closed without a word."""
    client = await Client.connect(served)
    await client.send(HALF)
    return client


async def test_a_body_the_app_is_slow_to_read_is_not_the_clients_delay_but_its_rest_is() -> None:
    async def slow(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await asyncio.sleep(0.5)  # past every deadline, with the client held back
        if await whole_body(receive) is not None:
            await answer(send, b"done")

    async with serving(slow, QUICK) as served:
        finishing, stalling = await Client.connect(served), await Client.connect(served)
        for client in (finishing, stalling):
            await client.send(head(b"Content-Length: 200000") + b"x" * 199_999)
        await finishing.send(b"x")
        assert await finishing.read_answer() == (200, b"done")
        assert (await stalling.read_to_end()).startswith(b"HTTP/1.1 408 ")
        finishing.close()
        stalling.close()
