"""A tree of YAML values and the schema's types to instances; every misfit becomes a problem."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from otari_daemon.config.document import Block, Items, Kind, Node, Scalar
from otari_daemon.config.environment import Overrides, Unresolved, override, resolved, untyped
from otari_daemon.config.problems import Mark, Path, Problems, dotted, nearest, shown_name
from otari_daemon.config.secret import Secret
from otari_daemon.config.values import Mismatch, convert

OMIT: Any = object()
"""Stands for a value that could not be read, or was not given: the default takes its place."""


class Hint(NamedTuple):
    """A field's type taken apart."""

    base: Any
    limits: tuple[object, ...]
    optional: bool


class Binder:
    """Reads values for one configuration and remembers where each stood."""

    def __init__(
        self, problems: Problems, environ: Mapping[str, str], options: Overrides, *, exposed: bool
    ) -> None:
        self.marks: dict[Path, Mark] = {}
        self.problems = problems
        self.environ = environ
        self._options = options
        self._exposed = exposed

    def root(self, section: type, block: Block) -> Any:
        """Read the whole configuration; options and variables outrank the file."""
        known = {".".join(path) for path in _leaves(section)}
        for key in self._options.keys() - known:
            self.problems.add(Mark(0, 0), (key,), f'no key "{shown_name(key)}" to override')
        return self._section(section, block, (), fixed=True)

    def value(self, annotation: Any, node: Node, path: Path) -> Any:
        """Read one value of any type the schema uses, or note the problem and return `OMIT`."""
        hint = take_apart(annotation)
        self.marks[path] = node.mark
        origin = get_origin(hint.base)
        if dataclasses.is_dataclass(hint.base):
            return self._section(hint.base, node, path, fixed=False)
        if origin is Mapping:
            key_type, value_type = get_args(hint.base)
            return self._mapping(key_type, value_type, node, path)
        if origin is tuple:
            return self._items(get_args(hint.base)[0], node, path)
        return self._scalar(hint, node, path)

    def _section(self, section: Any, node: Node, path: Path, *, fixed: bool) -> Any:
        block = self._block(node, path)
        if block is None:
            return OMIT
        names = _names(section)
        for key, (mark, _) in block.entries.items():
            if key not in names:
                self._unknown(key, mark, path, names)
        given: dict[str, Any] = {}
        for field in dataclasses.fields(section):
            value = self._field(section, field, block, (*path, field.name), fixed=fixed)
            if value is not OMIT:
                given[field.name] = value
        return self._made(section, given, node, path)

    def _made(self, section: Any, given: dict[str, Any], node: Node, path: Path) -> Any:
        """Make the instance unless a required value is missing; say so where it was not even tried."""
        missing = [field.name for field in _required(section) if field.name not in given]
        for name in missing:
            if (*path, name) not in self.marks:
                self.problems.add(node.mark, (*path, name), f"{dotted(path)} needs {name}")
        return OMIT if missing else section(**given)

    def _field(
        self, section: Any, field: dataclasses.Field[Any], block: Block, path: Path, *, fixed: bool
    ) -> Any:
        annotation = _annotations(section)[field.name]
        entry = self._entry(field, block, path)
        if fixed and dataclasses.is_dataclass(annotation):
            node = entry[1] if entry else Block(block.mark)
            return self._section(annotation, node, path, fixed=True)
        value = self.value(annotation, entry[1], path) if entry else OMIT
        outranking = override(path, self._options, self.environ) if fixed else None
        return value if outranking is None else self.value(annotation, outranking, path)

    def _entry(self, field: dataclasses.Field[Any], block: Block, path: Path) -> tuple[Mark, Node] | None:
        """Find a field in the file under its name or its other name, not both."""
        entry = block.entries.get(field.name)
        other = field.metadata.get("also")
        also = block.entries.get(other) if other else None
        if entry and also:
            message = f'"{other}" is another name of "{field.name}", keep one'
            self.problems.add(also[0], path, message)
        return entry or also

    def _mapping(self, key_type: Any, value_type: Any, node: Node, path: Path) -> Any:
        block = self._block(node, path)
        if block is None:
            return OMIT
        read: dict[str, Any] = {}
        for key, (mark, child) in block.entries.items():
            inner = (*path, key)
            if not self._key_fits(key_type, key, mark, path):
                continue
            value = self.value(value_type, child, inner)
            self.marks[inner] = mark
            if value is not OMIT:
                read[key] = value
        return MappingProxyType(read)

    def _key_fits(self, key_type: Any, key: str, mark: Mark, path: Path) -> bool:
        hint = take_apart(key_type)
        try:
            convert(hint.base, hint.limits, Scalar(key, Kind.TEXT, mark))
        except Mismatch as mismatch:
            message = f"a key in {dotted(path)} must be {mismatch.expected}"
            self.problems.add(mark, (*path, shown_name(key)), message)
            return False
        return True

    def _items(self, item_type: Any, node: Node, path: Path) -> Any:
        if isinstance(node, Scalar) and node.kind is Kind.NULL:
            return ()
        if isinstance(node, Scalar) and node.kind is Kind.UNTYPED:
            parts = [part.strip() for part in node.text.split(",")]
            node = Items(node.mark, [untyped(part, node.origin) for part in parts if part])
        if not isinstance(node, Items):
            return self._wrong(node, path, "a list")
        values = [self.value(item_type, item, (*path, str(index))) for index, item in enumerate(node.nodes)]
        return OMIT if any(value is OMIT for value in values) else tuple(values)

    def _scalar(self, hint: Hint, node: Node, path: Path) -> Any:
        if isinstance(node, Scalar) and node.kind is Kind.NULL and hint.optional:
            return None
        try:
            return self._converted(hint, node, path)
        except Mismatch as mismatch:
            return self._wrong(node, path, mismatch.expected)
        except Unresolved as unresolved:
            self.problems.add(node.mark, path, f"{dotted(path)}: {unresolved}")
            return OMIT

    def _converted(self, hint: Hint, node: Node, path: Path) -> Any:
        if not isinstance(node, Scalar):
            raise Mismatch(_described(hint))
        scalar = resolved(node, self.environ)
        value = convert(hint.base, hint.limits, scalar)
        literal = scalar.kind is not Kind.UNTYPED
        if self._exposed and literal and isinstance(value, Secret) and value.sensitive:
            message = f"{dotted(path)} holds a secret in a file that every user can read"
            self.problems.add(node.mark, path, message, "chmod 640 the file or write ${VARIABLE}")
        return value

    def _block(self, node: Node, path: Path) -> Block | None:
        if isinstance(node, Scalar) and node.kind is Kind.NULL:
            return Block(node.mark)
        if isinstance(node, Block):
            return node
        self._wrong(node, path, "a section of keys")
        return None

    def _wrong(self, node: Node, path: Path, expected: str) -> Any:
        subject = node.origin if isinstance(node, Scalar) else ""
        self.problems.add(node.mark, path, f"{subject or dotted(path)} must be {expected}")
        return OMIT

    def _unknown(self, key: str, mark: Mark, path: Path, names: frozenset[str]) -> None:
        where = f"in {dotted(path)}" if path else "at the top level"
        message = f'unknown key "{shown_name(key)}" {where}'
        self.problems.add(mark, (*path, shown_name(key)), message, nearest(key, names))


