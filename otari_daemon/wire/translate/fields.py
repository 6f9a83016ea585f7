"""Reading foreign dictionaries: each refusal names the field by its path and says what would do."""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

import msgspec

from otari_daemon.domain.errors import InvalidRequest, UpstreamFailed
from otari_daemon.wire.dialect import Body

_encode = msgspec.json.encode
_decode = msgspec.json.decode
_NOT_JSON = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError, TypeError)


class Unsayable(NamedTuple):
    """Why a field has no words in the other wire, and the values that mean nothing and may be left out."""

    reason: str
    harmless: tuple[Any, ...] = ()


class Fields(NamedTuple):
    """What becomes of a request's top-level fields; those that are not named here are forwarded."""

    said: frozenset[str]
    dropped: frozenset[str]
    refused: dict[str, Unsayable]


def forwarded(body: Body, fields: Fields) -> Body:
    """The members of `body` that go on unchanged, once none of them is refused. Raises InvalidRequest."""
    for name, rule in fields.refused.items():
        value = body.get(name)
        if value is not None and value not in rule.harmless:
            refuse(name, rule.reason)
    known = fields.said | fields.dropped | fields.refused.keys()
    return {name: value for name, value in body.items() if name not in known}


def refuse(path: str, reason: str) -> NoReturn:
    """Raise InvalidRequest for what `path` names."""
    raise InvalidRequest(f"{path} {reason}", param=path)


def unreadable(what: str) -> UpstreamFailed:
    """The error for bytes of a provider that are no answer."""
    return UpstreamFailed(f"the provider's {what} cannot be read", status=502)


def mapping(value: Any, path: str) -> Body:
    """`value` as an object. Raises InvalidRequest."""
    if not isinstance(value, dict):
        refuse(path, "must be an object")
    return value


def items(value: Any, path: str) -> list[Any]:
    """`value` as an array; empty when null. Raises InvalidRequest."""
    if value is None:
        return []
    if not isinstance(value, list):
        refuse(path, "must be an array")
    return value


def text(value: Any, path: str) -> str:
    """`value` as a string. Raises InvalidRequest."""
    if not isinstance(value, str):
        refuse(path, "must be a string")
    return value


def tokens(value: Any, path: str) -> int | None:
    """`value` as a number of tokens, or None when null. Raises InvalidRequest."""
    if value is None:
        return None
    if type(value) is not int or value < 1:
        refuse(path, "must be a whole number from 1")
    return value


def word(value: Any, path: str, words: dict[str, str]) -> str:
    """What `words` has for `value`. Raises InvalidRequest naming those that would do."""
    found = words.get(value) if isinstance(value, str) else None
    if found is None:
        refuse(path, f"must be one of {', '.join(words)} for this provider")
    return found


def json_text(value: Any, path: str) -> str:
    """`value` as compact JSON. Raises InvalidRequest."""
    try:
        return _encode(value).decode()
    except _NOT_JSON:
        refuse(path, "is not plain JSON")


def json_object(source: str) -> Body | None:
    """The object that `source` says in JSON, an empty one for blank text, or None."""
    if not source.strip():
        return {}
    try:
        value = _decode(source.encode())
        _encode(value)
    except _NOT_JSON:
        return None
    return value if isinstance(value, dict) else None


def string_or(value: Any, default: str = "") -> str:
    """A provider's string, or `default` where it sent something else."""
    return value if isinstance(value, str) and value else default


def dicts(value: Any) -> list[Body]:
    """The objects of a provider's array; nothing where it sent something else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def without_nulls(members: Body) -> Body:
    """`members` without those that are null."""
    return {name: value for name, value in members.items() if value is not None}
