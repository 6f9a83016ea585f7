"""R-30: the reader is gone, once and at once, when the client leaves before its answer is complete."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from otari_daemon.front.reader import MAX_CALLBACKS, Reader
from tests.front.server import WAIT_S, Client, Echo, Held, serving, until
from tests.front.vectors import head

REQUEST = head(b"Content-Length: 5")
LEAVE: dict[str, Callable[[Client], None]] = {
    "closes": Client.close,
    "half-closes": Client.half_close,
    "resets": Client.reset,
}


@pytest.mark.parametrize("size", [5, 300_000])
@pytest.mark.parametrize("phase", ["body", "answer", "stream"])
@pytest.mark.parametrize("way", LEAVE)
async def test_a_client_that_leaves_is_noticed_in_every_phase(way: str, phase: str, size: int) -> None:
    app = Held(phase)
    async with serving(app) as served:
        client = await Client.connect(served)
        sent = size // 2 if phase == "body" else size
        await client.send(head(b"Content-Length: %d" % size) + b"x" * sent)
        async with asyncio.timeout(WAIT_S):
            reader = await app.reader
            assert app.fired == 0
            LEAVE[way](client)
            await app.gone.wait()
        assert reader.gone
        app.release.set()
        await until(lambda: not served.server.server_state.tasks)
        client.close()
    assert app.fired == 1


@pytest.mark.parametrize("way", LEAVE)
async def test_a_client_that_leaves_after_its_answer_is_not_missed(way: str) -> None:
    app = Held("")
    async with serving(app) as served:
        client = await Client.connect(served)
        await client.send(REQUEST + b"hello")
        assert await client.read_answer() == (200, b"done")
        LEAVE[way](client)
        await until(lambda: not served.connections)
        client.close()
    assert app.fired == 0


async def test_a_client_that_stays_through_a_shutdown_is_not_marked_gone() -> None:
    app = Held("answer")
    async with serving(app) as served:
        client = await Client.connect(served)
        await client.send(REQUEST + b"hello")
        reader = await app.reader
        for connection in served.connections:
            connection.shutdown()
        await asyncio.sleep(0)
        assert not reader.gone
        app.release.set()
        got = await client.read_to_end()
        client.close()
    assert got.endswith(b"connection: close\r\n\r\ndone")
    assert app.fired == 0


async def test_an_app_that_fails_midstream_does_not_mark_its_client_gone() -> None:
    readers = []

    async def failing(scope, receive, send):  # type: ignore[no-untyped-def]
        readers.append(scope["otari.reader"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("as an app may")

    async with serving(failing) as served:
        client = await Client.connect(served)
        await client.send(REQUEST + b"hello")
        await client.read_to_end()
        client.close()
        await until(lambda: not served.connections)
    assert [reader.gone for reader in readers] == [False]


async def test_each_request_of_a_connection_has_its_own_reader_without_a_peer() -> None:
    app = Echo()
    async with serving(app) as served:
        client = await Client.connect(served)
        for _ in range(3):
            await client.send(REQUEST + b"hello")
            await client.read_answer()
        client.close()
    readers = [scope["otari.reader"] for scope in app.scopes]
    assert len(set(map(id, readers))) == 3
    assert [reader.peer for reader in readers] == [None] * 3


async def test_a_reader_on_a_unix_socket_has_the_peer_the_kernel_names(tmp_path: Path) -> None:
    app = Echo()
    async with serving(app, uds=tmp_path / "s") as served:
        client = await Client.connect(served)
        await client.send(REQUEST + b"hello")
        assert await client.read_answer() == (200, b"hello")
        client.close()
    assert app.scopes[0]["otari.reader"].peer == (os.getpid(), os.getuid(), os.getgid())


def test_a_callback_given_after_the_leave_runs_at_once() -> None:
    reader, ran = Reader(), []
    reader.leave()
    reader.on_gone(lambda: ran.append(1))
    assert ran == [1]


def test_callbacks_run_in_order_once_and_not_when_forgotten() -> None:
    reader, ran = Reader(), []
    first, second, third = (lambda n=n: ran.append(n) for n in range(3))
    reader.on_gone(first)
    reader.on_gone(lambda: reader.forget(third))
    reader.on_gone(second)
    reader.on_gone(third)
    reader.leave()
    reader.leave()
    reader.forget(first)
    assert ran == [0, 1]


def test_a_failing_callback_is_logged_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    reader, ran = Reader(), []
    reader.on_gone(lambda: 1 / 0)  # type: ignore[arg-type]
    reader.on_gone(lambda: ran.append(1))
    with caplog.at_level(logging.ERROR, "otari.front"):
        reader.leave()
    assert ran == [1]
    assert len(caplog.records) == 1


def test_a_reader_takes_a_bounded_number_of_callbacks() -> None:
    reader = Reader()
    for _ in range(MAX_CALLBACKS):
        reader.on_gone(lambda: None)
    with pytest.raises(RuntimeError, match="8 callbacks"):
        reader.on_gone(lambda: None)
