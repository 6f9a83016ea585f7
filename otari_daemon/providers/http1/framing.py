"""How long an answer's body is, decided as strictly as RFC 9112 section 6 allows."""

from collections.abc import Iterable

CHUNKED = -1
UNTIL_CLOSE = -2

# A tail this long tells a body's own end from stray line breaks after it, unless all of it is blank.
_TAIL_BYTES = 16


class FramingError(Exception):
    """A head whose framing two readers could understand differently."""


def body_length(status: int, version: str, headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Return the bytes of body to come, CHUNKED or UNTIL_CLOSE; names are lower-case.

    Raises FramingError for several lengths, a length beside a transfer coding, or any coding
    but exactly `chunked` on HTTP/1.1.
    """
    lengths = [value for name, value in headers if name == b"content-length"]
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if len(lengths) + len(codings) > 1:
        raise FramingError("several content-length or transfer-encoding fields")
    if codings and (version != "1.1" or codings[0].lower() != b"chunked"):
        raise FramingError("a transfer coding other than chunked")
    if lengths and not lengths[0].isdigit():
        raise FramingError("a content-length that is no number")
    if status in {204, 304}:
        return 0
    if codings:
        return CHUNKED
    return int(lengths[0]) if lengths else UNTIL_CLOSE


def ends_exactly(segment: bytes, last_piece: bytes) -> bool:
    """Say whether a segment, in which an answer became whole, holds nothing after it.

    The parser swallows line breaks between answers, so a stray CR or LF would go unseen. An
    answer ends either with `last_piece` of a counted body, or (`last_piece` empty: chunked, or
    no body) with an empty line after a line that is not. What cannot be told counts as no.
    """
    if last_piece:
        tail = last_piece[-_TAIL_BYTES:]
        return segment.endswith(tail) and not tail.isspace()
    return segment.endswith(b"\r\n\r\n") and len(segment) > 4 and segment[-5] != 0x0A
