"""Every route of the public edge declares who may call it, and nothing else is served."""

from __future__ import annotations

from typing import Any

import falcon.inspect
import pytest
from falcon.testing import create_asgi_req

from otari_daemon.api.access import ACCESS, INFERENCE, Access
from otari_daemon.api.app import Edge, create_app
from otari_daemon.api.attempts import Attempts
from otari_daemon.api.gate import Gate, Guarded
from otari_daemon.api.headers import REQUEST_ID
from otari_daemon.config.load import load
from otari_daemon.config.secret import HashedSecret
from otari_daemon.control.plane import Caller
from otari_daemon.domain.errors import Unauthenticated
from otari_daemon.rest.query import ACTOR
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

    assert writes == {(path, "POST"): Access.KEY for path in INFERENCE}


async def test_where_a_virtual_key_is_wanted_the_master_key_is_nobodys() -> None:
    seen: list[tuple[bytes, str]] = []

    async def authenticate(token: bytes, request_id: str, endpoint: str) -> Caller:
        seen.append((token, endpoint))
        raise Unauthenticated("invalid API key")

    gate = Gate(lambda: HashedSecret("the-master-key-itself"), authenticate, Attempts(lambda: 0))
    asked = create_asgi_req()
    asked.uri_template = "/v1/keys/{id}"
    asked.scope |= {"client": ("192.0.2.7", 5), REQUEST_ID: "req_1"}
    asked.scope |= {"headers": [(b"otari-key", b"the-master-key-itself")]}

    with pytest.raises(Unauthenticated):
        await gate.admit(asked, Access.KEY)
    assert seen == [(b"the-master-key-itself", "/v1/keys")]
    await gate.admit(asked, Access.KEY_OR_MASTER)
    assert len(seen) == 1
    assert asked.scope[ACTOR].who == 'actor="master key" address=192.0.2.7'


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
