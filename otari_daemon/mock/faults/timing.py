"""Faults of pace: silence, endless talk, and talk too fast or too slow.

The endless ones stop when the client leaves or the server's patience ends.
"""

import asyncio
from itertools import cycle, islice

from otari_daemon.mock.deliver import BATCH_BYTES, closing, honest
from otari_daemon.mock.exchange import Exchange
from otari_daemon.mock.faults.table import Fault
from otari_daemon.mock.frames import chunk, head, stream_head, whole
from otari_daemon.mock.tokens import lorem

TOKENS = 64
MIB = 1024 * 1024


async def _silence() -> None:
    await asyncio.get_running_loop().create_future()


async def _ttft_never(_x: Exchange, _: int) -> None:
    """Take the request and say nothing."""
    await _silence()


async def _stall_after(x: Exchange, count: int) -> None:
    """Stop after `count` tokens of a stream, or `count` bytes of a whole body."""
    if x.terms.streamed:
        await x.send(stream_head(x.tag, media=_media(x)))
        for event in islice(honest(x).events, count + 1):
            x.generate(event.tokens)
            await x.send(chunk(event.data))
    else:
        x.generate(x.answer.usage.completion_tokens)
        body = x.wire.whole(x.wire.usage())
        await x.send(head(200, b"content-type: " + x.wire.media, b"content-length: %d" % len(body), x.tag))
        await x.send(body[:count])
    await _silence()


async def _drip_forever(x: Exchange, gap_ms: int) -> None:
    """A token every `gap_ms`, without end; white space before JSON that never comes if whole."""
    await _open(x)
    for piece in cycle(lorem(TOKENS)):
        x.generate(1)
        await x.send(chunk(x.wire.piece(piece) if x.terms.streamed else b" "))
        await asyncio.sleep(gap_ms / 1_000)


async def _ping_forever(x: Exchange, gap_ms: int) -> None:
    """Comments instead of tokens, without end."""
    await _open(x)
    while True:
        await x.send(chunk(b": ping\n\n" if x.terms.streamed else b" "))
        await asyncio.sleep(gap_ms / 1_000)


def _media(x: Exchange) -> bytes:
    return x.wire.stream_media if x.terms.streamed else x.wire.media


async def _open(x: Exchange) -> None:
    """Begin an answer that has no end."""
    await x.send(stream_head(x.tag, media=_media(x)))
    if x.terms.streamed:
        await x.send(chunk(x.wire.opening()))


async def _firehose(x: Exchange, size: int) -> None:
    """About `size` bytes as fast as the client takes them; then it closes."""
    one = chunk(x.wire.piece(" lorem") if x.terms.streamed else b" " * 256)
    per_write = BATCH_BYTES // len(one)
    await _open(x)
    for _ in range(-(-size // (per_write * len(one)))):
        x.generate(per_write)
        await x.send(one * per_write)
    x.connection.fin()


async def _one_byte_writes(x: Exchange, _: int) -> None:
    """The honest answer, one byte to a write."""
    x.generate(x.answer.usage.completion_tokens)
    if x.terms.streamed:
        told = honest(x)
        frames = [stream_head(x.tag, media=_media(x)), *[chunk(event.data) for event in told.events]]
        data = b"".join(frames) + closing(told.end)
    else:
        data = whole(200, x.wire.whole(x.wire.usage()), x.tag, media=x.wire.media)
    for at in range(len(data) - 1):
        await x.send(data[at : at + 1])
    x.last(data[-1:])


FAULTS = {
    "ttft_never": Fault(_ttft_never),
    "stall_after": Fault(_stall_after, default=4, lorem=TOKENS),
    "drip_forever": Fault(_drip_forever, default=20),
    "ping_forever": Fault(_ping_forever, default=20),
    "firehose": Fault(_firehose, default=64 * MIB),
    "one_byte_writes": Fault(_one_byte_writes),
}
