"""JSON bodies read in the one way every parser agrees on, and rewritten without touching the rest.

A body that comes back byte for byte from decoding and encoding is canonical: it has no key twice, no needless
escape and no odd number, so only sizes remain to be looked at. Any other body is read again, slowly and
exactly, and both readings must accept it.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, NoReturn

import msgspec

MAX_DEPTH = 64
MAX_NODES = 200_000
MAX_STRING_BYTES = 10 * 1024 * 1024
MAX_NUMBER_CHARS = 400

_MIN_INT, _MAX_INT = -(2**63), 2**64 - 1
_MAX_INT_CHARS = 20
_SMALL_BYTES = 2048  # up to here brackets are counted faster than values are walked, and values are few

_decode = msgspec.json.Decoder().decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_TOO_DEEP = f"the body is nested more than {MAX_DEPTH} levels deep"
_TOO_MANY = f"the body has more than {MAX_NODES} values"
_UNREAD: Final = object()
_NOT_AN_OBJECT = "the body must be a JSON object"


class _Absent:
    """The type of `ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""As a change: the member goes."""


class InvalidJson(ValueError):
    """A body that is not JSON as this gateway reads it; the message holds nothing of the body."""


def decode(body: bytes) -> dict[str, Any]:
    """Return the object `body` says, or raise InvalidJson saying in plain words what is wrong with it."""
    if len(body) > MAX_NODES:
        _refuse_crowded(body)
    value: Any = _UNREAD
    try:
        value = _decode(body)
        canonical = _encode(value) == body
        if canonical and b"\0" in _pack(value):  # which refuses integers beyond 64 bits
            canonical = b"\\u0000" not in body
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        canonical = False
    if not canonical:
        exact = _decode_exactly(body)
        if value is _UNREAD:
            raise InvalidJson("the body is not JSON that every reader agrees on")
        value = exact
    elif len(body) > _SMALL_BYTES or body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _judge_shape(value)
        if len(body) > MAX_STRING_BYTES:
            _judge_strings(value)
    if type(value) is not dict:
        raise InvalidJson(_NOT_AN_OBJECT)
    return value


def replace_top_level(body: bytes, obj: dict[str, Any], changes: dict[str, Any]) -> bytes:
    """Return `body` with some of its members set, added, or removed by `ABSENT`.

    `obj` is what `decode` returned for `body`. Every other member keeps its value's bytes and its place; a
    change that changes nothing returns `body` itself.
    """
    if all(_is_same(obj.get(name, ABSENT), value) for name, value in changes.items()):
        return body
    members = _decode_members(body)
    for name, value in changes.items():
        if value is ABSENT:
            members.pop(name, None)
        else:
            members[name] = msgspec.Raw(_encode(value))
    return _encode(members)


def _is_same(old: Any, new: Any) -> bool:
    return old is new or (type(old) is type(new) and type(new) in (str, int, bool) and old == new)


def _refuse_crowded(body: bytes) -> None:
    """Refuse a body that has too many values before they are built, by counting outside its strings.

    An array or object has as many values as commas and one, so the commas or the brackets tell.
    """
    if body.count(b",") + body.count(b"[") + body.count(b"{") <= MAX_NODES:
        return
    if body.count(b'"') - body.count(b'\\"') <= 4 * MAX_NODES:  # a key and a string for each value
        bare = _STRING.sub(b"", body)
        if bare.count(b",") < MAX_NODES and bare.count(b"[") + bare.count(b"{") <= MAX_NODES:
            return
    raise InvalidJson(_TOO_MANY)


def _decode_exactly(body: bytes) -> Any:
    text = _text_of(body)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object_of,
            parse_constant=_refuse_constant,
            parse_int=_integer_of,
            parse_float=_float_of,
        )
        _judge_shape(value)
        _judge_strings(value)
    except json.JSONDecodeError as error:
        raise InvalidJson(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise InvalidJson(_TOO_DEEP) from None
    return value


def _text_of(body: bytes) -> str:
    if body.startswith(_MARKS):
        raise InvalidJson("the body starts with a byte order mark; send plain UTF-8")
    if b"\0" in body[:4]:
        raise InvalidJson("the body looks like UTF-16 or UTF-32; send UTF-8")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidJson(f"the body is not UTF-8 at byte {error.start}") from None


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidJson("an object has the same key twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJson(f"{name} is not a JSON number")


def _integer_of(digits: str) -> int:
    if len(digits) > _MAX_INT_CHARS or not _MIN_INT <= int(digits) <= _MAX_INT:
        raise InvalidJson("an integer is beyond 64 bits")
    return int(digits)


def _float_of(digits: str) -> float:
    if len(digits) > MAX_NUMBER_CHARS:
        raise InvalidJson(f"a number is longer than {MAX_NUMBER_CHARS} characters")
    value = float(digits)
    if math.isinf(value):
        raise InvalidJson("a number is too large for a double")
    return value


def _judge_shape(value: Any) -> None:
    """Hold depth and number of values to their bounds, a level at a time: depth costs no stack."""
    depth, nodes, level = 0, 1, [value]
    while level := [node for node in level if type(node) is dict or type(node) is list]:
        depth += 1
        if depth > MAX_DEPTH:
            raise InvalidJson(_TOO_DEEP)
        below: list[Any] = []
        for node in level:
            below += node.values() if type(node) is dict else node
        nodes += len(below)
        if nodes > MAX_NODES:
            raise InvalidJson(_TOO_MANY)
        level = below


def _judge_strings(value: Any) -> None:
    """Look at every string and key of a value whose shape is within bounds."""
    pending = [value]
    while pending:
        node = pending.pop()
        if type(node) is str:
            _judge_string(node)
        elif type(node) is dict:
            pending += node
            pending += node.values()
        elif type(node) is list:
            pending += node


def _judge_string(text: str) -> None:
    if "\0" in text:
        raise InvalidJson("a string has a NUL character")
    if text.isascii():
        size = len(text)
    else:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise InvalidJson("a string has half of a surrogate pair") from None
    if size > MAX_STRING_BYTES:
        raise InvalidJson(f"a string is longer than {MAX_STRING_BYTES} bytes")
