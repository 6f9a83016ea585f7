"""The example is the reference: every key, its default, and whether it needs a restart."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from otari_daemon.config.bind import take_apart
from otari_daemon.config.document import Block, Node, parse
from otari_daemon.config.load import load
from otari_daemon.config.problems import Problems
from otari_daemon.config.schema import Config, Provider

EXAMPLE = (Path(__file__).parents[2] / "config.example.yml").read_text()
LINES = EXAMPLE.splitlines()


def schema_keys(section: Any, prefix: str = "") -> Iterator[tuple[str, bool]]:
    """List every key with whether it needs a restart; names of the operator's choice are a star."""
    hints = get_type_hints(section, include_extras=True)
    for field in dataclasses.fields(section):
        path, base = prefix + field.name, take_apart(hints[field.name]).base
        yield path, bool(field.metadata.get("restart"))
        if get_origin(base) is Mapping:
            base, path = get_args(base)[1], path + ".*"
        if dataclasses.is_dataclass(base):
            yield from schema_keys(base, path + ".")


def example_keys(node: Node, known: set[str], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """List every key of the example with whether the comment right above it says restart."""
    if not isinstance(node, Block):
        return
    for key, (mark, child) in node.entries.items():
        path = prefix + key
        if path in known:
            yield path, "[restart]" in comment_above(mark.line)
        else:
            path = prefix + "*"
        yield from example_keys(child, known, path + ".")


def comment_above(line: int) -> str:
    """Give the comment lines right above a line counted from one."""
    start = line - 1
    while start and LINES[start - 1].lstrip().startswith("#"):
        start -= 1
    return " ".join(LINES[start : line - 1])


def test_the_example_has_every_key_and_no_other_each_with_its_restart_mark() -> None:
    expected = dict(schema_keys(Config))

    found = dict(example_keys(parse(EXAMPLE, Problems("example")), set(expected)))

    assert found == expected


def test_the_example_loads_and_every_value_in_it_is_the_default() -> None:
    config = load(EXAMPLE, source="config.example.yml", environ={})

    bare = dataclasses.replace(config, providers={}, aliases={}, pricing={})
    assert bare == Config()
    provider = config.providers["local"]
    assert dataclasses.replace(provider, type="", api_base=None, models=()) == Provider()
    assert all(
        getattr(price, field.name) is None
        for price in config.pricing.values()
        for field in dataclasses.fields(price)
        if field.default is None
    )
