"""Live events: frames, keepalives, resumption, and the end of a feed nobody reads."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest

from otari_daemon.admin.events import EventStream
from otari_daemon.front.reader import Reader
from otari_daemon.protocol.codec import read
from otari_daemon.protocol.messages import Event
from tests.admin.fake_operations import REFUSAL, ROW, FakeOperations
from tests.admin.raw_admin import Admin

PATIENCE_S = 10.0
FIRST = Event("c1", "request", row=ROW)
SECOND = Event("c2", "refusal", refusal=REFUSAL)


def test_events_arrive_as_they_happen_each_with_its_cursor(admin: Admin, operations: FakeOperations) -> None:
    connection = admin.connect()
    connection.request("GET", "/events?after=c0", headers={"Host": "otari"})
    response = connection.getresponse()

    for event in (FIRST, SECOND):
        admin.served.call(operations.feed.put_nowait, event)
        frame = [response.readline() for _ in range(3)]

        assert frame[0] == f"id: {event.cursor}\n".encode()
        assert read(Event, json.loads(frame[1].removeprefix(b"data: "))) == event
        assert frame[2] == b"\n"

    assert response.headers["Content-Type"] == "text/event-stream"
    assert operations.followed_after == ["c0"]
    admin.served.call(operations.feed.put_nowait, None)
    assert response.read() == b""
    connection.close()


def test_last_event_id_resumes_too(admin: Admin, operations: FakeOperations) -> None:
    admin.served.call(operations.feed.put_nowait, None)
    connection = admin.connect()
    connection.request("GET", "/events", headers={"Host": "otari", "Last-Event-ID": "c7"})
    connection.getresponse().read()
    connection.close()

    assert operations.followed_after == ["c7"]


def test_a_reader_that_leaves_ends_the_feed_though_nothing_happens(
    admin: Admin, operations: FakeOperations
) -> None:
    connection = admin.connect()
    connection.request("GET", "/events", headers={"Host": "otari"})
    response = connection.getresponse()
    admin.served.call(operations.feed.put_nowait, FIRST)
    response.readline()
    response.close()
    connection.close()

    until = time.monotonic() + PATIENCE_S
    while operations.left == 0 and time.monotonic() < until:
        admin.ask("GET", "/status")  # a round through the server's loop
    assert operations.left == 1


async def _silence() -> AsyncIterator[Event]:
    await asyncio.Event().wait()
    yield FIRST


async def test_a_silent_feed_is_kept_alive_by_comments() -> None:
    stream = EventStream(_silence(), Reader(), keepalive_s=0.001)

    assert [await anext(stream), await anext(stream)] == [b": keepalive\n\n"] * 2
    await stream.close()


async def test_closing_lets_the_feed_go_while_it_waits() -> None:
    let_go = asyncio.Event()

    async def feed() -> AsyncIterator[Event]:
        try:
            await asyncio.Event().wait()
            yield FIRST
        finally:
            let_go.set()

    stream = EventStream(feed(), Reader(), keepalive_s=0.001)
    await anext(stream)

    await stream.close()

    assert let_go.is_set()


async def test_a_reader_already_gone_gets_nothing() -> None:
    reader = Reader()
    reader.leave()
    stream = EventStream(_silence(), reader)

    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(stream), PATIENCE_S)
    await stream.close()
