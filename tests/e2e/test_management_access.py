"""Every route of the public port, asked with nothing, a wrong credential, a virtual key, the master key."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from otari_daemon.api.access import ACCESS, Access
from otari_daemon.api.attempts import FAILURES_MAX
from tests.e2e.machine import Machine
from tests.e2e.managing import MASTER_KEY, chat, client, refused, told

pytestmark = pytest.mark.e2e

ROUTES = [(method, path, access) for path, of in ACCESS.items() for method, access in of.items()]
MANAGED = [each for each in ROUTES if each[2] in (Access.MASTER, Access.KEY_OR_MASTER)]


def filled(path: str) -> str:
    """A path under the client's base with an id that nothing has."""
    return re.sub(r"\{[^}]*\}", "none:such", path).removeprefix("/v1")


def ask(machine: Machine, method: str, path: str, credential: str | None) -> httpx.Response:
    """One route with one credential."""
    with client(machine, credential) as asking:
        url = filled(path) if path.startswith("/v1") else machine.url.removesuffix("/v1") + path
        return asking.request(method, url)


@pytest.mark.parametrize(("method", "path", "access"), ROUTES)
def test_a_route_answers_exactly_whom_it_declares(
    managed: Machine, method: str, path: str, access: Access
) -> None:
    key = managed.new_key(key_name=f"{method} {path}")
    let_in = {
        credential: ask(managed, method, path, value).status_code not in (401, 503)
        for credential, value in {
            "none": None,
            "wrong": "gw-" + "x" * 64,
            "key": key,
            "master": MASTER_KEY,
        }.items()
    }

    assert let_in == {
        "none": access is Access.PUBLIC,
        "wrong": access is Access.PUBLIC,
        "key": access is not Access.MASTER,
        "master": access is not Access.KEY,
    }


@pytest.mark.parametrize(("method", "path", "access"), [each for each in ROUTES if each[2] is Access.MASTER])
def test_nobody_learns_from_a_refusal_which_of_the_wrong_credentials_they_had(
    managed: Machine, method: str, path: str, access: Access
) -> None:
    revoked = managed.ask("POST", "/v1/keys", {})
    managed.ask("POST", f"/v1/keys/{revoked['id']}/revoke")

    messages = {
        refused(ask(managed, method, path, wrong), 401, "invalid_api_key")
        for wrong in ("nonsense", revoked["key"], managed.new_key(), MASTER_KEY[:-1], MASTER_KEY + "x")
    }

    assert messages == {"invalid master key"}


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
@pytest.mark.parametrize("header", ["Authorization", "x-api-key", "Otari-Key"])
def test_the_master_key_comes_in_any_of_the_three_headers(managed: Machine, header: str, prefix: str) -> None:
    value = f"Bearer {MASTER_KEY}" if header == "Authorization" else MASTER_KEY
    url = managed.url.removesuffix("/v1") + prefix

    with client(managed, None) as asking:
        assert told(asking.get(f"{url}/keys", headers={header: value}), 200)
        other = "x-api-key" if header == "Authorization" else "Authorization"
        two = asking.get(f"{url}/keys", headers={header: value, other: "Bearer another"})

    assert "two different credentials" in refused(two, 400, "invalid_request")


def test_a_refused_body_is_not_even_looked_at(managed: Machine) -> None:
    with client(managed, "wrong") as asking:
        assert asking.post("/keys", content=b"\xff{").status_code == 401


def test_a_body_beyond_all_reason_is_refused_by_its_size(master: httpx.Client) -> None:
    refused(master.post("/keys", content=b" " * ((1 << 20) + 1)), 413, "invalid_request")


def test_who_guesses_is_shut_out_and_nobody_else(managed: Machine, master: httpx.Client) -> None:
    key = managed.new_key(key_name="from the same address")

    with client(managed, None) as guessing:
        answers = [
            guessing.get("/keys", headers={"x-api-key": f"guess {number}"}) for number in range(FAILURES_MAX)
        ]
        right = guessing.get("/keys", headers={"x-api-key": MASTER_KEY})
        wrong = guessing.get("/pricing", headers={"x-api-key": "guess"})
        own = guessing.get("/pricing", headers={"x-api-key": key})

    assert {answer.status_code for answer in answers} == {401}
    assert "too many wrong credentials" in refused(right, 429, "rate_limit_exceeded")
    assert 1 <= int(right.headers["retry-after"]) <= 60
    assert wrong.status_code == 429
    assert told(own, 200), "a virtual key is no guess"
    assert told(master.get("/keys"), 200), "from another address"


@pytest.fixture(scope="module")
def without_master_key() -> Iterator[Machine]:
    """A daemon that nobody has given one."""
    made = Machine()
    try:
        made.start()
        yield made
    finally:
        made.stop()


def test_without_a_master_key_management_is_closed_to_everybody(without_master_key: Machine) -> None:
    machine = without_master_key
    key = machine.new_key()

    for method, path, access in MANAGED:
        for credential in (None, key, "None", "null", "*" * 8):
            answer = ask(machine, method, path, credential)
            if access is Access.MASTER:
                message = refused(answer, 503, "management_off")
                assert "set OTARI_MASTER_KEY" in message
                assert answer.headers["x-should-retry"] == "false"
            else:
                assert (answer.status_code == 401) is (credential != key), (method, path, credential)
    assert chat(machine, key).status_code == 200
