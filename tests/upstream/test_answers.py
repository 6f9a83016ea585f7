"""Answers as bytes: cut anywhere, ended anywhere, lying about themselves."""

import asyncio

import pytest

from otari_daemon.providers.http1 import FailureKind, Timeouts, UpstreamError
from otari_daemon.providers.http1.connection import MAX_UNREAD_BYTES, Connection
from otari_daemon.providers.http1.exchange import Exchange

K = FailureKind
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SSE = b'data: {"delta":"h\xc3\xa9"}\n\n'

# name -> (the answer's bytes, its body, whether the connection may be used again)
WHOLE = {
    "counted": (OK + b"Content-Length: 5\r\nX: y \r\n\r\nhello", b"hello", True),
    "empty": (OK + b"Content-Length: 0\r\n\r\n", b"", True),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b"", True),
    "chunked": (CHUNKED + b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", b"hello!", True),
    "extensions and trailers": (
        CHUNKED + b'5;a="b";c\r\nhello\r\n0;z\r\nX-Sum: 1\r\nX-Two: 2\r\n\r\n',
        b"hello",
        True,
    ),
    "events": (CHUNKED + 3 * (b"%x\r\n%b\r\n" % (len(SSE), SSE)) + b"0\r\n\r\n", 3 * SSE, True),
    "interim first": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
        + OK
        + b"Content-Length: 2\r\n\r\nhi",
        b"hi",
        True,
    ),
    "told to close": (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi", b"hi", False),
    "until close": (OK + b"\r\nhello", b"hello", False),
    "http/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi", False),
}


class Desk:
    """A pool of one connection, and the transport under it: counts what they are told."""

    def __init__(self, head=b"GET / HTTP/1.1\r\n\r\n"):
        self.loop = asyncio.get_running_loop()
        self.freed_count = self.vacated_count = self.pauses = 0
        self.aborted, self.written, self.queue_s = False, b"", 1.0
        self.connection = Connection(self, self.loop)
        self.connection.adopt(self)
        self.exchange = Exchange(self, self.loop, head, b"", Timeouts())

    def enlist(self, exchange):
        exchange.attach(self.connection)

    def withdraw(self, exchange): ...
    def finished(self, exchange): ...
    def opened(self, connection): ...
    def closed(self, connection): ...
    def died_idle(self, connection): ...

    def vacated(self):
        self.vacated_count += 1

    def freed(self, connection):
        self.freed_count += 1

    def write(self, data):
        self.written += data

    def abort(self):
        self.aborted = True

    def pause_reading(self):
        self.pauses += 1

    def resume_reading(self): ...

    def receive(self, *segments, end=False):
        """Deliver segments while the connection lives, then the end of input."""
        for segment in segments:
            if segment and self.connection.alive:
                self.connection.data_received(segment)
        if end:
            self.connection.eof_received()

    async def answer(self):
        await self.exchange.start()
        return await self.exchange.read(1 << 20)


async def asking(head=b"GET / HTTP/1.1\r\n\r\n"):
    """A desk whose request is written and whose reader waits."""
    desk = Desk(head)
    desk.reader = asyncio.ensure_future(desk.answer())
    await asyncio.sleep(0)
    assert desk.written == head
    return desk


async def failure(desk):
    with pytest.raises(UpstreamError) as failed:
        await desk.reader
    assert desk.aborted
    assert (desk.vacated_count, desk.freed_count) == (1, 0)
    return failed.value


@pytest.mark.parametrize("name", WHOLE)
async def test_an_answer_cut_at_any_byte_is_the_same_answer(name):
    answer, body, reusable = WHOLE[name]
    for cut in range(1, len(answer) + 1):
        desk = await asking()
        desk.receive(answer[:cut], answer[cut:], end=name == "until close")
        assert await desk.reader == body, cut
        assert desk.freed_count + desk.vacated_count == 1
        assert desk.aborted == bool(desk.vacated_count)
        if not reusable:
            assert desk.vacated_count == 1


@pytest.mark.parametrize("name", WHOLE)
async def test_an_answer_byte_by_byte_wakes_the_reader_for_each_piece(name):
    answer, body, _ = WHOLE[name]
    desk, got = Desk(), []
    starting = asyncio.ensure_future(desk.exchange.start())
    await asyncio.sleep(0)
    for byte in answer:
        desk.receive(bytes([byte]))
        if desk.exchange.unread:
            await starting
            got.append(await desk.exchange.next_chunk())
    desk.receive(end=name == "until close")
    await starting
    assert await desk.exchange.next_chunk() == b""
    assert b"".join(got) == body
    assert all(len(piece) == 1 for piece in got)