def take_apart(annotation: Any) -> Hint:
    """Split `Annotated[T, ...] | None` into its type, its limits and whether it may be nothing."""
    optional = get_origin(annotation) in (Union, UnionType)
    if optional:
        annotation = next(part for part in get_args(annotation) if part is not NoneType)
    if get_origin(annotation) is Annotated:
        base, *limits = get_args(annotation)
        return Hint(base, tuple(limits), optional)
    return Hint(annotation, (), optional)


def _described(hint: Hint) -> str:
    """Say what a scalar of this type looks like, by asking its converter about nothing at all."""
    try:
        convert(hint.base, hint.limits, Scalar("", Kind.NULL, Mark(0, 0)))
    except Mismatch as mismatch:
        return mismatch.expected
    return "a single value"


def _required(section: Any) -> list[dataclasses.Field[Any]]:
    missing = dataclasses.MISSING
    return [
        field
        for field in dataclasses.fields(section)
        if field.default is missing and field.default_factory is missing
    ]


def _leaves(section: Any, prefix: Path = ()) -> list[Path]:
    """List the paths that options and variables can set."""
    leaves: list[Path] = []
    for name, annotation in _annotations(section).items():
        if dataclasses.is_dataclass(annotation):
            leaves += _leaves(annotation, (*prefix, name))
        elif get_origin(annotation) is not Mapping:
            leaves.append((*prefix, name))
    return leaves


@cache
def _annotations(section: Any) -> Mapping[str, Any]:
    hints = get_type_hints(section, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(section)}


@cache
def _names(section: Any) -> frozenset[str]:
    fields = dataclasses.fields(section)
    other = {field.metadata["also"] for field in fields if "also" in field.metadata}
    return frozenset({field.name for field in fields} | other)
