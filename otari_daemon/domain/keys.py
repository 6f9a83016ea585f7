"""Virtual keys: what a caller presents, and when it may be used."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from dataclasses import dataclass

PREFIX = "gw-"
BODY_CHARS = 58
CHECK_CHARS = 6
RANDOM_BYTES = 44
SHOWN_CHARS = 10

_SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{{BODY_CHARS + CHECK_CHARS}}}")


def mint(entropy: bytes) -> str:
    """Make a token of `gw-` and 64 URL-safe characters, the last six a checksum, from 44 random bytes."""
    if len(entropy) != RANDOM_BYTES:
        raise ValueError(f"a key takes {RANDOM_BYTES} random bytes")
    body = base64.urlsafe_b64encode(entropy).decode()[:BODY_CHARS]
    return PREFIX + body + _checksum(body)


def well_formed(token: str) -> bool:
    """Whether a token has our shape and its checksum agrees: catches a mistyped key without a look-up."""
    if not _SHAPE.fullmatch(token):
        return False
    return _checksum(token[len(PREFIX) : -CHECK_CHARS]) == token[-CHECK_CHARS:]


def _checksum(body: str) -> str:
    crc = zlib.crc32(body.encode()) << 4  # all 32 bits within the first 36 of 40
    return base64.urlsafe_b64encode(crc.to_bytes(5, "big")).decode()[:CHECK_CHARS]


def digest(token: bytes) -> bytes:
    """What is stored instead of a token: its SHA-256. Tokens are random, so no slow hash is needed."""
    return hashlib.sha256(token).digest()


def shown_prefix(token: str) -> str:
    """The leading characters by which people recognize a key."""
    return token[:SHOWN_CHARS]


@dataclass(frozen=True, slots=True)
class VirtualKey:
    """A key as the gateway knows it. Times are epoch milliseconds; `models` None means any."""

    id: str
    digest: bytes
    prefix: str
    name: str
    user_id: str
    created_ms: int
    expires_ms: int | None = None
    revoked_ms: int | None = None
    models: tuple[str, ...] | None = None

    def refusal(self, now_ms: int) -> str | None:
        """Why the key may not be used now, for the operator's eyes; None when it may."""
        if self.revoked_ms is not None:
            return "revoked"
        if self.expires_ms is not None and now_ms >= self.expires_ms:
            return "expired"
        return None

    def may_name(self, model: str) -> bool:
        """Whether the key may use a canonical `provider:model`; `provider:*` and `provider:pre*` match."""
        if self.models is None:
            return True
        return any(_matches(pattern, model) for pattern in self.models)


def _matches(pattern: str, model: str) -> bool:
    if pattern.endswith("*"):
        return model.startswith(pattern[:-1])
    return pattern == model
