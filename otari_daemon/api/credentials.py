"""Taking the one credential a request presents."""

from __future__ import annotations

from collections.abc import Iterable

from otari_daemon.domain.errors import InvalidRequest, Unauthenticated

CREDENTIAL_BYTES_MAX = 4096

_BEARER = b"bearer "
_RAW_FIELDS = frozenset({b"x-api-key", b"otari-key"})


def credential(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The token from `Authorization: Bearer`, `x-api-key` or `Otari-Key`.

    The same token in several is one credential. Raises InvalidRequest for two different ones and
    Unauthenticated for none or a form that is not usable.
    """
    found: bytes | None = None
    for name, value in headers:
        if name == b"authorization":
            token = _bearer(value)
        elif name in _RAW_FIELDS:
            token = value[len(_BEARER) :].strip() if value[:7].lower() == _BEARER else value.strip()
        else:
            continue
        if found is not None and token != found:
            raise InvalidRequest("the request presents two different credentials; send one")
        found = token
    if not found:
        raise Unauthenticated("missing API key: send Authorization: Bearer, x-api-key or Otari-Key")
    if len(found) > CREDENTIAL_BYTES_MAX:
        raise Unauthenticated("invalid API key")
    return found


def _bearer(value: bytes) -> bytes:
    if value[:7].lower() != _BEARER:
        raise Unauthenticated("invalid Authorization header: expected 'Bearer <key>'")
    return value[7:].strip()
