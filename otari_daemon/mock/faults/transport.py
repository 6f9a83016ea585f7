"""Faults of the connection: it ends before the answer does."""

from otari_daemon.mock.deliver import BATCH_BYTES, honest
from otari_daemon.mock.exchange import Exchange
from otari_daemon.mock.faults.table import Fault
from otari_daemon.mock.frames import chunk, head, stream_head

TOKENS = 64


async def _accept_close(x: Exchange, _: int) -> None:
    """Close in good order without a byte, having done nothing."""
    x.connection.fin()


async def _rst_after_request(x: Exchange, _: int) -> None:
    """Reset without a byte, having begun."""
    x.connection.reset()


async def _rst_mid_body(x: Exchange, size: int) -> None:
    """Reset after `size` bytes of the body: of the events if streamed, of the JSON if not."""
    if x.terms.streamed:
        await x.send(stream_head(x.tag, media=x.wire.stream_media))
        await _cut_stream(x, size)
    else:
        body = _json_body(x)
        await x.send(head(200, b"content-type: " + x.wire.media, b"content-length: %d" % len(body), x.tag))
        await _send_in_batches(x, body[:size])
    x.connection.reset()


async def _cut_stream(x: Exchange, size: int) -> None:
    for event in honest(x).events:
        if size <= 0:
            return
        x.generate(event.tokens)
        await x.send(chunk(event.data[:size]))
        size -= len(event.data)


async def _fin_mid_chunk(x: Exchange, size: int) -> None:
    """Announce the whole body as one chunk, close in good order after `size` bytes of it."""
    if x.terms.streamed:
        told = list(honest(x).events)
        body = b"".join([event.data for event in told])
        x.generate(x.answer.usage.completion_tokens)
        await x.send(stream_head(x.tag, media=x.wire.stream_media))
    else:
        body = _json_body(x)
        await x.send(stream_head(x.tag, media=x.wire.media))
    await x.send(b"%x\r\n" % len(body))
    await _send_in_batches(x, body[: min(size, len(body) - 1)])
    x.connection.fin()


def _json_body(x: Exchange) -> bytes:
    x.generate(x.answer.usage.completion_tokens)
    return x.wire.whole(x.wire.usage())


async def _send_in_batches(x: Exchange, data: bytes) -> None:
    for start in range(0, len(data), BATCH_BYTES):
        await x.send(data[start : start + BATCH_BYTES])


FAULTS = {
    "accept_close": Fault(_accept_close, executes=False),
    "rst_after_request": Fault(_rst_after_request),
    "rst_mid_body": Fault(_rst_mid_body, default=100, lorem=TOKENS),
    "fin_mid_chunk": Fault(_fin_mid_chunk, default=100, lorem=TOKENS),
}
