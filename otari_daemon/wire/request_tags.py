"""Where a request's tags come from: its `user` and `metadata`, and the `Otari-Tags` header on top."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.intent import Intent
from otari_daemon.domain.tags import TAGS_MAX, TagError, join_tags, parse_tags, usable

HEADER = b"otari-tags"
HEADER_BYTES_MAX = 4096


def tags_header(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The header's value; None without it. Given several times, it is one list."""
    found: bytes | None = None
    for name, value in headers:
        if name == HEADER:
            found = value if found is None else found + b"," + value
    return found


def body_tags(body: dict[str, Any]) -> dict[str, str]:
    """Tags from a body that is also the provider's: what cannot be a tag is passed on and not kept."""
    metadata, user = body.get("metadata"), body.get("user")
    tags: dict[str, str] = {}
    if isinstance(user, str) and usable("user", user):
        tags["user"] = user
    if isinstance(metadata, dict):
        for name, value in metadata.items():
            if len(tags) < TAGS_MAX and isinstance(value, str) and usable(name, value):
                tags[name] = value
    return tags


def with_tags(intent: Intent, body: dict[str, Any], header: bytes | None) -> Intent:
    """A request with the tags of its body, and of its header, which win over them. Raises InvalidRequest."""
    tags = body_tags(body)
    return intent._replace(tags=join_tags(tags if header is None else tags | _header_tags(tags, header)))


def _header_tags(others: dict[str, str], header: bytes) -> dict[str, str]:
    try:
        if len(header) > HEADER_BYTES_MAX:
            raise TagError(f"tags may take at most {HEADER_BYTES_MAX} bytes")
        tags = parse_tags(header.decode())
        if len(others | tags) > TAGS_MAX:
            raise TagError(f"a request carries at most {TAGS_MAX} tags, those of its body counted")
    except (TagError, UnicodeDecodeError) as error:
        why = str(error) if isinstance(error, TagError) else "the header is not UTF-8"
        raise InvalidRequest(f"Otari-Tags: {why}", param="otari-tags") from error
    return tags
