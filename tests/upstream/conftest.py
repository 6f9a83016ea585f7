"""A hand-written upstream that does what a script says and logs every request it saw."""

import asyncio
import contextlib
import socket
import struct

import pytest
import uvloop

from otari_daemon.providers.http1 import Origin, Pool
from otari_daemon.providers.upstream import Place

BOUND_S = 5.0  # of any wait in these tests


def pytest_asyncio_loop_factories(config, item):
    """Run every test here on both loops the client must work on."""
    return {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}


class Peer:
    """One connection as the upstream sees it."""

    def __init__(self, server, number, reader, writer):
        self.server, self.number, self.reader, self.writer = server, number, reader, writer

    async def request(self):
        """Read and log one request with a counted or no body; return its head."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.server.log.append((self.number, head.split(b" ", 2)[1].decode()))
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.server.bodies.append(await self.reader.readexactly(length))
        self.server.asked.set()
        return head

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body=b"ok", after=b""):
        """Answer with `body`, and in the same segment what nobody asked for."""
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
        await self.send(head + body + after)

    def reset(self):
        """Close with a TCP reset."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def gone(self):
        """Wait until the client has closed; note when."""
        with contextlib.suppress(ConnectionError):
            await self.reader.read(1)
        self.server.closed_at = asyncio.get_running_loop().time()
        self.server.closed.set()


class Server:
    """Runs `script(peer)` for each connection; a script's own failure fails the test."""

    def __init__(self, script):
        self.script = script
        self.log, self.bodies, self.errors, self.connections = [], [], [], 0
        self.asked, self.closed, self.closed_at = asyncio.Event(), asyncio.Event(), 0.0
        self.go = asyncio.Event()
        self.tasks = set()

    async def handle(self, reader, writer):
        self.connections += 1
        self.tasks.add(asyncio.current_task())
        try:
            await self.script(Peer(self, self.connections, reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except Exception as error:  # noqa: BLE001 - shown by the fixture
            self.errors.append(error)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self.tasks.discard(asyncio.current_task())

    async def stop(self):
        self.listener.close()
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        assert self.errors == []


@pytest.fixture
async def serve():
    """Start a server for a script on loopback, or on `path`, with TLS if given a context."""
    servers = []

    async def start(script, path=None, tls=None):
        server = Server(script)
        if path is None:
            server.listener = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=tls)
            server.port = server.listener.sockets[0].getsockname()[1]
            server.url = f"http{'s' if tls else ''}://127.0.0.1:{server.port}"
        else:
            server.listener = await asyncio.start_unix_server(server.handle, path)
            server.url = f"unix:{path}"
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
async def pool_to():
    """Make pools that are closed, and proven empty, when the test ends."""
    pools = []

    def make(server, limits=None, timeouts=None, tls=None):
        pool = Pool(Origin.parse(server.url)[0], limits, timeouts, tls)
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        await asyncio.wait_for(pool.aclose(), BOUND_S)
        assert pool.stats() == (0, 0, 0)
        assert not pool._sockets
        assert not pool._live
        assert not pool._dials


@pytest.fixture
async def upstream_to():
    """Make upstreams; when the test ends they are closed, and no task of theirs is left."""
    made, before = [], asyncio.all_tasks()

    def make(kind, url, **fields):
        made.append(kind(Place("up", "openai", url, **fields)))
        return made[-1]

    yield make
    for upstream in made:
        await asyncio.wait_for(upstream.aclose(), BOUND_S)
        assert not getattr(upstream, "_live", None)
    ours = [task for task in asyncio.all_tasks() - before if "providers" in str(task.get_coro())]
    assert ours == []


@pytest.fixture
def until():
    """Wait, bounded, for something of ours that has no event of its own."""

    async def wait(condition):
        async with asyncio.timeout(BOUND_S):
            while not condition():  # noqa: ASYNC110 - the subject is plain state
                await asyncio.sleep(0.001)

    return wait


@pytest.fixture
def get():
    """Render a GET for a target."""
    return lambda target="/": f"GET {target} HTTP/1.1\r\nhost: up\r\n\r\n".encode()
