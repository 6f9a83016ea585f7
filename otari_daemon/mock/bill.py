"""What the mock, as the provider, would charge: one line per request, and the prices.

It is the other side's truth. The daemon's books are checked against it, so nothing here asks the
daemon anything.
"""

from collections import deque
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

BILL_LINES_KEPT = 100_000
PICO_PER_NANO = 1_000

End = Literal["finished", "client_left", "fault"]


CHAT = "/v1/chat/completions"


class Prices(NamedTuple):
    """Pico-USD per token."""

    input: int
    cached_input: int
    output: int


def prices_pico() -> Prices:
    """What every model of the mock costs: 1, 0.25 and 2 USD per million tokens."""
    return Prices(input=1_000_000, cached_input=250_000, output=2_000_000)


UNIT_PICO = {
    "/v1/moderations": 100_000_000,  # a request: 0.0001 USD
    "/v1/rerank": 2_000_000_000,  # a search: 0.002 USD
    "/v1/images/generations": 40_000_000_000,  # an image: 0.04 USD
    "/v1/images/edits": 40_000_000_000,
    "/v1/audio/transcriptions": 100_000_000,  # a second: 0.0001 USD
    "/v1/audio/translations": 100_000_000,
    "/v1/audio/speech": 15_000_000,  # a character: 15 USD per million
}
"""Pico-USD per unit, at the endpoints that count something other than tokens."""


class BillLine(msgspec.Struct, frozen=True, gc=False):
    """One request as the provider saw it, written when its answer ended.

    Tokens are those really processed: none for a request refused by status, and for a cut stream
    only those generated before the cut. Times are nanoseconds of the server's monotonic clock;
    `client_left_ns` is when it noticed that the client had gone. `units` are those of `UNIT_PICO`; a
    line has units or tokens, never both.
    """

    request: int
    connection: int
    model: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    streamed: bool
    ended: End
    request_id: str
    otari_request_id: str
    began_ns: int
    first_byte_ns: int | None
    ended_ns: int
    client_left_ns: int | None
    endpoint: str = CHAT
    units: int = 0


def charge_nano(line: BillLine) -> int:
    """The price of one line in nano-USD, rounded up once."""
    prices = prices_pico()
    pico = (
        (line.prompt_tokens - line.cached_tokens) * prices.input
        + line.cached_tokens * prices.cached_input
        + line.completion_tokens * prices.output
        + line.units * UNIT_PICO.get(line.endpoint, 0)
    )
    return -(-pico // PICO_PER_NANO)


class Bill:
    """The lines so far: the newest in memory, and all of them in a JSONL file if one is named.

    A line goes to the file in a single unbuffered append, so those written stay whole whatever
    kills the process.
    """

    def __init__(self, path: Path | None = None, kept: int = BILL_LINES_KEPT) -> None:
        self.lines: deque[BillLine] = deque(maxlen=kept)
        self._file = None if path is None else path.open("ab", buffering=0)
        self._encoder = msgspec.json.Encoder()

    def append(self, line: BillLine) -> None:
        """Record `line`; OSError when the file cannot take it."""
        self.lines.append(line)
        if self._file is not None:
            self._file.write(self._encoder.encode(line) + b"\n")

    def to_json(self) -> bytes:
        """The lines kept, oldest first: `{"lines": [...]}`."""
        return self._encoder.encode({"lines": list(self.lines)})

    def close(self) -> None:
        """Close the file; the lines in memory stay."""
        if self._file is not None:
            self._file.close()
