"""CPU per request of the upstream client, beside httpx: `python bench/upstream.py [asyncio]`.

A tiny server runs in a process of its own; 48 requests are kept in flight over loopback. The
figure is this process's CPU time, so a busy machine moves it less than it moves the clock.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import httpx
import uvloop

from otari_daemon.providers.http1 import Origin, Pool, PooledTransport, request_head

IN_FLIGHT = 48
SECONDS_PER_VARIANT = 1.5
BODY = b'{"model":"m","messages":[{"role":"user","content":"hello"}]}'
SSE_CHUNKS = 64

SERVER = r"""
import asyncio, sys, uvloop
JSON = b'{"id":"x","choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":1}}'
FIELDS = b"content-type: application/json\r\nserver: s\r\ndate: d\r\ncontent-length: %d" % len(JSON)
WHOLE = b"HTTP/1.1 200 OK\r\n" + FIELDS + b"\r\n\r\n" + JSON
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENT = b'data: {"choices":[{"delta":{"content":"hello"}}]}\n\n'
CHUNK = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)
class Serve(asyncio.Protocol):
    def connection_made(self, transport): self.transport, self.buffer = transport, b""
    def data_received(self, data):
        self.buffer += data
        if not self.buffer.endswith(b"}"): return
        stream, self.buffer = b"/stream" in self.buffer, b""
        if not stream: self.transport.write(WHOLE)
        else:
            self.transport.write(HEAD)
            self.drip(64)
    def drip(self, left):
        self.transport.write(CHUNK if left else b"0\r\n\r\n")
        if left: asyncio.get_running_loop().call_later(0.001, self.drip, left - 1)
async def main():
    server = await asyncio.get_running_loop().create_server(Serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
uvloop.run(main())
"""

Once = Callable[[], Awaitable[None]]


async def measure(name: str, once: Once, per: int = 1) -> None:
    """Keep IN_FLIGHT calls of `once` going and print the CPU microseconds per unit of work."""
    done = 0
    until = cpu = clock = 0.0

    async def worker() -> None:
        nonlocal done
        while time.monotonic() < until:
            await once()
            done += 1

    for span_s in (0.2, SECONDS_PER_VARIANT):  # the first run opens the connections
        done, until = 0, time.monotonic() + span_s
        cpu, clock = time.process_time(), time.monotonic()
        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
        cpu, clock = time.process_time() - cpu, time.monotonic() - clock
    print(f"{name:<34}{cpu / done / per * 1e6:9.1f} us {done * per / clock:10.0f} /s")


async def run(port: int) -> None:
    """Measure every variant against the server on `port`."""
    url = f"http://127.0.0.1:{port}"
    origin, _ = Origin.parse(url)
    fields = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]
    head = request_head(b"POST", b"/v1/chat/completions", origin.authority, fields)
    stream_head = request_head(b"POST", b"/stream", origin.authority, fields)
    pool = Pool(origin)

    async def ours() -> None:
        exchange = pool.begin(head, BODY)
        try:
            await exchange.start()
            await exchange.read(1 << 20)
        finally:
            exchange.close()

    async def ours_streamed() -> None:
        exchange = pool.begin(stream_head, BODY)
        try:
            await exchange.start()
            while await exchange.next_chunk():
                pass
        finally:
            exchange.close()

    def through(client: httpx.AsyncClient) -> Once:
        async def once() -> None:
            await client.post(f"{url}/v1/chat/completions", content=BODY)

        return once

    await measure("pool", ours)
    await measure("pool, per streamed chunk", ours_streamed, per=SSE_CHUNKS)
    await pool.aclose()
    async with httpx.AsyncClient(transport=PooledTransport()) as client:
        await measure("httpx over PooledTransport", through(client))
    limits = httpx.Limits(max_connections=256, max_keepalive_connections=256)
    async with httpx.AsyncClient(limits=limits, timeout=30) as client:
        await measure("stock httpx", through(client))


def main() -> None:
    """Start the server, measure, stop it."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        factory = asyncio.SelectorEventLoop if "asyncio" in sys.argv else uvloop.new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(run(port))
        server.terminate()


if __name__ == "__main__":
    main()
