"""HTTP/1.1 for a command that lives for a moment: one connection, one question."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import IO, NamedTuple, TypeVar

from otari_cli.exits import CliError, Exit, Unreachable

T = TypeVar("T")
Response = http.client.HTTPResponse
ANSWER_BYTES_MAX = 64 << 20
LINE_BYTES_MAX = 1 << 20


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("otari", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Connect, or say why there is nothing to talk to."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except PermissionError as error:
            raise CliError(
                f"the admin socket {self._path} is not yours to open",
                hint="ask as root, or join the group that owns it",
                exit_code=Exit.REFUSED,
            ) from error
        except OSError as error:
            raise Unreachable(
                f"no daemon answers at {self._path}",
                hint="start one with `otari serve`, or name its socket with --admin-socket",
            ) from error


class Event(NamedTuple):
    """One server-sent event."""

    id: str
    data: str


def send(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes | None,
) -> Response:
    """Ask; raise `Unreachable` when the other end does not answer in HTTP or in time."""
    try:
        connection.request(method, target, body=body, headers=headers)
        return connection.getresponse()
    except TimeoutError as error:
        raise Unreachable("no answer in time") from error
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable("the connection broke before an answer") from error


def whole(response: Response) -> bytes:
    """Read an answer to its end."""
    try:
        body = response.read(ANSWER_BYTES_MAX + 1)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable("the connection broke within an answer") from error
    if len(body) <= ANSWER_BYTES_MAX and response.length:  # read(n) is silent about a short body
        raise Unreachable("the connection broke within an answer")
    if len(body) > ANSWER_BYTES_MAX:
        raise CliError("the answer is larger than this command takes")
    return body


def until_done(
    connection: http.client.HTTPConnection,
    response: Response,
    reading: Callable[[Response], Iterator[T]],
) -> Iterator[T]:
    """Read a stream with `reading`, and close the connection however that ends."""
    with closing(connection), response:
        yield from reading(response)


def events(response: IO[bytes]) -> Iterator[Event]:
    """Read server-sent events as they come, until the stream ends; raise `Unreachable` when it breaks."""
    last_id, data = "", list[str]()
    while line := _line(response):
        field, _, value = line.rstrip("\r\n").partition(":")
        value = value.removeprefix(" ")
        if field == "id":
            last_id = value
        elif field == "data":
            data.append(value)
        elif not field and not value and data:
            yield Event(last_id, "\n".join(data))
            data.clear()


def _line(response: IO[bytes]) -> str:
    try:
        line = response.readline(LINE_BYTES_MAX)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable("the stream broke") from error
    if len(line) == LINE_BYTES_MAX:
        raise CliError("a line of the stream is longer than this command takes")
    return line.decode("utf-8", "replace")
