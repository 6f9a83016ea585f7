"""The public edge, as `otari chat` speaks to it: OpenAI's chat completions, streamed."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from otari_cli import wire
from otari_cli.exits import AdminError, CliError, Exit, Unreachable

SILENCE_S = 600.0
"""A model that thinks for longer than this without a word is given up."""

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}  # noqa: S104 - read, not bound


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer under way: its request id, and its text piece by piece."""

    request_id: str | None
    pieces: Iterator[str]


class Talker:
    """Asks a model at the daemon's public address with a virtual key."""

    def __init__(self, listen: str, key: str) -> None:
        host, _, port = listen.removeprefix("http://").rstrip("/").rpartition(":")
        self._host = _ANYWHERE.get(host, host).strip("[]")
        self._port = int(port)
        self._key = key

    def ask(self, model: str, messages: list[dict[str, str]]) -> Answer:
        """Send a conversation; raise `Unreachable`, or `AdminError` for what the gateway refuses."""
        body = {"model": model, "messages": messages, "stream": True}
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(self._host, self._port, timeout=SILENCE_S)
        try:
            connection.connect()
        except OSError as error:
            raise Unreachable(f"nothing listens at {self._host}:{self._port}") from error
        response = wire.send(connection, "POST", "/v1/chat/completions", headers, json.dumps(body).encode())
        if response.status != 200:
            with closing(connection), response:
                raise _refusal(response.status, wire.whole(response))
        return Answer(response.headers.get("X-Request-ID"), wire.until_done(connection, response, _pieces))


def _pieces(response: wire.Response) -> Iterator[str]:
    """The text of an answer as it comes; a stream that ends before it is done is a partial answer."""
    for event in wire.events(response):
        if event.data == "[DONE]":
            return
        chunk = _object(event.data)
        if "error" in chunk:
            raise CliError(_told(chunk) or "the answer broke off", exit_code=Exit.PARTIAL)
        for choice in chunk.get("choices") or ():
            text = (choice.get("delta") or {}).get("content")
            if text:
                yield text
    raise CliError("the answer broke off", exit_code=Exit.PARTIAL)


def _refusal(status: int, answered: bytes) -> AdminError:
    told = _object(answered)
    error = told.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    message = _told(told) or f"the gateway answered {status}"
    return AdminError(str(code or f"http_{status}"), message, status=status)


def _told(answered: dict[str, Any]) -> str | None:
    error = answered.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else None


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
