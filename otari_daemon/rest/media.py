"""Between Falcon and the messages: a body to a question, an answer to a body."""

from __future__ import annotations

from typing import TypeVar

import falcon
import msgspec
from falcon.asgi import Request, Response

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.protocol import codec

BODY_BYTES_MAX = 1 << 20
"""No question of an operator is longer."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
Q = TypeVar("Q")


async def question(req: Request, cls: type[Q]) -> Q:
    """Read the body as a message; raise `InvalidRequest` or `FieldError` for anything else."""
    body = await req.stream.read(BODY_BYTES_MAX + 1)
    if len(body) > BODY_BYTES_MAX:
        raise falcon.HTTPContentTooLarge(title=f"the body is over {BODY_BYTES_MAX} bytes")
    try:
        data = _decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidRequest("the body is not JSON") from error
    return codec.accept(cls, data)


def answer(resp: Response, value: object) -> None:
    """Put a message, or a list of them, into the response."""
    resp.content_type = falcon.MEDIA_JSON
    resp.data = _encode(codec.dump(value))


def encode(value: object) -> bytes:
    """A message as one line of JSON."""
    return _encode(codec.dump(value))
