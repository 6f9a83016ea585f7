"""A line to PostgreSQL that can be told to break at the next commit, or at the answer to it."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from enum import Enum
from pathlib import Path
from types import TracebackType

SOCKET = ".s.PGSQL.5432"
CHUNK_BYTES = 1 << 16
COMMIT = b"COMMIT\0"


class Break(Enum):
    """Where the line breaks."""

    COMMIT_LOST = "before the commit arrives"
    ANSWER_LOST = "before its answer arrives"


class Line:
    """A socket in a directory of its own, whose connections go on to a server's directory."""

    def __init__(self, server: Path) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="otari-line-", dir="/tmp"))
        self._server = str(server / SOCKET)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.place / SOCKET))
        self._listener.listen()
        self._next: Break | None = None
        self.broken = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        (self.place / SOCKET).unlink()
        self.place.rmdir()

    def break_at_commit(self, where: Break) -> None:
        """Break the connection that commits next."""
        self._next = where

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:  # until the listener is closed
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                muted = threading.Event()
                threading.Thread(target=self._ask, args=(client, server, muted), daemon=True).start()
                threading.Thread(target=self._answer, args=(client, server, muted), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, muted: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while chunk := client.recv(CHUNK_BYTES):
                if self._next is not None and COMMIT in chunk:
                    where, self._next = self._next, None
                    self.broken += 1
                    if where is Break.COMMIT_LOST:
                        break
                    muted.set()
                server.sendall(chunk)
        _end(client, server, muted)

    def _answer(self, client: socket.socket, server: socket.socket, muted: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while chunk := server.recv(CHUNK_BYTES):
                if muted.is_set():
                    muted.clear()
                    break
                client.sendall(chunk)
        _end(client, server, muted)


def _end(client: socket.socket, server: socket.socket, muted: threading.Event) -> None:
    """Break both sides; a commit on its way is answered first, and the answer swallowed."""
    if muted.is_set():
        return
    for side in (client, server):
        with contextlib.suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
        side.close()
