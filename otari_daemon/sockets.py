"""The sockets we listen on, bound by ourselves so that their modes are ours."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

BACKLOG = 2048
PATH_BYTES_MAX = 107
"""What the kernel allows for the path of a unix socket."""


class CannotListen(Exception):
    """A socket cannot be bound; the message is one line for the operator."""


def bind_public(host: str, port: int) -> socket.socket:
    """Listen on a TCP address; port 0 takes a free one."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = (
            os.strerror(error.errno).lower()
            if isinstance(error.errno, int) and error.errno > 0
            else "unknown"
        )
        raise CannotListen(f"cannot listen on {host} port {port}: {reason}") from None


def bind_admin(path: Path) -> socket.socket:
    """Listen on a unix socket of mode 0660, in a directory of mode 0750 that is made if missing.

    A socket left by a daemon that died is replaced; one that answers, or that is not ours, is refused.
    """
    if len(os.fsencode(path)) > PATH_BYTES_MAX:
        raise CannotListen(f"the admin socket's path is longer than {PATH_BYTES_MAX} bytes; set admin_socket")
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        _clear(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o117)
        try:
            listener.bind(os.fspath(path))
        finally:
            os.umask(before)
        listener.listen(BACKLOG)
    except OSError as error:
        raise CannotListen(f"cannot bind the admin socket: {os.strerror(error.errno or 0).lower()}") from None
    return listener


def _clear(path: Path) -> None:
    """Remove a dead socket of ours; refuse anything else that is in the way."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
        raise CannotListen("something that is not our socket stands where the admin socket should be")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise CannotListen("another daemon answers on the admin socket; stop it, or set admin_socket")
