"""One strict reading of a request's head: what two parsers could read in two ways is refused."""

from __future__ import annotations

import re
from typing import NamedTuple

from otari_daemon.front.limits import FrontLimits
from otari_daemon.front.refusals import (
    ENCODING,
    EXPECTATION,
    HEAD_TOO_LARGE,
    METHOD,
    METHODS,
    TARGET_TOO_LONG,
    Refusal,
    Refused,
    malformed,
)

END = b"\r\n\r\n"
CHUNKED = -1

SINGLE = frozenset(
    (
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"content-encoding",
        b"expect",
        b"authorization",
        b"x-api-key",
        b"otari-key",
    )
)
"""Fields that may stand once: two of them are two requests to whoever picks the other."""

_LINE = re.compile(rb"([A-Z]+) ([!-\"$-\[\]-~]+) HTTP/1\.([01])\r\n")  # no number sign, no backslash
_TEXT = bytes([9, *range(32, 127), *range(128, 256)])
_NEVER = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?!\n|\Z)|\r\n[ \t]")
_ABSOLUTE = re.compile(rb"https?://([^/?]+)(/[^?]*)?(\?.*)?", re.IGNORECASE)
_ENCODED_CONTROL = re.compile(rb"%(?:[01][0-9a-f]|7f)", re.IGNORECASE)
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_UPGRADE = re.compile(rb"\r\nupgrade:[^\r]*", re.IGNORECASE)

_BAD_LINE = malformed("the request line must be METHOD, target and HTTP/1.1, one space between them")
_BAD_BYTES = malformed("the header has a bare CR or LF, a folded line or a control character")
_BAD_TARGET = malformed("the request target has characters a path cannot have")
_BAD_HOST = malformed("HTTP/1.1 needs exactly one host field, naming a host and maybe a port")
_FOREIGN = malformed("the authority of the request target is not the host field's")
_LENGTH = malformed("content-length must be one decimal number")
_CODING = malformed("transfer-encoding must be exactly chunked, on HTTP/1.1, without content-length")

_MAX_LENGTH_DIGITS = 18
_AROUND_TARGET = 32  # bytes of a request line for its method, version and spaces


class Line(NamedTuple):
    """A request line with its target in origin form.

    `authority` is what an absolute target named, else b""; `minor` is 0 or 1 for HTTP/1.x; `lines` counts
    those of the head, the empty one included.
    """

    target: bytes
    authority: bytes
    minor: int
    lines: int


def refused_early(held: bytearray, since: int, limits: FrontLimits) -> Refusal | None:
    """Return why an unfinished head can only be refused, if its bytes from `since` on already show it."""
    if len(held) > limits.target_bytes + _AROUND_TARGET and (
        held.find(b"\r\n", 0, limits.target_bytes + _AROUND_TARGET) < 0
    ):
        return TARGET_TOO_LONG
    if len(held) > limits.head_bytes:
        return HEAD_TOO_LARGE
    if _NEVER.search(held, max(since - 1, 0)):
        return _BAD_BYTES
    return None


def read_line(head: bytes, limits: FrontLimits) -> Line:
    """Judge the bytes of a whole head, empty line included, and read its request line; may raise Refused.

    What is left of the head without its text must be CR LF and nothing else. `judge_lines` then holds the
    number of those to the fields the parser found, so that both saw every line end in the same place.
    """
    match = _LINE.match(head)
    if match is None:
        raise Refused(_why_not(head, limits))
    method, target, minor = match.groups()
    if len(target) > limits.target_bytes:
        raise Refused(TARGET_TOO_LONG)
    if len(head) > limits.line_bytes or len(head) > limits.head_bytes:
        _judge_size(head, limits)
    if method not in METHODS:
        raise Refused(METHOD)
    ends = head.translate(None, _TEXT)
    lines = len(ends) // 2
    if ends != b"\r\n" * lines:
        raise Refused(_BAD_BYTES)
    if b"%" in target and _ENCODED_CONTROL.search(target.partition(b"?")[0]):
        raise Refused(_BAD_TARGET)
    version = minor[0] - 48
    if target[0] == 47:
        return Line(target, b"", version, lines)
    return Line(*_split_absolute(target), version, lines)


