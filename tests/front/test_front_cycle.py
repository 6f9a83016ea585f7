"""How answers are framed: one write where one will do, lengths that are kept, fields that stay one line."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from otari_daemon.front.cycle import JOINED_BYTES_MAX
from tests.front.server import Client, answer, serving
from tests.front.vectors import FOLLOWER, head

START = "http.response.start"
BODY = "http.response.body"


class Writes:
    """An ASGI application that notes each write of its connection, and answers as told."""

    def __init__(self, *messages: dict[str, Any] | float) -> None:
        self._messages = messages
        self.sizes: list[int] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        cycle = send.__self__
        transport, sizes = cycle.transport, self.sizes

        class Noting:
            def write(self, data: bytes) -> None:
                sizes.append(len(data))
                transport.write(data)

            def __getattr__(self, name: str) -> Any:
                return getattr(transport, name)

        cycle.transport = Noting()
        for message in self._messages:
            if isinstance(message, dict):
                await send(message)
            else:
                await asyncio.sleep(message)


def start(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": START, "status": status, "headers": headers}


def body(data: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": BODY, "body": data, "more_body": more}


def sized(length: int) -> tuple[bytes, bytes]:
    return (b"content-length", b"%d" % length)


async def answered(app: Any, request: bytes = FOLLOWER) -> bytes:
    """All that `app` sends for one request on a connection that then ends."""
    async with serving(app) as served:
        client = await Client.connect(served)
        await client.send(request.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1))
        got = await client.read_to_end()
        client.close()
    return got


async def test_a_small_answer_leaves_in_one_write() -> None:
    app = Writes(start(sized(5)), body(b"hello"))
    assert (await answered(app)).endswith(b"\r\n\r\nhello")
    assert len(app.sizes) == 1


async def test_a_head_that_nothing_follows_leaves_at_the_end_of_the_turn() -> None:
    app = Writes(start(sized(5)), 0, body(b"hello"))
    assert (await answered(app)).endswith(b"\r\n\r\nhello")
    assert app.sizes[1:] == [5]


async def test_a_large_body_is_not_copied_to_join_it() -> None:
    large = b"b" * (JOINED_BYTES_MAX + 1)
    app = Writes(start(sized(len(large))), body(large))
    assert (await answered(app)).endswith(large)
    assert app.sizes[1:] == [len(large)]


async def test_a_body_without_a_length_is_chunked_for_http_1_1_and_ends_the_connection_for_1_0() -> None:
    messages = (start(), body(b"hel", more=True), body(b"lo"))
    newer = await answered(Writes(*messages))
    older = await answered(Writes(*messages), FOLLOWER.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert b"transfer-encoding: chunked\r\n" in newer
    assert newer.endswith(b"\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
    assert b"transfer-encoding" not in older
    assert older.endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_that_has_no_body_gets_none(status: int) -> None:
    got = await answered(Writes(start(status=status), body(b"never seen")))
    assert got.endswith(b"\r\n\r\n")
    assert b"never" not in got
    assert b"chunked" not in got


async def test_a_head_request_is_told_the_length_and_gets_no_body() -> None:
    got = await answered(Writes(start(sized(5)), body(b"hello")), FOLLOWER.replace(b"GET", b"HEAD", 1))
    assert b"content-length: 5\r\n" in got
    assert got.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("given", [b"hell", b"hello!"])
async def test_a_body_that_breaks_its_promised_length_ends_the_connection(given: bytes) -> None:
    got = await answered(Writes(start(sized(5)), body(given)))
    assert b"hell" not in got


@pytest.mark.parametrize("bad", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b"])
async def test_a_field_that_would_be_two_lines_is_never_sent(bad: bytes) -> None:
    got = await answered(Writes(start((b"x-from-upstream", bad), sized(0)), body(b"")))
    assert b"x-from-upstream" not in got
    assert b"set-cookie" not in got


async def test_an_application_that_fails_before_it_answers_is_a_500_with_an_id() -> None:
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("a secret of ours")

    got = await answered(failing)
    assert got.startswith(b"HTTP/1.1 500 ")
    assert b"x-request-id: req_" in got
    assert b"secret" not in got


async def test_an_application_that_stops_half_way_ends_the_connection_without_an_end() -> None:
    got = await answered(Writes(start(), body(b"hel", more=True)))
    assert got.endswith(b"3\r\nhel\r\n")


async def test_a_connection_serves_on_after_a_whole_answer() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, scope["path"].encode())

    async with serving(app) as served:
        client = await Client.connect(served)
        for path in (b"/a", b"/%C3%A9"):
            await client.send(head(b"Content-Length: 0").replace(b" /", b" " + path + b"?", 1))
            status, got = await client.read_answer()
            assert status == 200
            assert got.decode().startswith(path.decode() if b"%" not in path else "/é")
        client.close()