@pytest.mark.parametrize("name", WHOLE)
async def test_an_answer_in_one_segment_leaves_the_connection_as_it_should_be(name):
    answer, _, reusable = WHOLE[name]
    desk = await asking()
    desk.receive(answer, end=name == "until close")
    await desk.reader
    assert desk.freed_count == reusable


@pytest.mark.parametrize("name", WHOLE)
async def test_an_end_at_any_byte_before_the_last_is_a_reset(name):
    answer = WHOLE[name][0]
    last = answer.index(b"\r\n\r\n") + 4 if name == "until close" else len(answer)
    for cut in range(last):
        desk = await asking()
        desk.receive(answer[:cut], end=True)
        error = await failure(desk)
        assert (error.kind, error.sent, error.started) == (K.RESET, True, cut > 0)


async def test_bytes_before_a_reset_are_read_before_it_is_raised():
    desk = Desk()
    starting = asyncio.ensure_future(desk.exchange.start())
    await asyncio.sleep(0)
    desk.receive(OK + b"Content-Length: 9\r\n\r\nabc", end=True)
    await starting
    assert await desk.exchange.next_chunk() == b"abc"
    with pytest.raises(UpstreamError):
        await desk.exchange.next_chunk()


STRAY = [
    b"\r\n",
    b"\n",
    b"\r",
    b"x",
    b"\0",
    b"0\r\n\r\n",
    OK,
    OK + b"Content-Length: 0\r\n\r\n",
    OK + b"Content-Length: 5\r\n\r\nOTHER",
    b"\r\n\r\n" + OK,
]


@pytest.mark.parametrize("stray", STRAY)
@pytest.mark.parametrize("name", [name for name, (_, _, reusable) in WHOLE.items() if reusable])
async def test_a_byte_too_many_in_any_segment_closes_the_connection(name, stray):
    answer, body, _ = WHOLE[name]
    whole = answer + stray
    for cut in range(len(answer)):
        desk = await asking()
        desk.receive(whole[:cut], whole[cut:])
        assert await desk.reader == body, cut
        assert desk.aborted, cut
        assert (desk.vacated_count, desk.freed_count) == (1, 0)


