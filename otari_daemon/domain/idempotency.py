"""Idempotency keys: a client's names for its requests, and what a second request of a name may be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Reason
from otari_daemon.domain.usage import Usage

NAME_CHARS_MAX = 255
RETENTION_MS = 24 * 3600 * 1000
ANSWER_BYTES_MAX = 1 << 20
"""Longer answers are not kept for a replay."""

NAMES_PER_KEY_MAX = 10_000
ANSWER_BYTES_PER_KEY_MAX = 256 << 20
"""Kept for one virtual key in all; beyond, its answers are not kept."""


class Scoped(NamedTuple):
    """A client's `Idempotency-Key` where it means something: under one virtual key, on one route."""

    key_id: str
    endpoint: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """One request's right to a name, until its end is on disk. `room_bytes` are left for its answer."""

    scoped: Scoped
    fingerprint: bytes
    room_bytes: int = 0


class Named(NamedTuple):
    """Journal: a hold was opened under a name."""

    scoped: Scoped
    fingerprint: bytes
    rid: bytes
    at_ms: int


class Unnamed(NamedTuple):
    """Journal: the hold of a name was voided, so the name is free again."""

    scoped: Scoped
    rid: bytes


class Kept(NamedTuple):
    """A whole answer of status 200, kept to be given again."""

    body: bytes
    content_type: bytes
    provider: str


class Completed(NamedTuple):
    """How a finished request ended; `status` is what its client was answered, 0 for nobody."""

    request_id: str
    reason: Reason
    status: int
    usage: Usage
    amount: Nano
