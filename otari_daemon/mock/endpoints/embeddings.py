"""POST /v1/embeddings: vectors that depend on the text alone, as floats or base64."""

import base64
import hashlib
import math
import struct
from functools import partial
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from otari_daemon.mock.answer import Usage, no_answer
from otari_daemon.mock.endpoints.endpoint import Asked, Endpoint, Stamp, read_json
from otari_daemon.mock.frames import Request
from otari_daemon.mock.manner import openai_manner
from otari_daemon.mock.models import Model
from otari_daemon.mock.refusal import Refused
from otari_daemon.mock.tokens import count_tokens
from otari_daemon.mock.wires.plain import PlainWire

DIMENSIONS = 64
MAX_DIMENSIONS = 4_096
MAX_INPUTS = 2_048

Text = Annotated[str, Meta(min_length=1)]
Tokens = Annotated[list[int], Meta(min_length=1)]


class Wanted(Struct, frozen=True):
    """A request for embeddings; one list of numbers is one input in tokens."""

    model: str
    input: Text | Annotated[list[Text | int | Tokens], Meta(min_length=1, max_length=MAX_INPUTS)]
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: Annotated[int, Meta(ge=1, le=MAX_DIMENSIONS)] | None = None


_decoder = msgspec.json.Decoder(Wanted)


def _read(request: Request) -> Asked:
    wanted = read_json(_decoder, request)
    return Asked(wanted.model, partial(_answer, wanted))


def _answer(wanted: Wanted, _model: Model, stamp: Stamp, _text: str | None) -> PlainWire:
    inputs = _inputs(wanted)
    tokens = sum(count_tokens(one) if isinstance(one, str) else len(one) for one in inputs)
    usage = Usage(tokens, 0)
    data = [
        {"object": "embedding", "index": index, "embedding": _shown(one, wanted)}
        for index, one in enumerate(inputs)
    ]
    return PlainWire(
        no_answer(stamp.number, stamp.created, wanted.model, usage),
        {"object": "list", "data": data, "model": wanted.model},
        {"prompt_tokens": tokens, "total_tokens": tokens},
    )


def _inputs(wanted: Wanted) -> list[str | list[int]]:
    """The texts, or the lists of tokens; `Refused` (400) if both are there."""
    if isinstance(wanted.input, str):
        return [wanted.input]
    if len({type(one) for one in wanted.input}) > 1:
        raise Refused(400, "input mixes texts, tokens and lists of tokens")
    numbers = [one for one in wanted.input if isinstance(one, int)]
    return [numbers] if numbers else [one for one in wanted.input if not isinstance(one, int)]


def _shown(one: str | list[int], wanted: Wanted) -> list[float] | str:
    packed = _vector(repr(one).encode(), wanted.dimensions or DIMENSIONS)
    if wanted.encoding_format == "base64":
        return base64.b64encode(packed).decode()
    return list(struct.unpack(f"<{len(packed) // 4}f", packed))


def _vector(seed: bytes, dimensions: int) -> bytes:
    """A vector of length one, as little-endian floats of 32 bits."""
    drawn = struct.unpack(f"<{dimensions}i", hashlib.shake_256(seed).digest(4 * dimensions))
    length = math.hypot(*drawn) or 1.0
    return struct.pack(f"<{dimensions}f", *[number / length for number in drawn])


EMBEDDINGS = Endpoint(openai_manner("/v1/embeddings"), _read)