MALFORMED = {
    "length and coding": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "two equal lengths": OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!",
    "a list of lengths": OK + b"Content-Length: 2, 2\r\n\r\nhi",
    "signed length": OK + b"Content-Length: +2\r\n\r\nhi",
    "negative length": OK + b"Content-Length: -2\r\n\r\nhi",
    "hex length": OK + b"Content-Length: 0x2\r\n\r\nhi",
    "empty length": OK + b"Content-Length:\r\n\r\nhi",
    "huge length": OK + b"Content-Length: 99999999999999999999999\r\n\r\nhi",
    "space before colon": OK + b"Content-Length : 2\r\n\r\nhi",
    "gzip coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "two codings": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "identity coding": OK + b"Transfer-Encoding: identity\r\n\r\nhi",
    "folded coding": OK + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "coding on http/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "http/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "http/0.9": b"HTTP/0.9 200 OK\r\n\r\nhi",
    "no http": b"<html>hi</html>\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "short status": b"HTTP/1.1 20 OK\r\n\r\n",
    "bare lf": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "folded field": OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "nul in a value": OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "empty name": OK + b": b\r\nContent-Length: 0\r\n\r\n",
    "chunk size": CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n",
    "chunk size sign": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "chunk size overflow": CHUNKED + b"ffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "chunk too long": CHUNKED + b"3\r\nhello\r\n0\r\n\r\n",
    "chunk bare lf": CHUNKED + b"5\nhello\n0\n\n",
    "chunk trailing space": CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n",
    "length in a trailer": CHUNKED + b"0\r\nContent-Length: 4\r\n\r\nhihi",
    "switching protocols": b"HTTP/1.1 101 Go\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nhi",
    "plain 101": b"HTTP/1.1 101 Go\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    "interim with a body": b"HTTP/1.1 150 Hm\r\nContent-Length: 3\r\n\r\nabc" + OK + b"\r\n",
    "interim flood": 11 * b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_an_ambiguous_or_broken_answer_is_refused_however_it_arrives(name):
    answer = MALFORMED[name]
    for cut in range(len(answer)):
        desk = await asking()
        desk.receive(answer[:cut], answer[cut:])
        error = await failure(desk)
        assert (error.kind, error.sent, error.started) == (K.PROTOCOL, True, True), cut


async def test_ten_interim_answers_are_skipped():
    desk = await asking()
    desk.receive(10 * b"HTTP/1.1 102 Processing\r\n\r\n" + WHOLE["counted"][0])
    assert await desk.reader == b"hello"


TOO_LARGE = {
    "one value": (OK, b"X: ", b"a" * 4096, 40),
    "one name": (OK, b"", b"a" * 4096, 40),
    "reason phrase": (b"HTTP/1.1 200 ", b"", b"a" * 4096, 40),
    "many fields": (OK, b"", b"X: y\r\n", 300),
    "many bytes": (OK, b"", b"X: " + b"y" * 1000 + b"\r\n", 80),
}


@pytest.mark.parametrize("segments", ["one", "many"])
@pytest.mark.parametrize("name", TOO_LARGE)
async def test_a_head_without_measure_is_refused(name, segments):
    start, prefix, piece, times = TOO_LARGE[name]
    desk = await asking()
    desk.receive(
        *([start + prefix, *[piece] * times] if segments == "many" else [start + prefix + piece * times])
    )
    assert (await failure(desk)).kind is K.HEADERS_TOO_LARGE


async def test_a_complete_head_above_the_bound_is_refused_even_in_one_segment():
    desk = await asking()
    desk.receive(OK + b"X: " + b"a" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n")
    assert (await failure(desk)).kind is K.HEADERS_TOO_LARGE


@pytest.mark.parametrize("piece", [b"X: y\r\n", b"X: " + b"a" * 4000 + b"\r\n", b"a" * 4096])
async def test_trailers_without_measure_are_refused(piece):
    desk = await asking()
    desk.receive(CHUNKED + b"1\r\na\r\n0\r\n", *[piece] * 300)
    assert (await failure(desk)).kind is K.PROTOCOL


async def test_a_chunk_extension_without_measure_is_refused():
    desk = await asking()
    desk.receive(CHUNKED + b"1;", *[b"a" * 4096] * 20)
    assert (await failure(desk)).kind is K.PROTOCOL


@pytest.mark.parametrize("extra", [b"", b"body!"])
async def test_an_answer_to_head_has_no_body_and_its_connection_is_not_kept(extra):
    desk = await asking(b"HEAD / HTTP/1.1\r\n\r\n")
    desk.receive(OK + b"Content-Length: 5\r\n\r\n" + extra)
    assert await desk.reader == b""
    assert desk.exchange.header(b"content-length") == b"5"
    assert (desk.vacated_count, desk.freed_count) == (1, 0)


@pytest.mark.parametrize(
    "answer",
    [OK + b"Content-Length: 11\r\n\r\n", OK + b"\r\n" + b"a" * 11, CHUNKED + b"b\r\naaaaaaaaaaa\r\n"],
)
async def test_a_body_above_the_limit_is_refused(answer):
    desk = Desk()
    starting = asyncio.ensure_future(desk.exchange.start())
    await asyncio.sleep(0)
    desk.receive(answer)
    await starting
    with pytest.raises(UpstreamError) as refused:
        await desk.exchange.read(10)
    assert refused.value.kind is K.BODY_TOO_LARGE
    assert desk.aborted


async def test_a_body_of_exactly_the_limit_is_read():
    desk = Desk()
    starting = asyncio.ensure_future(desk.exchange.start())
    await asyncio.sleep(0)
    desk.receive(WHOLE["chunked"][0])
    await starting
    assert await desk.exchange.read(6) == b"hello!"


async def test_a_whole_read_wakes_once_and_is_not_held_back():
    desk = await asking()
    body = b"a" * (4 * MAX_UNREAD_BYTES)
    desk.receive(OK + b"Content-Length: %d\r\n\r\n" % len(body))
    await asyncio.sleep(0)
    desk.receive(*(body[at : at + 10_000] for at in range(0, len(body), 10_000)))
    assert desk.pauses == 0
    assert await desk.reader == body


async def test_header_names_are_lower_case_and_values_trimmed():
    desk = await asking()
    desk.receive(WHOLE["counted"][0])
    await desk.reader
    assert desk.exchange.headers == [(b"content-length", b"5"), (b"x", b"y")]
    assert desk.exchange.header(b"x") == b"y"
    assert desk.exchange.header(b"nothing") is None


async def test_errors_hold_nothing_of_request_or_answer():
    desk = await asking(b"GET /?key=sk-secret HTTP/1.1\r\nauthorization: sk-secret\r\n\r\n")
    desk.receive(b"HTTP/1.1 sk-secret\r\n\r\n")
    error = await failure(desk)
    assert "secret" not in repr(error) + str(error.__cause__) + str(error.__dict__)
