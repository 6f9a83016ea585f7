"""Load: `wrk` for a closed loop, and a small client of our own for what a single caller waits.

The client speaks just enough HTTP/1.1: one request at a time on a kept connection, sized and chunked answers.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

CONNECTIONS = 48
RATE = 200
STREAMS = 24
ANSWER_S_MAX = 10.0
WRK_S_OVER = 15.0
PATH = "/v1/chat/completions"

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
_PROMPT = "Say something kind about terminals and ledgers, in one sentence, for a person who is up late."
_WRK = """
wrk.method, wrk.body = "POST", %s
wrk.headers["Content-Type"], wrk.headers["Authorization"] = "application/json", "Bearer %s"
function done(summary, latency, requests)
  local e = summary.errors
  print(string.format("%%d %%d %%d", summary.requests, summary.duration, e.status + e.connect + e.timeout))
end
"""


class Target(NamedTuple):
    """Something that answers chat requests: `url` is its root, `key` what it wants to see."""

    url: str
    key: str


class Waited(NamedTuple):
    """Microseconds that requests took: to the first byte of the body, and to the end; and chunks seen."""

    first_us: list[float]
    whole_us: list[float]
    chunks: int


def body(stream: bool) -> bytes:
    """The request every gateway gets."""
    asked = {"model": "up:bench", "max_tokens": 100, "messages": [{"role": "user", "content": _PROMPT}]}
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(asked, separators=(",", ":")).encode()


def saturate(target: Target, seconds: int, scratch: Path) -> tuple[int, float]:
    """Keep CONNECTIONS requests in flight: how many were answered, in how many seconds. All must succeed."""
    script = scratch / "wrk.lua"
    script.write_text(_WRK % (json.dumps(body(stream=False).decode()), target.key))
    how = ("-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "5s", "-s", str(script))
    command = ("wrk", *how, target.url + PATH)
    ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + WRK_S_OVER)
    answered, took_us, failed = map(int, ran.stdout.splitlines()[-1].split())
    if failed or not answered:
        raise RuntimeError(f"{target.url}: {failed} of {answered} requests failed under load")
    return answered, took_us / 1e6


async def paced(target: Target, seconds: float) -> Waited:
    """RATE whole requests a second, each sent on time whether or not earlier ones were answered."""
    callers = Callers(target)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with asyncio.TaskGroup() as tasks:
        for n in range(round(RATE * seconds)):
            await asyncio.sleep(max(0.0, begun + n / RATE - loop.time()))
            tasks.create_task(callers.call(callers.whole))
    return callers.close()


async def streamed(target: Target, seconds: float) -> Waited:
    """STREAMS streams at a time, one after another."""
    callers = Callers(target)
    until = asyncio.get_running_loop().time() + seconds

    async def follow() -> None:
        while asyncio.get_running_loop().time() < until:
            await callers.call(callers.stream)

    await asyncio.gather(*(follow() for _ in range(STREAMS)))
    return callers.close()


class Callers:
    """Connections to one target, and what was seen on all of them."""

    def __init__(self, target: Target) -> None:
        place = urlsplit(target.url)
        self._host, self._port = place.hostname or "", place.port or 80
        self._idle: list[_Caller] = []
        self._seen = Waited([], [], 0)
        self.whole, self.stream = (_request(target, stream) for stream in (False, True))

    async def call(self, request: bytes) -> None:
        """Send one request and take its answer; raises RuntimeError for any but status 200."""
        loop = asyncio.get_running_loop()
        if self._idle:
            caller = self._idle.pop()
        else:
            _, caller = await loop.create_connection(_Caller, self._host, self._port)
        async with asyncio.timeout(ANSWER_S_MAX):
            await caller.send(request)
        self._seen.first_us.append((caller.first_s - caller.sent_s) * 1e6)
        self._seen.whole_us.append((caller.ended_s - caller.sent_s) * 1e6)
        self._seen = self._seen._replace(chunks=self._seen.chunks + caller.chunks)
        self._idle.append(caller)

    def close(self) -> Waited:
        """Close every connection; what was seen."""
        for caller in self._idle:
            caller.close()
        return self._seen


class _Caller(asyncio.Protocol):
    """One connection; its times are those of its latest request. (uvloop's clock ticks in ms.)"""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._done: asyncio.Future[None]
        self.sent_s = self.first_s = self.ended_s = 0.0
        self.chunks = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # it is a stream
        self._transport = transport

    def send(self, request: bytes) -> asyncio.Future[None]:
        self._done = asyncio.get_running_loop().create_future()
        self._head, self._left = b"", 0
        self.first_s, self.chunks = 0.0, 0
        self.sent_s = time.perf_counter()
        self._transport.write(request)
        return self._done

    def data_received(self, data: bytes) -> None:
        if not self._left:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._begin(head)
        if data and not self.first_s:
            self.first_s = time.perf_counter()
        self.chunks += data.count(b"data: ")
        self._left -= len(data)
        if self._left == 0 or (self._left < 0 and data.endswith(b"0\r\n\r\n")):
            self.ended_s = time.perf_counter()
            self._done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(RuntimeError(f"the connection closed before the answer ended: {exc}"))

    def close(self) -> None:
        self._transport.close()

    def _begin(self, head: bytes) -> None:
        if b" 200 " not in head.partition(b"\r\n")[0]:
            self._done.set_exception(RuntimeError(f"not answered with 200: {self._head[:300]!r}"))
        sized = _LENGTH.search(head)
        self._left = int(sized[1]) if sized else -1  # chunked: below zero until it ends


def _request(target: Target, stream: bool) -> bytes:
    content = body(stream)
    return (
        f"POST {PATH} HTTP/1.1\r\nhost: {urlsplit(target.url).netloc}\r\n"
        f"authorization: Bearer {target.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    ).encode() + content
