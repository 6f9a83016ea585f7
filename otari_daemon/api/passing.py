"""Taking the headers of a client's that go on to a provider of its dialect: Anthropic's, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterable

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.providers.upstream import Headers

PASSED = frozenset({b"anthropic-beta", b"anthropic-version"})
VALUE_BYTES_MAX = 1024

_VISIBLE = re.compile(rb"[!-~]+(?:[ \t]*[!-~]+)*")


def passed_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The client's own words for the API's version and its betas; several of one name are one list.

    Raises InvalidRequest for a value that is too long or not visible ASCII, and for two versions.
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in PASSED and value:
            if name in found and name == b"anthropic-version":
                raise InvalidRequest("the request has several anthropic-version headers; send one")
            found[name] = found[name] + b"," + value if name in found else value
    for name, value in found.items():
        if len(value) > VALUE_BYTES_MAX or not _VISIBLE.fullmatch(value):
            what = f"1 to {VALUE_BYTES_MAX} visible ASCII characters"
            raise InvalidRequest(f"the {name.decode()} header must have {what}")
    return tuple(found.items())