def judge(
    fields: dict[bytes, bytes], line: Line, field_count: int, good_host: bytes | None, limits: FrontLimits
) -> int:
    """Judge a whole head and return `body_length`; `good_host` was good before. May raise Refused."""
    judge_lines(line, field_count, limits)
    host = fields.get(b"host")
    if line.authority or host is None or host != good_host:
        judge_host(host, line)
    length = body_length(fields, line)
    judge_codings(fields)
    return length


def judge_lines(line: Line, field_count: int, limits: FrontLimits) -> None:
    """Raise Refused for too many fields, or if the parser's fields are not the lines of the head."""
    if field_count > limits.field_count:
        raise Refused(HEAD_TOO_LARGE)
    if field_count + 2 != line.lines:
        raise Refused(_BAD_BYTES)


def without_upgrade(head: bytes) -> bytes:
    """Return the head less its upgrade fields: the offer is declined by answering in HTTP/1.1."""
    return _UPGRADE.sub(b"", head)


def judge_host(host: bytes | None, line: Line) -> None:
    """Raise Refused unless there is a host field where one is needed, naming what the target names."""
    if host is None:
        if line.minor or line.authority:
            raise Refused(_BAD_HOST)
        return
    host = host.strip(b" \t")
    if not _HOST.fullmatch(host):
        raise Refused(_BAD_HOST)
    if line.authority and line.authority.lower() != host.lower():
        raise Refused(_FOREIGN)


def body_length(fields: dict[bytes, bytes], line: Line) -> int:
    """Return the body's length in bytes, or `CHUNKED`; raise Refused if readers could differ about it."""
    if b"transfer-encoding" in fields:
        coding = fields[b"transfer-encoding"].strip(b" \t")
        if coding != b"chunked" or b"content-length" in fields or not line.minor:
            raise Refused(_CODING)
        return CHUNKED
    length = fields.get(b"content-length")
    if length is None:
        return 0
    length = length.strip(b" \t")
    if not length.isdigit() or len(length) > _MAX_LENGTH_DIGITS:
        raise Refused(_LENGTH)
    return int(length)


def judge_codings(fields: dict[bytes, bytes]) -> None:
    """Raise Refused for a content-encoding or an expectation that cannot be met."""
    if b"content-encoding" in fields and _plain(fields[b"content-encoding"]) != b"identity":
        raise Refused(ENCODING)
    if b"expect" in fields and _plain(fields[b"expect"]) != b"100-continue":
        raise Refused(EXPECTATION)


def repeated(name: bytes) -> Refusal:
    """Return the refusal of a field of `SINGLE` that stands twice."""
    return malformed(f"the {name.decode()} field stands more than once")


def _plain(value: bytes) -> bytes:
    return value.strip(b" \t").lower()


def _split_absolute(target: bytes) -> tuple[bytes, bytes]:
    """Return the origin form and the authority of an absolute target."""
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise Refused(_BAD_TARGET)
    authority, path, query = match.groups()
    return (path or b"/") + (query or b""), authority


def _judge_size(head: bytes, limits: FrontLimits) -> None:
    if len(head) > limits.head_bytes or max(map(len, head.split(b"\r\n"))) > limits.line_bytes:
        raise Refused(HEAD_TOO_LARGE)


def _why_not(head: bytes, limits: FrontLimits) -> Refusal:
    """Return what is wrong with a head whose request line is."""
    if head.find(b"\r\n") > limits.target_bytes + _AROUND_TARGET:
        return TARGET_TOO_LONG
    return _BAD_BYTES if _NEVER.search(head) else _BAD_LINE
