"""What a connection writes, write by write, on a transport that only remembers."""

import asyncio
import json
import time
import tracemalloc
from itertools import count

from otari_daemon.mock import Bill, Sources
from otari_daemon.mock.connection import Connection
from otari_daemon.mock.frames import LAST_CHUNK
from otari_daemon.mock.service import Mock
from tests.mock.mock_raw_client import chat_body

PATIENCE_S = 5


class Remembering(asyncio.Transport):
    """Takes every write and lets the last be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.ended = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))
        if b"".join(self.writes[-8:]).endswith(LAST_CHUNK):
            self.ended.set()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == 0, "unsent bytes would pile up"


def connect() -> tuple[Connection, Remembering]:
    """A connection that was asked for nothing yet."""
    mock = Mock(Bill(), Sources(lambda: 0, time.monotonic_ns, count(1)), shows_bill=False)
    connection = Connection(mock.handle, lambda _: None, 1, PATIENCE_S)
    transport = Remembering()
    connection.connection_made(transport)
    return connection, transport


def ask(model: str) -> tuple[Connection, Remembering]:
    """A connection that was just asked for a stream of `model`, its reader not taking any yet."""
    connection, transport = connect()
    connection.pause_writing()
    body = json.dumps(chat_body(model, stream=True)).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body)
    connection.data_received(head + body)
    return connection, transport


async def written(model: str) -> list[bytes]:
    """The writes that answer a streamed request for `model`, all taken."""
    connection, transport = ask(model)
    connection.resume_writing()
    await asyncio.wait_for(transport.ended.wait(), PATIENCE_S)
    return transport.writes


async def test_one_byte_writes_are_of_one_byte() -> None:
    assert {len(data) for data in await written("fault:one_byte_writes")} == {1}


async def test_a_dripping_stream_writes_each_token_by_itself() -> None:
    writes = await written("drip:5:1")

    assert [data.count(b'"delta":{"content":"') for data in writes] == [0, 0, 1, 1, 1, 1, 1, 0, 0]


async def test_a_fast_stream_writes_many_tokens_at_once_but_never_much() -> None:
    writes = await written("lorem:1000")

    assert 5 < len(writes) < 50
    assert max(map(len, writes)) < 20 * 1024


async def test_no_second_write_is_made_until_the_reader_has_taken_the_first() -> None:
    connection, transport = ask("lorem:1000")
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(transport.writes) == 1

    connection.resume_writing()
    await asyncio.wait_for(transport.ended.wait(), PATIENCE_S)
    assert len(transport.writes) > 5


async def test_a_file_sent_in_is_measured_and_not_kept() -> None:
    connection, transport = connect()
    mib = 1024 * 1024
    piece = bytes(mib)
    before = b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\necho\r\n--b\r\n'
    before += b'content-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n'
    after = b"\r\n--b--\r\n"
    head = b"POST /v1/audio/transcriptions HTTP/1.1\r\ncontent-type: multipart/form-data; boundary=b\r\n"
    length = len(before) + 20 * mib + len(after)
    tracemalloc.start()
    try:
        connection.data_received(head + b"content-length: %d\r\n\r\n" % length + before)
        for _ in range(20):
            connection.data_received(piece)
        connection.data_received(after)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 8 * mib
    assert b'"seconds":%d}' % -(-20 * mib // 16_000) in b"".join(transport.writes)
