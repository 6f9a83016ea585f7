"""Messages to JSON-able values and back.

`read` takes what a peer of any version answers: unknown fields and unknown words pass.
`accept` takes what somebody asks of us: unknown fields and wrong types are refused by name.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from math import isfinite
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from otari_daemon.protocol.messages import UNSET, Unset

T = TypeVar("T")
NAME_CHARS_MAX = 64
"""How much of a field's name that is none a message repeats."""
INT_MAX = (1 << 63) - 1
"""The largest whole number a message may carry: what a database column holds."""

_NAMES: dict[Any, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    types.NoneType: "null",
    tuple: "a list",
    dict: "an object",
}


class FieldError(ValueError):
    """A field that is missing, unknown or not what it must be; `field` is its path, like `rows[0].cost`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}" if field else message)
        self.field = field
        self.message = message


def dump(value: Any) -> Any:
    """Turn a message into dicts, lists and scalars; fields that are `UNSET` are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: dump(item) for name, item in pairs if item is not UNSET}
    if isinstance(value, tuple | list):
        return [dump(item) for item in value]
    return value


def read(cls: type[T], data: object) -> T:
    """Build a message from what a peer sent, which may be newer or older than we are.

    Raises `FieldError` when a field we need is missing or of another type.
    """
    return _Reader(strict=False).message(cls, data, "")


def accept(cls: type[T], data: object) -> T:
    """Build a message from what somebody asks; raise `FieldError` for anything it should not hold."""
    return _Reader(strict=True).message(cls, data, "")


@cache
def _shape(cls: type) -> dict[str, tuple[Any, bool]]:
    """Each field of a message: its type and whether it must be there."""
    return {
        field.name: (field.type, field.default is MISSING and field.default_factory is MISSING)
        for field in fields(cls)
    }


class _Reader:
    """Walks a type and a JSON value together."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict

    def message(self, cls: type[T], data: object, path: str) -> T:
        if not isinstance(data, Mapping):
            raise FieldError(path, "must be an object")
        shape = _shape(cls)  # type: ignore[arg-type]  # classes hash
        if self._strict:
            _refuse_unknown(shape, data, path)
        values = {}
        for name, (kind, required) in shape.items():
            if name in data:
                values[name] = self._value(kind, data[name], _join(path, name))
            elif required:
                raise FieldError(_join(path, name), "is missing")
        return cls(**values)

    def _value(self, kind: Any, value: object, path: str) -> Any:
        if kind is Any:
            return value
        if is_dataclass(kind):
            return self.message(kind, value, path)  # type: ignore[arg-type]  # a class, by construction of messages
        origin = get_origin(kind)
        if origin is None:
            return _scalar(kind, value, path)
        return _PARTS[origin](self, get_args(kind), value, path)

    def _either(self, kinds: tuple[Any, ...], value: object, path: str) -> Any:
        if value is None and (types.NoneType in kinds or Unset in kinds):
            return None if types.NoneType in kinds else UNSET
        wanted = [kind for kind in kinds if kind not in (types.NoneType, Unset)]
        if len(wanted) == 1:
            return self._value(wanted[0], value, path)
        for kind in wanted:
            try:
                return self._value(kind, value, path)
            except FieldError:
                continue
        raise FieldError(path, f"must be {' or '.join(_NAMES[kind] for kind in wanted)}")

    def _word(self, words: tuple[str, ...], value: object, path: str) -> str:
        if not isinstance(value, str) or (self._strict and value not in words):
            raise FieldError(path, f"must be one of {', '.join(words)}")
        return value

    def _list(self, kinds: tuple[Any, ...], value: object, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise FieldError(path, "must be a list")
        return tuple(self._value(kinds[0], item, f"{path}[{at}]") for at, item in enumerate(value))

    def _mapping(self, _kinds: tuple[Any, ...], value: object, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise FieldError(path, "must be an object")
        return value


_PARTS: dict[Any, Callable[[_Reader, tuple[Any, ...], object, str], Any]] = {
    Union: _Reader._either,
    types.UnionType: _Reader._either,
    Literal: _Reader._word,
    tuple: _Reader._list,
    dict: _Reader._mapping,
}


def _scalar(kind: type, value: object, path: str) -> object:
    if kind is float and type(value) is int and abs(value) <= INT_MAX:
        return float(value)
    if type(value) is not kind:
        raise FieldError(path, f"must be {_NAMES[kind]}")
    if isinstance(value, float) and not isfinite(value):
        raise FieldError(path, "must be a finite number")
    if isinstance(value, int) and abs(value) > INT_MAX:
        raise FieldError(path, "is out of range")
    return value


def _refuse_unknown(shape: dict[str, tuple[Any, bool]], data: Mapping[Any, object], path: str) -> None:
    unknown = sorted(str(name) for name in data.keys() - shape.keys())
    if unknown:
        name = _repeatable(unknown[0])
        raise FieldError(_join(path, name), f"is not a field; there are {', '.join(shape)}")


def _repeatable(name: str) -> str:
    """A name of anybody's making as a message can repeat it: short, printable and not nothing."""
    name = name[:NAME_CHARS_MAX]
    return name if name and name.isprintable() else ascii(name)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
