"""Faults of server-sent events: streams that break the format, whether or not one was asked for.

A fault is a function from the honest events, the last of which marks the end, to the pieces written,
one HTTP chunk each.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

from otari_daemon.mock.deliver import BATCH_BYTES, honest
from otari_daemon.mock.exchange import Exchange
from otari_daemon.mock.faults.table import Fault
from otari_daemon.mock.frames import LAST_CHUNK, Request, chunk, stream_head
from otari_daemon.mock.wires.wire import Event

MIB = 1024 * 1024
AFTER_DONE = b'data: {"id":"chatcmpl-mock-late","choices":[],"late":true}\n\n'
MULTIBYTE = "na\u00efve \u20ac 42 \U0001f600 \u6f22\u5b57"
TOKENS = 16
EVENTS_BEFORE_ERROR = 4
COMMENT = b": flood\n\n"

Pieces = Iterator[bytes]
Spoil = Callable[[list[bytes], int], Pieces]


def _doubledone(told: list[bytes], _: int) -> Pieces:
    yield from [*told, told[-1]]


def _after_done(told: list[bytes], _: int) -> Pieces:
    yield from [*told, AFTER_DONE]


def _crlfmix(told: list[bytes], _: int) -> Pieces:
    ends = (b"\n\n", b"\r\n\r\n", b"\r\r", b"\r\n\n")
    for at, event in enumerate(told):
        yield event.removesuffix(b"\n\n") + ends[at % len(ends)]


def _bom(told: list[bytes], _: int) -> Pieces:
    yield from [b"\xef\xbb\xbf", *told]


def _split_utf8(told: list[bytes], _: int) -> Pieces:
    """Cuts inside every character beyond ASCII."""
    data = b"".join(told)
    start = 0
    for at, byte in enumerate(data):
        if byte >= 0xC0:
            yield data[start : at + 1]
            start = at + 1
    yield data[start:]


def _badjson(told: list[bytes], _: int) -> Pieces:
    yield from told[:2]
    yield b'data: {"id":"chatcmpl-mock","choices":[{"index":0,"delta":{"content":"\n\n'
    yield from told[2:]


def _html(_told: list[bytes], _: int) -> Pieces:
    yield b"<!doctype html>\n<title>mock</title>\n\n<h1>Bad gateway, says this page</h1>\n\n"


def _comment_flood(told: list[bytes], count: int) -> Pieces:
    per_write = BATCH_BYTES // len(COMMENT)
    for sent in range(0, count, per_write):
        yield COMMENT * min(per_write, count - sent)
    yield from told


def _missing_blank(told: list[bytes], _: int) -> Pieces:
    """Events end with one line feed, so that none is ever dispatched."""
    yield from [event.removesuffix(b"\n") for event in told]


def _event_50mb(told: list[bytes], size: int) -> Pieces:
    """One event of about `size` bytes among the others."""
    yield told[0]
    yield b'data: {"choices":[],"pad":"'
    for sent in range(0, size, BATCH_BYTES):
        yield b"x" * min(BATCH_BYTES, size - sent)
    yield b'"}\n\n'
    yield from told[1:]


async def _spoiled(x: Exchange, number: int, *, spoil: Spoil) -> None:
    """Write what `spoil` makes of the events, all of which were generated."""
    events, end = honest(x)
    told = list(events)
    x.generate(sum(event.tokens for event in told))
    await x.send(stream_head(x.tag))
    for piece in spoil([*[event.data for event in told], *([end] if end else [])], number):
        await x.send(chunk(piece))
    x.last(LAST_CHUNK)


async def _error_event(x: Exchange, _: int) -> None:
    """Fail after the first events; only those were generated."""
    known: list[Event] = list(islice(honest(x).events, EVENTS_BEFORE_ERROR))
    x.generate(sum(event.tokens for event in known))
    await x.send(stream_head(x.tag))
    for data in [*[event.data for event in known], x.wire.error_event("mock: failed mid-stream")]:
        await x.send(chunk(data))
    x.last(LAST_CHUNK)


def _multibyte(_: Request) -> str:
    return MULTIBYTE


_SPOILS: dict[str, Spoil] = {
    "sse_nodone": lambda told, _: iter(told[:-1]),
    "sse_doubledone": _doubledone,
    "sse_after_done": _after_done,
    "sse_crlfmix": _crlfmix,
    "sse_bom": _bom,
    "sse_badjson": _badjson,
    "sse_html": _html,
    "sse_missing_blank": _missing_blank,
}

FAULTS = {name: Fault(partial(_spoiled, spoil=spoil)) for name, spoil in _SPOILS.items()} | {
    "sse_split_utf8": Fault(partial(_spoiled, spoil=_split_utf8), says=_multibyte),
    "sse_comment_flood": Fault(partial(_spoiled, spoil=_comment_flood), default=10_000),
    "sse_error_event": Fault(_error_event, lorem=TOKENS),
    "sse_event_50mb": Fault(partial(_spoiled, spoil=_event_50mb), default=50 * MIB),
}
