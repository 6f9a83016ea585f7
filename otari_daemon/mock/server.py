"""The mock provider as a server, on a unix socket or a port of this machine."""

import asyncio
import socket
import time
from itertools import count
from pathlib import Path

from otari_daemon.mock.bill import Bill
from otari_daemon.mock.connection import Connection
from otari_daemon.mock.exchange import Sources
from otari_daemon.mock.service import Mock

PATIENCE_S = 300.0
BACKLOG = 1_024
HOST = "127.0.0.1"


def system_sources() -> Sources:
    """The machine's clocks, and numbers from one."""
    return Sources(time.time, time.monotonic_ns, count(1))


class MockServer:
    """A mock being served, until `close`; `address` is `http://127.0.0.1:PORT/v1` or `unix:PATH`."""

    def __init__(self, bill: Bill, mock: Mock, patience_s: float) -> None:
        self.bill = bill
        self.address = ""
        self._mock = mock
        self._patience_s = patience_s
        self._numbers = count(1)
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._path: Path | None = None

    async def listen(self, at: int | Path) -> None:
        """Accept connections at a port (0 picks one) or a socket path, which only we may open."""
        loop = asyncio.get_running_loop()
        if isinstance(at, int):
            self._server = await loop.create_server(self._connect, HOST, at, backlog=BACKLOG)
            self.address = f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}/v1"
            return
        self._server = await loop.create_unix_server(self._connect, sock=_bound(at), backlog=BACKLOG)
        self._path = at
        self.address = f"unix:{at}"

    async def close(self) -> None:
        """Stop listening, break off what is being answered, and remove the socket."""
        assert self._server is not None, "it was never listening"
        self._server.close()
        await asyncio.gather(*[connection.stop() for connection in self._connections])
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _connect(self) -> Connection:
        connection = Connection(
            self._mock.handle, self._connections.discard, next(self._numbers), self._patience_s
        )
        self._connections.add(connection)
        return connection


def _bound(path: Path) -> socket.socket:
    """A socket at `path` that only we may open, in place of one left by a process that died."""
    if path.is_socket():
        path.unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
        path.chmod(0o600)
    except OSError:
        sock.close()
        raise
    return sock


async def serve(
    at: int | Path,
    *,
    bill: Bill | None = None,
    shows_bill: bool = False,
    sources: Sources | None = None,
    patience_s: float = PATIENCE_S,
) -> MockServer:
    """Serve the mock in this event loop at a port or a socket path; OSError if that is taken.

    No answer lasts longer than `patience_s`. The bill stays the caller's to close.
    """
    kept = bill or Bill()
    mock = Mock(kept, sources or system_sources(), shows_bill=shows_bill)
    server = MockServer(kept, mock, patience_s)
    await server.listen(at)
    return server
