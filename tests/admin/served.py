"""An ASGI application on a unix socket, as the daemon serves it, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from otari_daemon.front.limits import FrontLimits
from otari_daemon.front.protocol import protocol_class

START_S = 10.0


class Served:
    """A running server: where it is, and its loop."""

    def __init__(self, path: str, loop: asyncio.AbstractEventLoop) -> None:
        self.path = path
        self._loop = loop

    def call(self, function: Callable[..., object], *args: object) -> None:
        """Run a function in the server's loop, and wait for it."""

        async def called() -> None:
            function(*args)

        asyncio.run_coroutine_threadsafe(called(), self._loop).result(START_S)


@contextmanager
def serve(build: Callable[[], Any], *, strict: bool = True) -> Iterator[Served]:
    """Serve what `build` makes until the block ends; `strict` uses otari's front, which knows the peer."""
    with tempfile.TemporaryDirectory(prefix="otari") as folder:
        path = str(Path(folder) / "admin.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        started, holder = threading.Event(), dict[str, Any]()
        thread = threading.Thread(target=_run, args=(build, listener, strict, started, holder))
        thread.start()
        try:
            assert started.wait(START_S), "the server did not start"
            yield Served(path, holder["loop"])
        finally:
            holder["loop"].call_soon_threadsafe(setattr, holder["server"], "should_exit", True)
            thread.join(START_S)
            assert not thread.is_alive(), "the server did not stop"


def _run(
    build: Callable[[], Any],
    listener: socket.socket,
    strict: bool,
    started: threading.Event,
    holder: dict[str, Any],
) -> None:
    async def main() -> None:
        protocol: Any = protocol_class(FrontLimits()) if strict else "httptools"
        config = uvicorn.Config(
            build(), http=protocol, lifespan="off", log_config=None, timeout_graceful_shutdown=1
        )
        server = holder["server"] = _Server(config, started)
        holder["loop"] = asyncio.get_running_loop()
        await server.serve([listener])

    asyncio.run(main())


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._told = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._told.set()


Handler = Callable[..., Awaitable[None]]
