"""Faults of pace: silence, endless talk, and talk too fast or too slow.

The endless ones stop when the client leaves or the server's patience ends.
"""

import asyncio
from itertools import cycle, islice

from otari_daemon.mock.deliver import BATCH_BYTES
from otari_daemon.mock.exchange import Exchange
from otari_daemon.mock.faults.table import Fault
from otari_daemon.mock.frames import JSON, LAST_CHUNK, chunk, head, stream_head, whole
from otari_daemon.mock.shapes import DONE, Chunks, completion, honest_events, usage_json
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
        await x.send(stream_head(x.tag))
        for event in islice(honest_events(x.answer, x.terms.usage_wanted), count + 1):
            x.generate(event.tokens)
            await x.send(chunk(event.data))
    else:
        x.generate(x.answer.usage.completion_tokens)
        body = completion(x.answer, usage_json(x.answer.usage))
        await x.send(head(200, b"content-type: " + JSON, b"content-length: %d" % len(body), x.tag))
        await x.send(body[:count])
    await _silence()


async def _drip_forever(x: Exchange, gap_ms: int) -> None:
    """A token every `gap_ms`, without end; white space before JSON that never comes if whole."""
    chunks = Chunks(x.answer, None)
    await x.send(stream_head(x.tag, media=_media(x)))
    for piece in cycle(lorem(TOKENS)):
        x.generate(1)
        await x.send(chunk(chunks.piece(0, piece) if x.terms.streamed else b" "))
        await asyncio.sleep(gap_ms / 1_000)


async def _ping_forever(x: Exchange, gap_ms: int) -> None:
    """Comments instead of tokens, without end."""
    await x.send(stream_head(x.tag, media=_media(x)))
    while True:
        await x.send(chunk(b": ping\n\n" if x.terms.streamed else b" "))
        await asyncio.sleep(gap_ms / 1_000)


def _media(x: Exchange) -> bytes:
    return b"text/event-stream" if x.terms.streamed else JSON


async def _firehose(x: Exchange, size: int) -> None:
    """About `size` bytes as fast as the client takes them; then it closes."""
    chunks = Chunks(x.answer, None)
    one = chunk(chunks.piece(0, " lorem") if x.terms.streamed else b" " * 256)
    per_write = BATCH_BYTES // len(one)
    await x.send(stream_head(x.tag, media=_media(x)))
    for _ in range(-(-size // (per_write * len(one)))):
        x.generate(per_write)
        await x.send(one * per_write)
    x.connection.fin()


async def _one_byte_writes(x: Exchange, _: int) -> None:
    """The honest answer, one byte to a write."""
    x.generate(x.answer.usage.completion_tokens)
    if x.terms.streamed:
        told = honest_events(x.answer, x.terms.usage_wanted)
        frames = [stream_head(x.tag), *[chunk(event.data) for event in told], chunk(DONE)]
        data = b"".join(frames) + LAST_CHUNK
    else:
        data = whole(200, completion(x.answer, usage_json(x.answer.usage)), x.tag)
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
