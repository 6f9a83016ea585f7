"""Every route of the public edge declares who may call it, and nothing else is served."""

from __future__ import annotations

from typing import Any

import falcon.inspect
import pytest

from otari_daemon.api.access import ACCESS, Access
from otari_daemon.api.app import Edge, create_app
from otari_daemon.api.management.attempts import Attempts
from otari_daemon.api.management.gate import Gate, Guarded
from otari_daemon.config.load import load
from tests.admin.fake_operations import FakeOperations


def _unused(*_: object) -> Any:
    raise AssertionError("no request is made here")


def served() -> dict[str, set[str]]:
    """The router's own account: the methods of every path."""
    config = load(None, source="none", environ={})
    edge = Edge(_unused, _unused, _unused, _unused, FakeOperations(), lambda: config, _unused)
    routes = falcon.inspect.inspect_routes(create_app(edge)._app)  # type: ignore[arg-type]
    return {
        route.path: {method.method for method in route.methods if not method.internal} for route in routes
    }


def test_the_router_and_the_table_of_access_have_the_same_routes_and_methods() -> None:
    assert served() == {path: set(methods) for path, methods in ACCESS.items()}


def test_no_write_is_open_to_a_virtual_key() -> None:
    writes = {
        (path, method): access
        for path, methods in ACCESS.items()
        for method, access in methods.items()
        if method != "GET" and access is not Access.MASTER
    }

    assert writes == {("/v1/chat/completions", "POST"): Access.KEY}


class Everything:
    """A resource with more methods than are declared."""

    async def on_get(self, req: Any, resp: Any) -> None:
        """Show."""

    async def on_delete(self, req: Any, resp: Any) -> None:
        """Remove."""


def test_a_method_that_is_not_declared_cannot_be_reached() -> None:
    gate = Gate(_unused, _unused, Attempts(_unused))

    behind = Guarded(gate, Everything(), {"GET": Access.MASTER})

    assert [name for name in ("on_get", "on_delete") if hasattr(behind, name)] == ["on_get"]


def test_a_method_that_does_not_exist_cannot_be_declared() -> None:
    with pytest.raises(AttributeError, match="on_patch"):
        Guarded(Gate(_unused, _unused, Attempts(_unused)), Everything(), {"PATCH": Access.MASTER})
