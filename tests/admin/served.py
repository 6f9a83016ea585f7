"""An ASGI application on a unix socket, as the daemon serves it, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from otari_daemon.front.limits import FrontLimits
from otari_daemon.front.protocol import protocol_class

PATIENCE_S = 10.0


class Served:
    """A running server: where it is, its loop, and the application it serves now."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.app: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._started = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)

    def call(self, function: Callable[..., object], *args: object) -> None:
        """Run a function in the server's loop, and wait for it."""

        async def called() -> None:
            function(*args)

        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(called(), self._loop).result(PATIENCE_S)

    def run(self, listener: socket.socket, protocol: Any) -> None:
        """Serve in this thread until `stop`."""

        async def main() -> None:
            config = uvicorn.Config(
                self, http=protocol, lifespan="off", log_config=None, timeout_graceful_shutdown=1
            )
            self._server = _Server(config, self._started)
            self._loop = asyncio.get_running_loop()
            await self._server.serve([listener])

        asyncio.run(main())

    def wait(self) -> None:
        """Return once it takes connections."""
        assert self._started.wait(PATIENCE_S), "the server did not start"

    def stop(self) -> None:
        """Ask the thread to end."""
        if self._server is not None:
            self._server.should_exit = True


@contextmanager
def serve(protocol: Any = None, family: int = socket.AF_UNIX) -> Iterator[Served]:
    """Serve `served.app` until the block ends, behind otari's front unless another protocol is named."""
    with tempfile.TemporaryDirectory(prefix="otari") as folder, socket.socket(family) as listener:
        served = Served(str(Path(folder) / "admin.sock"))
        listener.bind(served.path if family == socket.AF_UNIX else ("127.0.0.1", 0))
        if family != socket.AF_UNIX:
            served.path = "{}:{}".format(*listener.getsockname())
        front = protocol or protocol_class(FrontLimits())
        thread = threading.Thread(target=served.run, args=(listener, front))
        thread.start()
        try:
            served.wait()
            yield served
        finally:
            served.stop()
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "the server did not stop"


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._told = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._told.set()
