"""YAML text to a tree whose every value knows its line and column.

The tree is built from parser events, not by PyYAML's constructors: a scalar keeps its source text, so no
amount passes through a float, `NO` stays text and `12:30` is no number. Nothing here knows what keys mean.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from otari_daemon.config.problems import Mark, Path, Problems, shown_name

BYTES_MAX = 1 << 20
ALIASES_MAX = 100
DEPTH_MAX = 32
NODES_MAX = 100_000
"""Values in the document once every alias is followed, so a small file cannot be a large one."""

# libyaml parses a file of the largest size in 0.2 s; the fallback takes 3 s.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_QUOTED_WORD = re.compile(r"'[^']{2,}'|\"[^\"]{2,}\"")


class Kind(enum.Enum):
    """What a scalar is by the core rules of YAML 1.2, or that it is not of the file at all."""

    NULL = "nothing"
    BOOL = "true or false"
    NUMBER = "a number"
    TEXT = "text"
    UNTYPED = "text of no type"
    """From a variable or the command line: converts to whatever is expected."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as written; `origin` names the variable or option it came from, if not the file."""

    text: str
    kind: Kind
    mark: Mark
    origin: str = ""


@dataclass(slots=True)
class Items:
    """A list."""

    mark: Mark
    nodes: list[Node] = field(default_factory=list)
    size: int = 1


@dataclass(slots=True)
class Block:
    """A mapping: each key with its own place and its value."""

    mark: Mark
    entries: dict[str, tuple[Mark, Node]] = field(default_factory=dict)
    size: int = 1


Node = Scalar | Items | Block


def parse(text: str, problems: Problems) -> Block:
    """Read one YAML document whose root is a mapping; raise `ConfigError` where that fails."""
    start = Mark(1, 1)
    if len(text.encode("utf-8", "surrogatepass")) > BYTES_MAX:
        problems.stop(start, (), f"the file is larger than {BYTES_MAX} bytes")
    if not text.strip():
        problems.stop(start, (), "the file is empty", "write {} for all defaults")
    if found := _UNPRINTABLE.search(text):
        problems.stop(_mark_at(text, found.start()), (), "the file holds a control character")
    builder = _Builder(problems)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        problems.stop(_mark_of(error), (), f"this is not valid YAML: {parser_words(error)}")
    except ValueError:  # the fallback, at an escape that is no character
        problems.stop(start, (), "this is not valid YAML: an escape stands for no character")
    if isinstance(builder.root, Block):
        return builder.root
    return problems.stop(start, (), "the file must be a mapping of keys to values")


class _Builder:
    """Turns events into nodes without recursion, within the bounds above."""

    def __init__(self, problems: Problems) -> None:
        self.root: Node | None = None
        self._problems = problems
        self._open: list[Items | Block] = []
        self._keys: list[Scalar | None] = []
        self._names: list[str | None] = []
        self._anchors: dict[str, Node] = {}
        self._aliases = 0

    def take(self, event: yaml.Event) -> None:
        """Use one event of the parser."""
        if getattr(event, "tag", None) is not None:
            self._problems.stop(_mark(event.start_mark), self._path(), "tags are not allowed")
        if isinstance(event, yaml.ScalarEvent):
            scalar = Scalar(event.value, _kind(event), _mark(event.start_mark))
            self._name(event.anchor, scalar)
            self._put(scalar)
        elif isinstance(event, yaml.AliasEvent):
            self._put(self._aliased(event))
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin(Block(_mark(event.start_mark)), event.anchor)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin(Items(_mark(event.start_mark)), event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            self._problems.stop(_mark(event.start_mark), (), "a file holds one document only")

    def _begin(self, node: Items | Block, anchor: str | None) -> None:
        if len(self._open) == DEPTH_MAX:
            self._problems.stop(node.mark, (), f"nesting is deeper than {DEPTH_MAX} levels")
        self._attach(node)
        self._open.append(node)
        self._keys.append(None)
        self._names.append(anchor)

    def _end(self) -> None:
        node = self._open.pop()
        self._keys.pop()
        self._name(self._names.pop(), node)
        self._count(node)
        self._took_value()

    def _put(self, node: Node) -> None:
        if self._open and isinstance(self._open[-1], Block) and self._keys[-1] is None:
            self._begin_entry(node)
            return
        self._attach(node)
        self._count(node)
        self._took_value()

    def _begin_entry(self, key: Node) -> None:
        if not isinstance(key, Scalar):
            self._problems.stop(key.mark, self._path(), "a key must be plain text")
        self._keys[-1] = key

    def _attach(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent, key = self._open[-1], self._keys[-1]
        if isinstance(parent, Items):
            parent.nodes.append(node)
        elif key is None:
            self._problems.stop(node.mark, self._path(), "a key must be plain text")
        elif key.text in parent.entries:
            first = parent.entries[key.text][0]
            message = f'"{shown_name(key.text)}" is given twice, first on line {first.line}'
            self._problems.add(key.mark, self._path(), message)
        else:
            parent.entries[key.text] = (key.mark, node)

    def _took_value(self) -> None:
        if self._keys:
            self._keys[-1] = None

    def _count(self, node: Node) -> None:
        if not self._open:
            return
        self._open[-1].size += 1 if isinstance(node, Scalar) else node.size
        if self._open[-1].size > NODES_MAX:
            self._problems.stop(node.mark, (), f"the file holds more than {NODES_MAX} values")

    def _name(self, anchor: str | None, node: Node) -> None:
        if anchor is not None:
            self._anchors[anchor] = node

    def _aliased(self, event: yaml.AliasEvent) -> Node:
        mark = _mark(event.start_mark)
        self._aliases += 1
        if self._aliases > ALIASES_MAX:
            self._problems.stop(mark, (), f"the file holds more than {ALIASES_MAX} aliases")
        node = self._anchors.get(event.anchor or "")
        if node is None:
            self._problems.stop(mark, self._path(), "this alias names no value before it")
        return node

    def _path(self) -> Path:
        return tuple(shown_name(key.text) for key in self._keys if key is not None)


def _kind(event: yaml.ScalarEvent) -> Kind:
    if not event.implicit[0]:
        return Kind.TEXT
    if _NULL.fullmatch(event.value):
        return Kind.NULL
    if _BOOL.fullmatch(event.value):
        return Kind.BOOL
    return Kind.NUMBER if _NUMBER.fullmatch(event.value) else Kind.TEXT


def _mark(mark: Any) -> Mark:  # libyaml and the fallback have a class each
    return Mark(mark.line + 1, mark.column + 1)


def _mark_at(text: str, index: int) -> Mark:
    return Mark(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


def _mark_of(error: yaml.YAMLError) -> Mark:
    mark = getattr(error, "problem_mark", None)
    return Mark(1, 1) if mark is None else _mark(mark)


def parser_words(error: yaml.YAMLError) -> str:
    """Say what the parser says, without any word it quotes from the file."""
    problem = getattr(error, "problem", None) or "it cannot be read"
    return _QUOTED_WORD.sub("…", str(problem))
