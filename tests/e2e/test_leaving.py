"""An upstream sees its connection closed when the client leaves, in every phase, streamed or not."""

from __future__ import annotations

import asyncio
import json
import statistics
import time

import pytest

from tests.e2e.machine import Machine

pytestmark = pytest.mark.e2e

CLOSED_MS_P99 = 100
ROUNDS = 50
PHASES = {
    "before headers": ("up:fault:ttft_never", True, 0),
    "before the first token": ("up:fault:stall_after:0", True, 1),
    "between chunks": ("up:drip:2000:20", True, 3),
    "without a stream": ("up:fault:ttft_never", False, 0),
}


async def leave(machine: Machine, key: str, model: str, stream: bool, chunks: int) -> int:
    """Ask, read that many pieces, close; return the monotonic nanosecond at which we left."""
    reader, writer = await asyncio.open_connection("127.0.0.1", machine.port)
    body = json.dumps(
        {
            "model": model,
            "stream": stream,
            "max_tokens": 3000,
            "messages": [{"role": "user", "content": "hi"}],
        }
    ).encode()
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"authorization: Bearer %b\r\ncontent-length: %d\r\n\r\n%b" % (key.encode(), len(body), body)
    )
    for _ in range(chunks):
        assert await asyncio.wait_for(reader.read(65536), 10)
    if not chunks:
        await asyncio.sleep(0.05)  # lets the request reach the provider; the phase, not the proof
    left_ns = time.monotonic_ns()
    writer.transport.abort()
    return left_ns


@pytest.mark.parametrize("phase", PHASES)
async def test_the_provider_sees_the_close_within_100_ms(machine, phase):
    model, stream, chunks = PHASES[phase]
    key = await asyncio.to_thread(machine.new_key, key_name=phase)
    before = len(machine.bill())

    left = [await leave(machine, key, model, stream, chunks) for _ in range(ROUNDS)]

    lines = await asyncio.to_thread(billed, machine, before + ROUNDS)
    waits_ms = sorted(
        (line.client_left_ns - left_ns) / 1e6 for line, left_ns in zip(lines[before:], left, strict=True)
    )
    print(f"{phase}: p50 {statistics.median(waits_ms):.1f} ms, max {waits_ms[-1]:.1f} ms of {ROUNDS}")
    assert waits_ms[round(ROUNDS * 0.99) - 1] < CLOSED_MS_P99
    assert {line.ended for line in lines[before:]} <= {"client_left", "fault"}


def billed(machine: Machine, count: int):
    """The bill once it has that many lines."""
    deadline = time.monotonic() + 10
    while len(lines := machine.bill()) < count:
        assert time.monotonic() < deadline, f"{len(lines)} of {count} requests were ended at the provider"
        time.sleep(0.02)
    return sorted(lines, key=lambda line: line.request)
