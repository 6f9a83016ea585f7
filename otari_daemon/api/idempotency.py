"""Taking the `Idempotency-Key` a request presents."""

from __future__ import annotations

import re
from collections.abc import Iterable

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.idempotency import NAME_CHARS_MAX

_VISIBLE = re.compile(rb"[!-~]+")


def idempotency_key(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The client's own name for its request; None without one.

    Raises InvalidRequest for more than one, and for one that is not 1 to 255 visible ASCII characters.
    """
    found: bytes | None = None
    for name, value in headers:
        if name == b"idempotency-key":
            if found is not None:
                raise InvalidRequest("the request has several Idempotency-Key headers; send one")
            found = value
    if found is None:
        return None
    if len(found) > NAME_CHARS_MAX or not _VISIBLE.fullmatch(found):
        raise InvalidRequest(
            f"the Idempotency-Key header must have 1 to {NAME_CHARS_MAX} visible ASCII characters"
        )
    return found.decode()
