"""Faults of the body: well framed, 200, and not what was asked for, streamed or not."""

from collections.abc import Callable
from functools import partial

from otari_daemon.mock.exchange import Exchange
from otari_daemon.mock.faults.table import Fault
from otari_daemon.mock.faults.usage import honest
from otari_daemon.mock.frames import HTML, JSON, Request, whole

DEEP = 100_000
PAGE = b"<!doctype html><title>mock</title><h1>Bad gateway, says this page</h1>\n"


def _nan(body: bytes) -> bytes:
    return _with(body, b'"score":NaN,"limit":Infinity')


def _dup(body: bytes) -> bytes:
    return _with(body, b'"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}')


def _deep(body: bytes) -> bytes:
    return _with(body, b'"deep":' + b"[" * DEEP + b"]" * DEEP)


def _badutf8(body: bytes) -> bytes:
    return _with(body, b'"note":"\xff\xfe\xc0\x80"')


def _with(body: bytes, member: bytes) -> bytes:
    """The JSON object `body` with one more member at its end."""
    return body[:-1] + b"," + member + b"}"


async def _body(x: Exchange, _: int, *, spoil: Callable[[bytes], bytes], media: bytes = JSON) -> None:
    x.generate(x.answer.usage.completion_tokens)
    x.last(whole(200, spoil(x.wire.whole(x.wire.usage())), x.tag, media=media))


def _headers_text(request: Request) -> str:
    return "".join([f"{k.decode('latin-1')}: {v.decode('latin-1')}\n" for k, v in request.headers])


FAULTS = {
    "json_nan": Fault(partial(_body, spoil=_nan)),
    "json_dup": Fault(partial(_body, spoil=_dup)),
    "json_deep": Fault(partial(_body, spoil=_deep)),
    "json_badutf8": Fault(partial(_body, spoil=_badutf8)),
    "html_body": Fault(partial(_body, spoil=lambda _: PAGE, media=HTML)),
    "empty_body": Fault(partial(_body, spoil=lambda _: b"")),
    "echo_headers": Fault(honest, says=_headers_text, end="finished"),
}
