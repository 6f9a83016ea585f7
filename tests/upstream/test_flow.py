"""Neither side is given more than it takes."""

import asyncio

import pytest

from otari_daemon.providers.http1 import FailureKind, Timeouts, UpstreamError
from otari_daemon.providers.http1.connection import MAX_UNREAD_BYTES

MIB = 1 << 20
ONE_READ_BYTES = 256 * 1024  # the most a loop delivers at once
CHUNKED_HEAD = b"POST /up HTTP/1.1\r\nhost: up\r\ntransfer-encoding: chunked\r\n\r\n"


async def test_a_stalled_reader_holds_the_sender_back(until, serve, pool_to, get):
    sent = 0

    async def blast(peer):
        nonlocal sent
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (50 * MIB))
        for _ in range(50 * 16):
            await peer.send(b"x" * (MIB // 16))
            sent += MIB // 16

    pool = pool_to(await serve(blast))
    exchange = await pool.send(get())
    await until(lambda: exchange._connection.paused)
    stalled_at = exchange.unread
    assert MAX_UNREAD_BYTES < stalled_at <= MAX_UNREAD_BYTES + ONE_READ_BYTES
    async with asyncio.timeout(5):
        before = -1
        while sent != before:  # until the kernel's buffers are full and the upstream waits too
            before = sent
            await asyncio.sleep(0.05)
    assert exchange.unread == stalled_at
    assert sent < 25 * MIB
    total = most = 0
    while chunk := await exchange.next_chunk():
        total += len(chunk)
        most = max(most, len(chunk))
    assert total == 50 * MIB
    assert most <= MAX_UNREAD_BYTES + ONE_READ_BYTES
    assert pool.stats() == (0, 1, 0)


async def dechunk(peer):
    body = b""
    while size := int(await peer.reader.readline(), 16):
        body += await peer.reader.readexactly(size)
        assert await peer.reader.readexactly(2) == b"\r\n"
    assert await peer.reader.readexactly(2) == b"\r\n"
    return body


async def pieces(*parts):
    for part in parts:
        yield part


async def test_a_body_in_pieces_arrives_whole_and_the_connection_is_kept(serve, pool_to):
    async def accept(peer):
        while True:
            await peer.request()
            peer.server.bodies.append(await dechunk(peer))
            await peer.answer()

    server = await serve(accept)
    pool = pool_to(server)
    for parts in ([b"abc", b"", b"defg"], [], [b"x" * MIB]):
        exchange = await pool.begin_upload(CHUNKED_HEAD, pieces(*parts)).start()
        assert await exchange.read(10) == b"ok"
        assert server.bodies[-1] == b"".join(parts)
    assert server.connections == 1


async def test_a_body_of_known_length_is_sent_as_it_is(serve, pool_to):
    async def accept(peer):
        await peer.request()
        await peer.answer()

    server = await serve(accept)
    head = b"POST /up HTTP/1.1\r\nhost: up\r\ncontent-length: 6\r\n\r\n"
    exchange = await pool_to(server).begin_upload(head, pieces(b"abc", b"def"), 6).start()
    assert await exchange.read(10) == b"ok"
    assert server.bodies == [b"abcdef"]


@pytest.mark.parametrize("parts", [[b"abc"], [b"abc", b"defg"]])
async def test_a_body_of_another_length_than_stated_ends_the_exchange(serve, pool_to, parts):
    async def accept(peer):
        await peer.request()

    pool = pool_to(await serve(accept))
    head = b"POST /up HTTP/1.1\r\nhost: up\r\ncontent-length: 6\r\n\r\n"
    with pytest.raises(UpstreamError) as wrong:
        await pool.begin_upload(head, pieces(*parts), 6).start()
    assert (wrong.value.kind, wrong.value.sent) == (FailureKind.WRITE, True)
    assert pool.stats() == (0, 0, 0)


async def endless(counter):
    while True:
        counter.append(1)
        yield b"x" * 65536


async def test_an_upstream_that_does_not_read_holds_the_upload_back(serve, pool_to):
    async def deaf(peer):
        await peer.request()
        peer.writer.transport.pause_reading()
        await peer.server.go.wait()

    pool, given = pool_to(await serve(deaf), timeouts=Timeouts(idle_s=0.2)), []
    with pytest.raises(UpstreamError) as stalled:
        await pool.begin_upload(CHUNKED_HEAD, endless(given)).start()
    assert stalled.value.kind is FailureKind.IDLE_TIMEOUT
    assert len(given) * 65536 < 25 * MIB
    assert pool.stats() == (0, 0, 0)


@pytest.mark.parametrize("closing", [False, True])
async def test_a_refusal_ends_the_upload_early(serve, pool_to, closing):
    async def refuse(peer):
        await peer.request()
        await peer.reader.readexactly(100_000)
        close = b"connection: close\r\n" if closing else b""
        await peer.send(b"HTTP/1.1 413 No\r\n" + close + b"content-length: 2\r\n\r\nno")
        while await peer.reader.read(65536):
            pass

    pool = pool_to(await serve(refuse))
    exchange = await pool.begin_upload(CHUNKED_HEAD, endless([])).start()
    assert exchange.status == 413
    assert await exchange.read(10) == b"no"
    exchange.close()
    assert pool.stats() == (0, 0, 0)


async def test_an_upstream_that_leaves_during_the_upload_is_a_write_failure(serve, pool_to):
    async def leave(peer):
        await peer.request()
        peer.reset()

    pool = pool_to(await serve(leave))
    with pytest.raises(UpstreamError) as left:
        await pool.begin_upload(CHUNKED_HEAD, endless([])).start()
    assert (left.value.kind, left.value.sent, left.value.started) == (FailureKind.WRITE, True, False)


async def test_a_failing_body_closes_the_connection_and_is_raised_as_it_is(serve, pool_to):
    async def broken():
        yield b"abc"
        raise OSError("the disk is gone")

    async def wait(peer):
        await peer.request()
        while await peer.reader.read(65536):
            pass

    pool = pool_to(await serve(wait))
    with pytest.raises(OSError, match="the disk"):
        await pool.begin_upload(CHUNKED_HEAD, broken()).start()
    assert pool.stats() == (0, 0, 0)


async def test_a_large_body_in_memory_is_sent_whole(serve, pool_to):
    async def accept(peer):
        await peer.request()
        await peer.answer()

    server, body = await serve(accept), bytes(range(256)) * 20_000
    head = b"POST / HTTP/1.1\r\nhost: up\r\ncontent-length: %d\r\n\r\n" % len(body)
    exchange = await pool_to(server).send(head, body)
    assert await exchange.read(10) == b"ok"
    assert server.bodies == [body]
