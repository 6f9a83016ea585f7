"""R-40 to R-47: what could be read in two ways is refused, and nothing after it is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.front.server import Client, Echo, Served, serving
from tests.front.vectors import FOLLOWER, GOOD, VECTORS, Vector

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[tuple[Served, Echo]]:
    app = Echo()
    async with serving(app) as served:
        yield served, app


@pytest.fixture
def echo(running: tuple[Served, Echo]) -> tuple[Served, Echo]:
    running[1].__init__()  # type: ignore[misc]
    return running


@pytest.mark.parametrize("mode", ["alone", "followed", "bytewise"])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
async def test_an_ambiguous_request_is_refused_and_ends_its_connection(
    echo: tuple[Served, Echo], vector: Vector, mode: str
) -> None:
    served, app = echo
    client = await Client.connect(served)
    if mode == "bytewise":
        await client.send_bytewise(vector.raw + FOLLOWER)
    else:
        await client.send(vector.raw + (FOLLOWER if mode == "followed" else b""))

    got = await client.read_to_end()

    client.close()
    assert got.startswith(b"HTTP/1.1 %d " % vector.status), got[:200]
    head, _, body = got.partition(b"\r\n\r\n")
    assert json.loads(body)["error"]["type"] == "invalid_request_error"  # and nothing after it
    assert b"\r\nconnection: close" in head
    assert app.completed == []
    assert "/follower" not in app.asked
    if not vector.in_body:
        assert app.asked == []


@pytest.mark.parametrize("name", GOOD)
async def test_a_good_request_is_answered_wherever_it_is_split(echo: tuple[Served, Echo], name: str) -> None:
    served, app = echo
    raw = GOOD[name]
    client = await Client.connect(served)
    whole = None
    for at in range(len(raw)):
        await client.send(raw[:at])
        for _turn in range(3):  # let the server read the first part by itself
            await asyncio.sleep(0)
        await client.send(raw[at:])
        status, body = await client.read_answer()
        assert status == 200
        whole = whole or body
        assert body == whole
    client.close()
    assert len(app.completed) == len(raw)
    assert len(set(app.asked)) == 1


async def test_every_kind_of_vector_is_there() -> None:
    assert len(VECTORS) >= 80
    assert len({vector.name for vector in VECTORS}) == len(VECTORS)
