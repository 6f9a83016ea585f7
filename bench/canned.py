"""An upstream that costs next to nothing: one canned answer, or one canned stream of timed chunks.

    python -m bench.canned

Prints its base URL and serves until it is ended. It reads just enough of a request to know where it ends and
whether it asks for a stream, so that what is measured is the gateway in front of it.
"""

from __future__ import annotations

import asyncio
import re

import uvloop

CHUNKS = 60
CHUNK_EVERY_S = 0.005
"""Far enough apart that a gateway meets every chunk by itself."""

_USAGE = b'"usage":{"prompt_tokens":23,"completion_tokens":60,"total_tokens":83}'
_ANSWER = (
    b'{"id":"chatcmpl-canned","object":"chat.completion","created":1700000000,"model":"bench",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"A terminal is a quiet room with one '
    b"window, and a ledger is the only book that two people who disagree can both read. Put the one inside "
    b'the other."},"finish_reason":"stop"}],%b}' % _USAGE
)
_WHOLE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: Sat, 01 Nov 2025 12:00:00 GMT\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_ANSWER), _ANSWER)
)
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ndate: Sat, 01 Nov 2025 12:00:00 GMT\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
_LENGTH = re.compile(rb"content-length: *(\d+)", re.I)
_STREAM = b'"stream":true'


def _event(payload: bytes) -> bytes:
    framed = b"data: %b\n\n" % payload
    return b"%x\r\n%b\r\n" % (len(framed), framed)


def _chunk(choices: bytes, usage: bytes) -> bytes:
    return _event(
        b'{"id":"chatcmpl-canned","object":"chat.completion.chunk","created":1700000000,"model":"bench",'
        b'"choices":[%b],%b}' % (choices, usage)
    )


_WORD = _chunk(b'{"index":0,"delta":{"content":" ledger"},"finish_reason":null}', b'"usage":null')
_LAST = _chunk(b"", _USAGE) + _event(b"[DONE]") + b"0\r\n\r\n"


class Canned(asyncio.Protocol):
    """One connection; requests come one after another."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._received = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # it is a stream
        """Keep the transport to answer on."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once the request is all there."""
        received = self._received = self._received + data
        head, end, body = received.partition(b"\r\n\r\n")
        if not end or len(body) < _body_length(head):
            return
        self._received = b""
        if _STREAM in body:
            self._transport.write(_STREAM_HEAD)
            self._drip(CHUNKS)
        else:
            self._transport.write(_WHOLE)

    def _drip(self, left: int) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(_WORD if left else _LAST)
        if left:
            asyncio.get_running_loop().call_later(CHUNK_EVERY_S, self._drip, left - 1)


def _body_length(head: bytes) -> int:
    stated = _LENGTH.search(head)
    return int(stated[1]) if stated else 0


async def serve() -> None:
    """Listen on a free loopback port until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
