"""Request heads as bytes, made so that no part of one can become another line."""

import re
from collections.abc import Iterable

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET = re.compile(rb"[!-~]+")
_FORBIDDEN_IN_VALUE = re.compile(rb"[\r\n\0]")


def header_block(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Render header lines, each with its CRLF; constant ones are rendered once and kept.

    Raises ValueError for a name that is no token or a value with CR, LF or NUL; the message
    never holds the value, which may be a credential.
    """
    lines: list[bytes] = []
    for name, value in headers:
        if _TOKEN.fullmatch(name) is None:
            raise ValueError("request head: a header name is not a token")
        if _FORBIDDEN_IN_VALUE.search(value) is not None:
            raise ValueError(f"request head: the value of {name.decode()} has CR, LF or NUL")
        lines.append(b"%b: %b\r\n" % (name, value))
    return b"".join(lines)


def request_head(
    method: bytes,
    target: bytes,
    host: bytes,
    headers: Iterable[tuple[bytes, bytes]] = (),
    *,
    block: bytes = b"",
) -> bytes:
    """Render a whole head up to its empty line; `block` comes from `header_block`.

    Raises ValueError for a part that could break out of its place.
    """
    if _TOKEN.fullmatch(method) is None:
        raise ValueError("request head: the method is not a token")
    if _TARGET.fullmatch(target) is None:
        raise ValueError("request head: the target must be visible ascii, percent-encode the rest")
    if _TARGET.fullmatch(host) is None:
        raise ValueError("request head: the host must be visible ascii")
    return b"%b %b HTTP/1.1\r\nhost: %b\r\n%b%b\r\n" % (
        method,
        target,
        host,
        block,
        header_block(headers),
    )
