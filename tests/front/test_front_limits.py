"""R-07, R-12, R-35: sizes and counts are refused before they are held, however the input is split."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from otari_daemon.front.limits import KIB, MIB, FrontLimits
from tests.front.server import Client, Echo, answer, serving
from tests.front.vectors import FOLLOWER, head

SMALL = FrontLimits(body_bytes=100, body_bytes_by_prefix=(("/v1/files", 1000),))

OVERSIZE = {
    "one long field": (431, head(b"X: " + b"a" * (17 * KIB))),
    "much header": (431, head(*[b"X: " + b"a" * KIB] * 40)),
    "five megabytes of header": (431, head(*[b"X: " + b"a" * 8000] * 640)),
    "a field without end": (431, head()[:-2] + b"X: " + b"a" * (5 * MIB)),
    "101 fields": (431, head(*[b"X: a"] * 100)),
    "20,000 fields": (431, head(*[b"X: a"] * 20_000)),
    "long target": (414, head(line=b"GET /" + b"a" * (8 * KIB) + b" HTTP/1.1")),
    "target without end": (414, b"GET /" + b"a" * (5 * MIB)),
    "long body": (413, head(b"Content-Length: 101")),
    "very long body": (413, head(b"Content-Length: 999999999999999999") + b"x" * MIB),
    "long body of a near prefix": (413, head(b"Content-Length: 101", line=b"POST /v1/filesystem HTTP/1.1")),
    "long file": (413, head(b"Content-Length: 1001", line=b"POST /v1/files HTTP/1.1")),
    "expecting to send too much": (413, head(b"Expect: 100-continue", b"Content-Length: 101")),
}

IN_BODY = {
    "long chunk": (413, b"65\r\n"),
    "second chunk too many": (413, b"64\r\n" + b"x" * 100 + b"\r\n1\r\n"),
    "huge chunk": (413, b"ffffffff\r\n"),
}


@pytest.mark.parametrize("step", [1 << 30, 1000])
@pytest.mark.parametrize("name", OVERSIZE)
async def test_what_is_too_large_is_refused_without_reaching_the_app(name: str, step: int) -> None:
    status, raw = OVERSIZE[name]
    app = Echo()
    async with serving(app, SMALL) as served:
        got = await refused(await Client.connect(served), raw, step)
        held = [len(connection._held) for connection in served.connections]
    assert got[0] == status, got
    assert app.asked == []
    assert all(size == 0 for size in held)


@pytest.mark.parametrize("name", IN_BODY)
async def test_a_chunked_body_is_refused_when_it_announces_too_much(name: str) -> None:
    status, body = IN_BODY[name]
    app = Echo()
    async with serving(app, SMALL) as served:
        raw = head(b"Transfer-Encoding: chunked") + body
        assert (await refused(await Client.connect(served), raw, 7))[0] == status
    assert app.completed == []


async def test_chunks_that_are_mostly_framing_are_refused() -> None:
    app = Echo()
    async with serving(app) as served:
        raw = head(b"Transfer-Encoding: chunked") + b"1\r\nx\r\n" * 10_000
        got = await refused(await Client.connect(served), raw, 1 << 30)
    assert got == (400, "malformed_request")
    assert app.completed == []


async def refused(client: Client, raw: bytes, step: int) -> tuple[int, str]:
    """Send `raw` in steps and return the status and code of the refusal."""
    try:
        for at in range(0, len(raw), step):
            await client.send(raw[at : at + step])
    except ConnectionError:
        pass  # refused before all was sent
    got = await client.read_to_end()
    client.close()
    return int(got[9:12]), json.loads(got.partition(b"\r\n\r\n")[2])["error"]["code"]


async def test_what_just_fits_is_served() -> None:
    app = Echo()
    fields = [b"X: " + b"a" * (16 * KIB - 3), b"Y: " + b"a" * 15_000, *[b"Z: a"] * 96]
    target = b"/v1/files/" + b"a" * (8 * KIB - 10)
    raw = head(*fields, b"Content-Length: 1000", line=b"POST " + target + b" HTTP/1.1")
    limits = replace(SMALL, head_bytes=64 * KIB)
    async with serving(app, limits) as served:
        client = await Client.connect(served)
        await client.send(raw + b"x" * 1000)
        assert await client.read_answer() == (200, b"x" * 1000)
        client.close()


async def test_a_refusal_is_a_small_json_error_with_a_request_id() -> None:
    async with serving(Echo()) as served:
        client = await Client.connect(served)
        await client.send(head(line=b"TRACE / HTTP/1.1"))
        top, _, body = (await client.read_to_end()).partition(b"\r\n\r\n")
        client.close()
    error = json.loads(body)
    assert set(error) == {"error", "detail"}
    assert error["error"] | {"message": ""} == {
        "message": "",
        "type": "invalid_request_error",
        "param": None,
        "code": "method_not_allowed",
    }
    assert error["detail"] == error["error"]["message"]
    assert b"\r\nx-request-id: req_" in top
    assert b"\r\nallow: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT\r\n" in top


async def test_a_connection_over_the_cap_is_told_so_and_others_are_served() -> None:
    async with serving(Echo(), FrontLimits(max_connections=2)) as served:
        first, second = await Client.connect(served), await Client.connect(served)
        await second.send(FOLLOWER)
        assert (await second.read_answer())[0] == 200
        third = await Client.connect(served)
        got = await third.read_to_end()
        assert got.startswith(b"HTTP/1.1 503 ")
        assert b"too_many_connections" in got
        await first.send(FOLLOWER)
        assert (await first.read_answer())[0] == 200
        for client in (first, second, third):
            client.close()


async def test_far_over_the_cap_connections_are_dropped_unanswered() -> None:
    async with serving(Echo(), FrontLimits(max_connections=1, linger_s=5.0)) as served:
        clients = [await Client.connect(served) for _ in range(70)]
        answers = [await client.read_to_end() for client in clients[1:]]
        for client in clients:
            client.close()
    assert all(answer.startswith(b"HTTP/1.1 503 ") for answer in answers[:64])
    assert answers[64:] == [b""] * 5


async def test_a_connection_is_reused_until_its_last_request_and_then_closed() -> None:
    app = Echo()
    async with serving(app, FrontLimits(requests_per_connection=3)) as served:
        client = await Client.connect(served)
        for _ in range(2):
            await client.send(head(b"Content-Length: 2") + b"hi")
            assert await client.read_answer() == (200, b"hi")
        await client.send(head(b"Content-Length: 2") + b"hi")
        last = await client.read_to_end()
        client.close()
    assert last.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in last
    assert len(app.completed) == 3


async def test_a_pipelined_request_is_not_read_and_the_connection_closes_after_the_answer() -> None:
    app = Echo()
    async with serving(app) as served:
        client = await Client.connect(served)
        await client.send(head(b"Content-Length: 2") + b"hi" + FOLLOWER)
        got = await client.read_to_end()
        client.close()
    assert got.endswith(b"connection: close\r\n\r\nhi")
    assert app.asked == ["/v1/chat"]


async def test_an_expected_continue_is_sent_once_and_then_the_answer() -> None:
    async with serving(Echo()) as served:
        client = await Client.connect(served)
        await client.send(head(b"Expect: 100-Continue", b"Content-Length: 2"))
        assert await client.read_some(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(b"hi")
        assert await client.read_answer() == (200, b"hi")
        client.close()


async def refuse_unread(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await answer(send, b"no")


async def test_an_answer_before_the_expected_body_ends_the_connection() -> None:
    async with serving(refuse_unread) as served:
        client = await Client.connect(served)
        await client.send(head(b"Expect: 100-continue", b"Content-Length: 35"))
        assert await client.read_answer() == (200, b"no")
        await client.send(FOLLOWER)  # or is it the body?
        assert await client.read_to_end() == b""
        client.close()


async def test_a_body_that_goes_wrong_after_its_answer_gets_no_second_one() -> None:
    async with serving(refuse_unread) as served:
        client = await Client.connect(served)
        await client.send(head(b"Transfer-Encoding: chunked"))
        assert await client.read_answer() == (200, b"no")
        await client.send(b"wrong\r\n" + FOLLOWER)
        assert await client.read_to_end() == b""
        client.close()


async def test_a_body_that_ends_after_its_answer_leaves_the_connection_usable() -> None:
    async with serving(refuse_unread) as served:
        client = await Client.connect(served)
        for _ in range(2):
            await client.send(head(b"Content-Length: 4"))
            assert await client.read_answer() == (200, b"no")
            await client.send(b"late")
        client.close()


async def test_an_offer_to_upgrade_is_not_heard_by_the_app() -> None:
    app = Echo()
    async with serving(app) as served:
        client = await Client.connect(served)
        await client.send(head(b"Upgrade: h2c", b"Connection: Upgrade", b"Content-Length: 2") + b"hi")
        assert await client.read_answer() == (200, b"hi")
        client.close()
    assert b"upgrade" not in dict(app.scopes[0]["headers"])


async def test_an_absolute_target_with_the_hosts_authority_is_its_path() -> None:
    app = Echo()
    async with serving(app) as served:
        for target in (b"http://A/v1/x?y=z", b"http://a", b"http://a?y=z"):
            client = await Client.connect(served)
            await client.send(head(line=b"GET " + target + b" HTTP/1.1"))
            assert (await client.read_answer())[0] == 200
            client.close()
    asked = [(scope["path"], scope["query_string"]) for scope in app.scopes]
    assert asked == [("/v1/x", b"y=z"), ("/", b""), ("/", b"y=z")]
