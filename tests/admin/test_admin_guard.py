"""Who may speak to the admin socket, and how."""

from __future__ import annotations

import os

import pytest

from otari_daemon.admin.app import create_admin_app
from otari_daemon.front.reader import Peer, Reader
from tests.admin.fake_operations import FakeOperations
from tests.admin.raw_admin import Admin
from tests.admin.served import Served, serve

OTHER_UID = os.getuid() + 4242


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost"}, 200),
        ({"Host": "127.0.0.1"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "otari.evil.example"}, 403),
        ({"Origin": "http://localhost"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 403),
    ],
)
def test_what_a_browser_or_a_proxy_sends_is_refused(
    admin: Admin, headers: dict[str, str], status: int
) -> None:
    assert admin.ask("GET", "/status", headers=headers).status == status


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=UTF-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/json; charset=utf-16", 415),
        ("", 415),
    ],
)
def test_a_write_is_json_or_nothing(admin: Admin, operations: FakeOperations, kind: str, status: int) -> None:
    reply = admin.ask("POST", "/v1/users", {"user_id": "ana"}, {"Content-Type": kind})

    assert reply.status == status
    assert len(operations.writes) == (1 if status == 200 else 0)


def test_a_read_takes_no_body(admin: Admin) -> None:
    assert admin.ask("GET", "/status", {}).status == 400


def _as(peer: Peer | None, admin: Admin, app: object) -> int:
    """The status of a request whose scope names this peer, whoever really asks."""

    async def forged(scope: dict[str, object], receive: object, send: object) -> None:
        await app({**scope, "otari.reader": Reader(peer)}, receive, send)  # type: ignore[operator]

    admin.served.app = forged
    status: int = admin.ask("GET", "/status").status
    return status


def test_only_root_the_daemons_user_and_admin_uids_may_ask(admin: Admin, operations: FakeOperations) -> None:
    strict, open_to = create_admin_app(operations, ()), create_admin_app(operations, (OTHER_UID,))

    assert _as(Peer(1, 0, 0), admin, strict) == 200
    assert _as(Peer(1, os.getuid(), 0), admin, strict) == 200
    assert _as(Peer(1, OTHER_UID, 0), admin, strict) == 403
    assert _as(Peer(1, OTHER_UID, 0), admin, open_to) == 200


def test_a_peer_nobody_vouches_for_is_refused(admin: Admin, operations: FakeOperations) -> None:
    assert _as(None, admin, create_admin_app(operations, ())) == 403


@pytest.fixture
def stock() -> object:
    """A server without otari's front, so without a reader in the scope."""
    with serve("httptools") as served:
        yield served


def test_without_a_reader_nobody_is_let_in(stock: Served, operations: FakeOperations) -> None:
    stock.app = create_admin_app(operations, (os.getuid(),))

    assert Admin(stock).ask("GET", "/status").status == 403
    assert (
        Admin(stock).ask("GET", "/status", headers={"Connection": "Upgrade", "Upgrade": "h2c"}).status == 403
    )
