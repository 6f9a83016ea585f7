"""Opening a connection: names, addresses in turn, TLS; with the failure named by its phase."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeVar

from otari_daemon.providers.http1.connection import Connection
from otari_daemon.providers.http1.errors import FailureKind, UpstreamError
from otari_daemon.providers.http1.origin import Origin

MAX_ADDRESSES = 4

T = TypeVar("T")


async def dial(
    origin: Origin, tls: ssl.SSLContext | None, connect_s: float, make: Callable[[], Connection]
) -> Connection:
    """Return an open connection, with TLS if a context is given.

    Every address but the last gets an equal share of `connect_s`, so that a dead one does not
    use it all up; bounding the whole is the caller's part. Raises UpstreamError. Cancelled, it
    leaves no socket behind.
    """
    loop = asyncio.get_running_loop()
    if origin.socket_path is not None:
        connection = await _reach_unix(loop, origin.socket_path, make())
    else:
        connection = await _reach(loop, await _addresses(loop, origin), connect_s, make)
    if tls is not None:
        await _secure(loop, connection, tls, origin.host)
    if not connection.alive:  # accepted, and closed again before we had a word
        raise _unreachable()
    return connection


async def _clean(connection: Connection, opening: Awaitable[T]) -> T:
    """Await a step of opening; if it fails or is cancelled, the socket is closed at once.

    The loops close it too, but not all of them without a farewell, nor by telling `connection`.
    """
    try:
        return await opening
    except BaseException:
        connection.discard()
        raise


async def _addresses(loop: asyncio.AbstractEventLoop, origin: Origin) -> list[tuple[str, int]]:
    try:
        ipaddress.ip_address(origin.host)
    except ValueError:
        pass
    else:
        return [(origin.host, origin.port)]
    try:
        found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UpstreamError(FailureKind.DNS, "the upstream's name does not resolve") from None
    return [(str(entry[4][0]), int(entry[4][1])) for entry in found[:MAX_ADDRESSES]]


async def _reach(
    loop: asyncio.AbstractEventLoop,
    addresses: list[tuple[str, int]],
    connect_s: float,
    make: Callable[[], Connection],
) -> Connection:
    share_s = connect_s / max(1, len(addresses))
    for place, address in enumerate(addresses, start=1):
        try:
            async with asyncio.timeout(share_s if place < len(addresses) else None):
                return await _reach_one(loop, address, make())
        except OSError:  # TimeoutError is one
            continue
    raise _unreachable()


async def _reach_one(
    loop: asyncio.AbstractEventLoop, address: tuple[str, int], connection: Connection
) -> Connection:
    await _clean(connection, loop.create_connection(lambda: connection, *address))
    return connection


async def _reach_unix(loop: asyncio.AbstractEventLoop, path: str, connection: Connection) -> Connection:
    try:
        await _clean(connection, loop.create_unix_connection(lambda: connection, path))
    except OSError:
        raise _unreachable() from None
    return connection


async def _secure(
    loop: asyncio.AbstractEventLoop, connection: Connection, tls: ssl.SSLContext, host: str
) -> None:
    """Shake hands over an open connection."""
    handshake = loop.start_tls(connection.transport, connection, tls, server_hostname=host)
    try:
        transport = await _clean(connection, handshake)
    except OSError:  # SSLError is one
        raise UpstreamError(FailureKind.TLS, "no TLS with the upstream") from None
    assert transport is not None
    connection.adopt(transport)


def _unreachable() -> UpstreamError:
    return UpstreamError(FailureKind.CONNECT, "the upstream does not accept connections")
