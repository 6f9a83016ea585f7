"""What dialects share that take forms: a body is the form's description, its fields all texts."""

from __future__ import annotations

from typing import Protocol

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.wire.dialect import Body, Dialect

MIB = 1 << 20


class UploadDialect(Dialect, Protocol):
    """A dialect whose requests carry files, together of at most `files_bytes_max` bytes."""

    files_bytes_max: int


def files_of(body: Body, *names: str) -> list[int]:
    """Sizes of the files under any of `names`, in bytes; at least one."""
    sizes = [size for name, size in body.get("files", ()) if name in names]
    if not sizes or not all(sizes):
        raise InvalidRequest(f"the form has no file {names[0]!r}, or an empty one", param=names[0])
    return sizes


def number(body: Body, name: str, most: int) -> int:
    """A field that is a whole number from 1; 1 where it is not there."""
    text = body.get(name, "1")
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise InvalidRequest(f"{name} must be a whole number from 1 to {most}", param=name)
    return int(text)


def truth(body: Body, name: str) -> bool:
    """A field that is true or false; false where it is not there."""
    text = body.get(name, "false").lower()
    if text not in ("true", "false", "1", "0"):
        raise InvalidRequest(f"{name} must be true or false", param=name)
    return text in ("true", "1")
