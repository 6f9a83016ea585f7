"""One daemon, one provider with a bill of its own, and clients that each have a key for themselves.

What is `fair`: every request is charged at least its bill less 1 %, at most its bill and 5 %, and never above
its hold. Where the provider's word is missing, ours counts four bytes to a token, so these tests speak in
three-letter words.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from pathlib import Path
from typing import Any, NamedTuple

from otari_daemon.mock.bill import BillLine, charge_nano
from tests.e2e.machine import PRICING, Machine, nano
from tests.e2e.pieces import PER_PIECE

BILLED_S = 5.0
ANSWER_S = 60.0
INPUT_NANO, OUTPUT_NANO = 1_000, 2_000
"""What a token costs at `up`, and at the mock itself."""

DEARER = 10
CHAT = "/v1/chat/completions"
LIMITS = {"max_in_flight_per_key": 400, "max_in_flight_per_provider": 400}


class Answer(NamedTuple):
    """What the client got; status 0 when it left before any answer."""

    status: int
    request_id: str
    body: bytes

    @property
    def code(self) -> str:
        """The error's code."""
        return str(json.loads(self.body)["error"]["code"])


class Bypass(Machine):
    """The mock as `up`, dearer as `dear`, nearly free as `tiny`, without a price as `bare`; and `long`."""

    def __init__(self, long_url: str) -> None:
        self._long_url = long_url
        super().__init__(limits=LIMITS)

    def _configure(self, config: dict[str, Any]) -> Path:
        place = {"type": "openai", "api_base": self.mock_url}
        providers: dict[str, Any] = {
            **{name: place for name in ("up", "dear", "tiny", "bare")},
            "long": {"type": "gemini", "api_base": self._long_url, "api_key": "long"},
        }
        dear = {name: rate * DEARER for name, rate in PRICING.items()}
        tiny = {"input_price_per_million": "0.000001", "output_price_per_million": "0.000001"}
        pricing: dict[str, Any] = {"up:*": PRICING, "dear:*": dear, "tiny:*": tiny}
        free = {"input_price_per_million": 0, "output_price_per_million": 0}
        for name, price in PER_PIECE.items():
            pricing[f"{name}:*"] = {**free, **price}
            providers[name] = {**place, "type": "vllm"} if name == "search" else place
        aliases = {"cheap": "dear:echo", "unpriced": "bare:echo"}
        return super()._configure({**config, "providers": providers, "pricing": pricing, "aliases": aliases})


class Client:
    """A caller with a key and a budget nobody else draws on."""

    def __init__(self, machine: Machine, name: str, **fields: Any) -> None:
        self.machine = machine
        made = machine.ask("POST", "/v1/keys", {"key_name": name, "budget": "1000", **fields})
        self.key, self.key_id = made["key"], made["id"]

    def ask(self, model: str, text: str = "hello", path: str = CHAT, **fields: Any) -> Answer:
        """One request, its answer read whole. `fields` join the body."""
        return self.post(json.dumps(chat(model, text, **fields)).encode(), path=path)

    def post(self, body: bytes, headers: dict[str, str] | None = None, path: str = CHAT) -> Answer:
        """A body as it is."""
        connection = self.send(body, headers, path)
        try:
            return read(connection)
        finally:
            connection.close()

    def send(
        self, body: bytes, headers: dict[str, str] | None = None, path: str = CHAT
    ) -> http.client.HTTPConnection:
        """Ask, and leave the answer to the caller, who closes the connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.machine.port, timeout=ANSWER_S)
        own = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        connection.request("POST", path, body, {**own, **(headers or {})})
        return connection

    def leave(self, body: bytes, after: bytes, times: int) -> None:
        """Ask for a stream, read until `after` has come so many times, and hang up."""
        connection = self.send(body)
        try:
            answer = connection.getresponse()
            assert answer.status == 200
            while times:
                line = answer.readline()
                assert line, "the stream ended first"
                times -= after in line
        finally:
            cut(connection)

    def rows(self) -> list[Any]:
        """This key's settled rows, newest first."""
        self.machine.quiet()
        return [row for row in self.machine.usage() if row["api_key_id"] == self.key_id]

    def spent(self) -> int:
        """What all requests of this key were charged, in nano-USD."""
        return sum(nano(row) for row in self.rows())

    def billed(self) -> dict[str, BillLine]:
        """The provider's line of each of this key's requests, once it has written all it owes."""
        wanted = {row["request_id"] for row in self.rows()}
        deadline = time.monotonic() + BILLED_S
        while True:
            lines = [line for line in self.machine.bill() if line.request_id in wanted]
            assert len(lines) == len({line.request_id for line in lines}), "a request was sent twice"
            if len(lines) == len(wanted):
                return {line.request_id: line for line in lines}
            assert time.monotonic() < deadline, "the provider knows nothing of some requests"
            time.sleep(0.02)

    def fair(self, requests: int, dearer: int = 1) -> list[Any]:
        """Judge every one of this key's `requests` against its bill; give the rows, newest first."""
        lines, rows = self.billed(), self.rows()
        assert len(rows) == requests
        for row in rows:
            bill, cost, held = charge_nano(lines[row["request_id"]]) * dearer, nano(row), held_of(row)
            assert bill * 99 <= cost * 100 <= bill * 105, (row, bill)
            assert cost <= held, (row, held)
        return rows


def chat(model: str, text: str, **fields: Any) -> dict[str, Any]:
    """A chat request of one message."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **fields}


def words(tokens: int) -> str:
    """Text of that many tokens, four bytes each but for the first."""
    return " ".join(["abc"] * tokens)


def held_of(row: Any) -> int:
    """What was held for a request, in nano-USD."""
    return nano({"cost_usd": row["held_usd"]})


def read(connection: http.client.HTTPConnection) -> Answer:
    """The whole answer on a connection."""
    answer = connection.getresponse()
    return Answer(answer.status, answer.headers["X-Request-ID"], answer.read())


def cut(connection: http.client.HTTPConnection) -> None:
    """Hang up, whatever is still under way."""
    if connection.sock is not None:
        connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()


def refused_unbilled(client: Client, body: bytes, status: int, code: str = "", path: str = CHAT) -> None:
    """A request is turned away, costs nothing, and never reaches the provider."""
    before = len(client.machine.bill())
    answer = client.post(body, path=path)
    assert answer.status == status, answer
    assert code in ("", answer.code)
    assert (client.rows(), len(client.machine.bill())) == ([], before)
