"""A mock in a thread of its own, for clients that block."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any

from otari_daemon.mock import Bill, BillLine, Sources, serve
from tests.mock.mock_raw_client import Raw

NOW_S = 1_700_000_000
WAIT_S = 10.0
PATIENCE_S = 20.0


class SignallingBill(Bill):
    """A bill whose next line can be waited for, from another thread."""

    def __init__(self) -> None:
        super().__init__()
        self._unread = threading.Semaphore(0)

    def append(self, line: BillLine) -> None:
        super().append(line)
        self._unread.release()

    def next_line(self) -> BillLine:
        """The line of the request that ended next; requests are waited for one by one."""
        assert self._unread.acquire(timeout=WAIT_S), "no bill line came"
        return self.lines[-1]


class ThreadedMock:
    """A mock in a thread with the loop of choice, its bill, and raw connections to it."""

    def __init__(self, at: int | Path, patience_s: float = PATIENCE_S) -> None:
        self.bill = SignallingBill()
        self.broken: list[dict[str, Any]] = []  # what the loop caught and nobody else did
        self._at = at
        self._patience_s = patience_s
        self._connections = ExitStack()
        self._ready = threading.Event()

    def start(self, loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._runner = asyncio.Runner(loop_factory=loop_factory)
        self._thread = threading.Thread(target=lambda: self._runner.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(WAIT_S), "the mock did not start"

    def connect(self) -> Raw:
        if isinstance(self._at, Path):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(self._at))
        else:
            port = int(self.address.split(":")[2].split("/")[0])
            sock = socket.create_connection(("127.0.0.1", port))
        return self._connections.enter_context(closing(Raw(sock)))

    def stop(self) -> None:
        self._connections.close()
        self.stop_serving()
        self._runner.close()

    def stop_serving(self) -> None:
        """Close the server; twice is as good as once."""
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive(), "the mock did not stop"
        assert not self.broken, self.broken

    async def _serve(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: self.broken.append(told))
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        sources = Sources(lambda: NOW_S, time.monotonic_ns, count(1))
        server = await serve(
            self._at, bill=self.bill, sources=sources, patience_s=self._patience_s, shows_bill=True
        )
        self.address = server.address
        self._ready.set()
        await self._stop.wait()
        await server.close()
