"""Honest ways to write an answer: whole, streamed, and at a given pace."""

import asyncio

from otari_daemon.mock.exchange import MS_PER_S, Exchange
from otari_daemon.mock.frames import LAST_CHUNK, chunk, stream_head, whole
from otari_daemon.mock.wires.wire import Told

BATCH_BYTES = 16 * 1024


def answer_whole(x: Exchange) -> None:
    """Write the answer at once, not streamed."""
    tell_whole(x, x.wire.usage())


def tell_whole(x: Exchange, usage: bytes | None) -> None:
    """Write the answer at once, reporting `usage` (JSON; None leaves it out)."""
    x.generate(x.answer.usage.completion_tokens)
    x.last(whole(200, x.wire.whole(usage), x.tag, media=x.wire.media))


async def answer_streamed(x: Exchange) -> None:
    """Stream the answer as fast as the client reads, in writes of about 16 KiB."""
    await tell_streamed(x, honest(x))


def honest(x: Exchange) -> Told:
    """What a well-behaved provider streams."""
    return x.wire.tell(x.wire.usage() if x.terms.usage_wanted else None)


def closing(end: bytes) -> bytes:
    """The mark at a stream's end, if there is one, and the end of the body."""
    return chunk(end) + LAST_CHUNK if end else LAST_CHUNK


async def tell_streamed(x: Exchange, told: Told) -> None:
    """Stream `told`, each event in a chunk of its own, many to a write."""
    batch = bytearray(stream_head(x.tag, media=x.wire.stream_media))
    for event in told.events:
        x.generate(event.tokens)
        batch += chunk(event.data)
        if len(batch) >= BATCH_BYTES:
            await x.send(bytes(batch))
            batch.clear()
    x.last(bytes(batch) + closing(told.end))


async def answer_after(x: Exchange, wait_ms: int) -> None:
    """Wait, then answer."""
    await asyncio.sleep(wait_ms / MS_PER_S)
    if x.terms.streamed:
        await answer_streamed(x)
    else:
        answer_whole(x)


async def answer_dripping(x: Exchange, gap_ms: int) -> None:
    """Generate one token per `gap_ms`; a stream shows each at once, in a write of its own."""
    pace = _Pace(gap_ms / MS_PER_S)
    if not x.terms.streamed:
        for _ in range(x.answer.usage.completion_tokens):
            await pace.next()
            x.generate(1)
        x.last(whole(200, x.wire.whole(x.wire.usage()), x.tag, media=x.wire.media))
        return
    told = honest(x)
    await x.send(stream_head(x.tag, media=x.wire.stream_media))
    for event in told.events:
        for _ in range(event.tokens):
            await pace.next()
        x.generate(event.tokens)
        await x.send(chunk(event.data))
    x.last(closing(told.end))


class _Pace:
    """Ticks at fixed times, so that slow writes do not add up."""

    def __init__(self, gap_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._gap_s = gap_s
        self._due = self._loop.time()

    async def next(self) -> None:
        self._due += self._gap_s
        await asyncio.sleep(max(0.0, self._due - self._loop.time()))
