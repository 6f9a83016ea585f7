"""Honest ways to write an answer: whole, streamed, and at a given pace."""

import asyncio
from collections.abc import Iterable

from otari_daemon.mock.exchange import MS_PER_S, Exchange
from otari_daemon.mock.frames import LAST_CHUNK, chunk, stream_head, whole
from otari_daemon.mock.shapes import DONE, Event, completion, honest_events, usage_json

BATCH_BYTES = 16 * 1024


def answer_whole(x: Exchange) -> None:
    """Write the answer at once, not streamed."""
    tell_whole(x, usage_json(x.answer.usage))


def tell_whole(x: Exchange, usage: bytes | None) -> None:
    """Write the answer at once, reporting `usage` (JSON; None leaves it out)."""
    x.generate(x.answer.usage.completion_tokens)
    x.last(whole(200, completion(x.answer, usage), x.tag))


async def answer_streamed(x: Exchange) -> None:
    """Stream the answer as fast as the client reads, in writes of about 16 KiB."""
    await tell_streamed(x, honest_events(x.answer, x.terms.usage_wanted))


async def tell_streamed(x: Exchange, events: Iterable[Event]) -> None:
    """Stream `events` and `[DONE]`, each in a chunk of its own, many to a write."""
    batch = bytearray(stream_head(x.tag))
    for event in events:
        x.generate(event.tokens)
        batch += chunk(event.data)
        if len(batch) >= BATCH_BYTES:
            await x.send(bytes(batch))
            batch.clear()
    x.last(bytes(batch) + chunk(DONE) + LAST_CHUNK)


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
        x.last(whole(200, completion(x.answer, usage_json(x.answer.usage)), x.tag))
        return
    await x.send(stream_head(x.tag))
    for event in honest_events(x.answer, x.terms.usage_wanted):
        for _ in range(event.tokens):
            await pace.next()
        x.generate(event.tokens)
        await x.send(chunk(event.data))
    x.last(chunk(DONE) + LAST_CHUNK)


class _Pace:
    """Ticks at fixed times, so that slow writes do not add up."""

    def __init__(self, gap_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._gap_s = gap_s
        self._due = self._loop.time()

    async def next(self) -> None:
        self._due += self._gap_s
        await asyncio.sleep(max(0.0, self._due - self._loop.time()))
