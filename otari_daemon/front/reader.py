"""The one object that knows whether a request's client is still there."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple

SCOPE_KEY = "otari.reader"
MAX_CALLBACKS = 8

_UCRED = struct.Struct("3i")

_log = logging.getLogger("otari.front")


class Peer(NamedTuple):
    """The process at the other end of a unix socket, as the kernel vouches for it."""

    pid: int
    uid: int
    gid: int


def peer_of(transport: asyncio.BaseTransport) -> Peer | None:
    """Return the peer of a unix socket by SO_PEERCRED: who connected, at the time it did."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family != socket.AF_UNIX:
        return None
    return Peer(*_UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)))


class Reader:
    """Who reads the answer to one request: gone once, and never back.

    `gone` turns true when the client closes, half-closes or resets while its request is not complete, or
    when the front gives it up at a deadline. `peer` is None unless the socket is a unix socket.
    """

    __slots__ = ("_callbacks", "gone", "peer")

    def __init__(self, peer: Peer | None = None) -> None:
        self.gone = False
        self.peer = peer
        self._callbacks: list[Callable[[], None]] = []

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Run `callback`, synchronously, when the client goes; at once if it has gone already."""
        if self.gone:
            _run(callback)
            return
        if len(self._callbacks) >= MAX_CALLBACKS:
            raise RuntimeError(f"a reader takes {MAX_CALLBACKS} callbacks; forget those that are done")
        self._callbacks.append(callback)

    def forget(self, callback: Callable[[], None]) -> None:
        """Drop `callback`; one that is not there, or has run, is no error."""
        if callback in self._callbacks:
            self._callbacks.remove(callback)

    def leave(self) -> None:
        """Mark the client gone and run the callbacks in order; only the front calls this."""
        self.gone = True
        while self._callbacks:
            _run(self._callbacks.pop(0))


def _run(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:  # noqa: BLE001  one callback's fault must not keep the others from running
        _log.exception("a callback for a reader that left failed")
