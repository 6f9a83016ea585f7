"""What the front lets pass is within RFC 9112's grammar, byte for byte; a regex is the oracle."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.server import ServerState

from otari_daemon.front.head import judge_lines, read_line
from otari_daemon.front.limits import FrontLimits
from otari_daemon.front.protocol import StrictHttpProtocol
from otari_daemon.front.refusals import Refused

GRAMMAR = re.compile(
    rb"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (?:https?://[^/?]+)?[!-\"$-\[\]-~]+ HTTP/1\.[01]\r\n"
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n",
    re.IGNORECASE,
)
GOOD = b"POST /v1/chat?x=%41 HTTP/1.1\r\nHost: a\r\nX-Y: a b\r\nContent-Length: 0\r\nEmpty:\r\n\r\n"


class Deaf(asyncio.Transport):
    """A transport that goes nowhere."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written = bytes(data)

    def is_closing(self) -> bool:
        return False

    def can_write_eof(self) -> bool:
        return True

    def _ignore(self, *args: object, **kwargs: object) -> None:
        """Do nothing."""

    close = abort = write_eof = set_write_buffer_limits = pause_reading = resume_reading = _ignore


class Judging(StrictHttpProtocol):
    """Starts no application; remembers whether it would have."""

    passed = False

    def _start(self) -> None:
        self.passed = True


async def unused(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("no application is started")


CONFIG = uvicorn.Config(unused, http=Judging, ws="none", lifespan="off", log_config=None)
CONFIG.load()


def passes(head: bytes) -> bool:
    """Whether the front starts the application for `head`."""
    loop = asyncio.new_event_loop()
    try:
        protocol = Judging(CONFIG, ServerState(), {}, loop)
        protocol.connection_made(Deaf())
        protocol.data_received(head)
        protocol.connection_lost(None)
    finally:
        loop.close()
    return protocol.passed


def test_the_unchanged_head_passes() -> None:
    assert passes(GOOD)


@pytest.mark.parametrize("place", [b"/v1", b"HTTP", b"Host", b": a", b"X-Y", b"a b", b"\r\n\r\n", b"Empty:"])
def test_every_byte_in_every_kind_of_place_is_judged_as_the_grammar_does(place: bytes) -> None:
    at = GOOD.index(place) + 1
    for byte in range(256):
        for head in (GOOD[:at] + bytes([byte]) + GOOD[at:], GOOD[:at] + bytes([byte]) + GOOD[at + 1 :]):
            assert not passes(head) or GRAMMAR.fullmatch(head), head


nasty = st.sampled_from(
    [b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b"\x0b", b"\x7f", b"\xff", b"\r\n ", b"\n\n", b"X: a"]
)
edits = st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 3), nasty), min_size=1, max_size=4)


@given(edits=edits)
def test_a_damaged_head_that_passes_is_still_within_the_grammar(
    edits: list[tuple[int, int, bytes]],
) -> None:
    head = GOOD
    for at, drop, insert in edits:
        head = head[:at] + insert + head[at + drop :]
    first = head.find(b"\r\n\r\n") + 4
    assert not passes(head) or GRAMMAR.fullmatch(head[:first]), head


@pytest.mark.parametrize(
    "field", [b"X: a\nY: b", b"X: a\rY: b", b"X: a\rY: b\nZ: c", b"X: a\r\n b", b"X: \0"]
)
def test_the_scan_refuses_odd_line_ends_even_if_the_parser_would_not(field: bytes) -> None:
    with pytest.raises(Refused):
        scan(b"GET / HTTP/1.1\r\n" + field + b"\r\n\r\n", field_count=1)


def scan(head: bytes, field_count: int) -> None:
    judge_lines(read_line(head, FrontLimits()), field_count, FrontLimits())
