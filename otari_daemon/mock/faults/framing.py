"""Faults of HTTP itself: lengths, chunks and headers that lie, around a good JSON body.

Each answers with the whole completion, streamed or not. The connection stays open unless the fault
is that it ends, for the client to mistrust.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from otari_daemon.mock.exchange import Exchange
from otari_daemon.mock.faults.table import Fault
from otari_daemon.mock.frames import JSON, LAST_CHUNK, chunk, head, stream_head, whole
from otari_daemon.mock.refusal import error_body

CANARY = b"mock-canary-of-another-answer"
MANY_HEADERS = 20_000
LONG_HEADER = 100_000
SURPLUS = 20

_TYPE = b"content-type: " + JSON


def _length(size: int) -> bytes:
    return b"content-length: %d" % size


def _cl_short(body: bytes, tag: bytes) -> bytes:
    return head(200, _TYPE, _length(len(body) - SURPLUS), tag) + body


def _cl_long(body: bytes, tag: bytes) -> bytes:
    return head(200, _TYPE, _length(len(body) + SURPLUS), tag) + body


def _cl_dup(body: bytes, tag: bytes) -> bytes:
    return head(200, _TYPE, _length(len(body)), _length(len(body) - SURPLUS), tag) + body


def _te_cl(body: bytes, tag: bytes) -> bytes:
    return stream_head(_length(len(body)), tag, media=JSON) + chunk(body) + LAST_CHUNK


def _chunk_bad(body: bytes, tag: bytes) -> bytes:
    return stream_head(tag, media=JSON) + chunk(body[:10]) + b"zz\r\n" + body[10:] + LAST_CHUNK


def _header_100k(body: bytes, tag: bytes) -> bytes:
    return whole(200, body, tag, b"x-long: " + b"a" * LONG_HEADER)


def _headers_20k(body: bytes, tag: bytes) -> bytes:
    return whole(200, body, tag, *[b"x-%d: 1" % n for n in range(MANY_HEADERS)])


def _crlf_header(body: bytes, tag: bytes) -> bytes:
    return whole(200, body, tag, b"x-split: a\rset-cookie: mock=1\nx-injected: 1")


def _status_line_junk(body: bytes, tag: bytes) -> bytes:
    return whole(200, body, tag).replace(b"HTTP/1.1 200 OK", b"HTTP/1.1 2OO \x00YES", 1)


def _trailers(body: bytes, tag: bytes) -> bytes:
    trailer = b"0\r\nx-trailer: 1\r\ncontent-length: 7\r\n\r\n"
    return stream_head(b"trailer: x-trailer", tag, media=JSON) + chunk(body) + trailer


async def _framed(
    x: Exchange, _: int, *, frame: Callable[[bytes, bytes], bytes], closes: bool = False
) -> None:
    x.last(frame(_body(x), x.tag))
    if closes:
        x.connection.fin()


async def _one_xx_flood(x: Exchange, count: int) -> None:
    """`count` early hints, then the answer."""
    for _ in range(count):
        await x.send(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
    x.last(whole(200, _body(x), x.tag))


async def _desync_second_response(x: Exchange, wait_ms: int) -> None:
    """The answer, and after `wait_ms` a second one that nobody asked for."""
    x.generate(x.answer.usage.completion_tokens)
    await x.send(whole(200, x.wire.whole(x.wire.usage()), x.tag))
    await asyncio.sleep(wait_ms / 1_000)
    x.last(whole(200, error_body(CANARY.decode(), "server_error")))


def _body(x: Exchange) -> bytes:
    x.generate(x.answer.usage.completion_tokens)
    return x.wire.whole(x.wire.usage())


_FRAMES = {
    "cl_short": _cl_short,
    "cl_dup": _cl_dup,
    "te_cl": _te_cl,
    "chunk_bad": _chunk_bad,
    "header_100k": _header_100k,
    "headers_20k": _headers_20k,
    "crlf_header": _crlf_header,
    "status_line_junk": _status_line_junk,
    "trailers": _trailers,
}

FAULTS = {name: Fault(partial(_framed, frame=frame)) for name, frame in _FRAMES.items()} | {
    "cl_long": Fault(partial(_framed, frame=_cl_long, closes=True)),
    "one_xx_flood": Fault(_one_xx_flood, default=1_000),
    "desync_second_response": Fault(_desync_second_response, default=0),
}
