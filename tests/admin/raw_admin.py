"""A bare HTTP client for the admin socket, that sends whatever a test wants sent."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any, NamedTuple

from tests.admin.served import Served

TIMEOUT_S = 10.0


class Reply(NamedTuple):
    """What came back; `json` is None for an empty body."""

    status: int
    headers: http.client.HTTPMessage
    json: Any


class Admin:
    """Asks the served socket."""

    def __init__(self, served: Served) -> None:
        self.served = served

    def ask(
        self,
        method: str,
        target: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        *,
        raw: bytes | None = None,
    ) -> Reply:
        """Send JSON, or `raw` bytes; `headers` go on top of those a client of ours sends."""
        connection = self.connect()
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        sent = {"Host": "otari"} | ({"Content-Type": "application/json"} if data is not None else {})
        connection.request(method, target, data, sent | (headers or {}))
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return Reply(response.status, response.headers, json.loads(text) if text else None)

    def connect(self) -> http.client.HTTPConnection:
        """A connection to the socket."""
        connection = http.client.HTTPConnection("otari", timeout=TIMEOUT_S)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(TIMEOUT_S)
        connection.sock.connect(self.served.path)
        return connection
