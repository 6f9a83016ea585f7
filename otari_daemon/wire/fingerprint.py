"""What tells whether two bodies ask for the same thing."""

from __future__ import annotations

import hashlib

import msgspec

from otari_daemon.wire.dialect import Body


def fingerprint(body: Body) -> bytes:
    """SHA-256 of a decoded body as canonical JSON: members in order, no white space, one spelling."""
    return hashlib.sha256(msgspec.json.encode(body, order="sorted")).digest()
