"""Every key an operator can set is read by the daemon: a key without effect would be a lie to them."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin, get_type_hints

from otari_daemon.config.bind import take_apart
from otari_daemon.config.schema import Config
from tests.house.source import modules

SCHEMA_ONLY = "otari_daemon/config/"


def leaves(section: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The dotted path and the attribute of every key that has a value and not a section of its own."""
    hints = get_type_hints(section, include_extras=True)
    for field in dataclasses.fields(section):
        path, base = prefix + field.name, take_apart(hints[field.name]).base
        if get_origin(base) is Mapping:
            base = get_args(base)[1]
        if dataclasses.is_dataclass(base):
            yield from leaves(base, path + ".")
        else:
            yield path, field.name


def attributes_read() -> frozenset[str]:
    """Names of all attributes that the daemon reads outside the configuration itself."""
    return frozenset(
        node.attr
        for module in modules("otari_daemon")
        if not module.path.startswith(SCHEMA_ONLY)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    )


def test_the_schema_has_keys_at_every_depth() -> None:
    paths = dict(leaves(Config))

    assert {"port", "limits.max_in_flight", "providers.timeouts.idle_s", "aliases"} <= paths.keys()


def test_every_key_is_read_outside_the_configuration() -> None:
    read = attributes_read()

    assert [path for path, name in leaves(Config) if name not in read] == []
