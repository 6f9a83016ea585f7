"""What is written about a request: the facts when its hold opens, the outcome when it closes."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from otari_daemon.domain.money import Nano
from otari_daemon.domain.pricing import Price
from otari_daemon.domain.usage import NOTHING, Usage

REQUEST_ID_PREFIX = "req_"


def request_id_of(rid: bytes) -> str:
    """How a hold's id is written for people and in headers."""
    return REQUEST_ID_PREFIX + rid.hex()


def rid_of(request_id: str) -> bytes:
    """The hold's id in a request id of ours."""
    return bytes.fromhex(request_id[len(REQUEST_ID_PREFIX) :])


def named_s(request_id: str) -> int:
    """When a request id of ours was made, in seconds since 1970: its first six bytes are milliseconds."""
    return int.from_bytes(rid_of(request_id)[:6], "big") // 1000


class Reason(IntEnum):
    """Why a hold closed with the amount it did. The numbers are stored; never reuse one."""

    USAGE = 1  # the provider said what was used, and it made sense
    ESTIMATED = 2  # a whole answer without usage: our own count
    USAGE_INVALID = 3  # usage that cannot be true: our own count
    CLIENT_CUT = 4  # the client left
    UPSTREAM_CUT = 5  # the provider broke off or fell silent in the middle
    REFUSED = 6  # the provider said no before any token
    UNSENT = 7  # the provider was provably never asked
    AMBIGUOUS = 8  # asked, and not one byte came back
    CRASH = 9  # this daemon died; closed by the next one
    WITHHELD = 10  # the provider answered, but the hold was not on disk in time, so nothing was passed on


class Instead(NamedTuple):
    """Why a request runs with `model` though it `asked` for another: a budget had no room."""

    asked: str
    model: str
    budget_id: str
    budget: str


class Facts(NamedTuple):
    """What is known when a request is admitted. Times are epoch milliseconds.

    Its hold covers `input_max` and `output_max` tokens at the dearest rates it can meet. `service` is the
    provider's service tier it asks for.
    """

    key_id: str
    user_id: str
    created_ms: int
    endpoint: str
    model: str
    provider: str
    stream: bool
    price: Price
    prompt_presumed: int
    input_max: int = 0
    output_max: int = 0
    instead: Instead | None = None
    service: str | None = None
    tags: str = ""


class Outcome(NamedTuple):
    """What had happened when a request ended. `status` is what the client was answered; 0 for nobody.

    `tier` is the price it was charged at where that is not the one presumed from its facts; `provider_ref`
    is what the provider calls the request, if it said.
    """

    reason: Reason
    settled_ms: int
    usage: Usage = NOTHING
    status: int = 0
    first_byte_us: int = 0
    duration_us: int = 0
    tier: Price | None = None
    provider_ref: str = ""


class Progress(NamedTuple):
    """Journal: output tokens seen so far of a live stream, kept so that a crash charges for them."""

    rid: bytes
    output_tokens: int


class RecoveredHold(NamedTuple):
    """A hold whose owner died, as the next owner closed it."""

    rid: bytes
    held: Nano
    posted: Nano
