"""POST /v1/images/generations and /v1/images/edits: one pixel, colored by the prompt.

Counted in images, which are linked to unless base64 is asked for; the model `tokens` counts tokens
and encloses them, as OpenAI's newer models do.
"""

import base64
import hashlib
import struct
import zlib
from functools import partial
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from otari_daemon.mock.answer import Usage, no_answer
from otari_daemon.mock.endpoints.endpoint import Asked, Endpoint, Stamp, read_field, read_form, read_json
from otari_daemon.mock.frames import Request
from otari_daemon.mock.manner import openai_manner
from otari_daemon.mock.models import Model, read_number
from otari_daemon.mock.refusal import Refused
from otari_daemon.mock.tokens import count_tokens
from otari_daemon.mock.wires.plain import PlainWire, state_input

MAX_IMAGES = 10
TOKENS_PER_IMAGE = 272

_PLACE = "https://images.mock.invalid"


class Wanted(Struct, frozen=True):
    """A request for images; `sent` is how many came with it."""

    model: str
    prompt: Annotated[str, Meta(min_length=1)]
    n: Annotated[int, Meta(ge=1, le=MAX_IMAGES)] | None = 1
    response_format: Literal["url", "b64_json"] | None = None
    sent: int = 0


_decoder = msgspec.json.Decoder(Wanted)


def _read(request: Request) -> Asked:
    wanted = msgspec.structs.replace(read_json(_decoder, request), sent=0)
    return Asked(wanted.model, partial(_answer, wanted))


def _read_edit(request: Request) -> Asked:
    form = read_form(request)
    sent = len(form.files("image", "image[]"))
    if not sent:
        raise Refused(400, "the form has no file 'image'")
    n = read_number("n", form.field("n") or "1", MAX_IMAGES)
    fields = {"model": read_field(form, "model"), "prompt": read_field(form, "prompt"), "n": n, "sent": sent}
    try:
        wanted = msgspec.convert({**fields, "response_format": form.field("response_format")}, Wanted)
    except msgspec.ValidationError as error:
        raise Refused(400, f"the form is not as this endpoint wants it: {error}") from error
    return Asked(wanted.model, partial(_answer, wanted))


def _answer(wanted: Wanted, model: Model, stamp: Stamp, text: str | None) -> PlainWire:
    images = wanted.n or 1
    enclosed = wanted.response_format == "b64_json" or (model.by_tokens and wanted.response_format is None)
    data = [
        _image(wanted, stamp, index, text) if not enclosed else _enclosed(wanted) for index in range(images)
    ]
    body = {"created": stamp.created, "data": data}
    if not model.by_tokens:
        answer = no_answer(stamp.number, stamp.created, wanted.model, Usage(0, 0, units=images))
        return PlainWire(answer, body, None, state_input)
    words, seen, drawn = (
        count_tokens(wanted.prompt),
        wanted.sent * TOKENS_PER_IMAGE,
        images * TOKENS_PER_IMAGE,
    )
    usage = {
        "input_tokens": words + seen,
        "input_tokens_details": {"text_tokens": words, "image_tokens": seen},
        "output_tokens": drawn,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": drawn},
        "total_tokens": words + seen + drawn,
    }
    answer = no_answer(stamp.number, stamp.created, wanted.model, Usage(words + seen, drawn))
    return PlainWire(answer, body, usage, state_input)


def _image(wanted: Wanted, stamp: Stamp, index: int, text: str | None) -> dict[str, object]:
    return {"url": f"{_PLACE}/{stamp.number}-{index}.png", "revised_prompt": text or wanted.prompt}


def _enclosed(wanted: Wanted) -> dict[str, object]:
    return {
        "b64_json": base64.b64encode(pixel_png(hashlib.sha256(wanted.prompt.encode()).digest()[:3])).decode()
    }


def pixel_png(color: bytes) -> bytes:
    """A PNG of one pixel; `color` is its red, green and blue."""
    size_and_kind = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", size_and_kind), (b"IDAT", zlib.compress(b"\0" + color)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join([_png_chunk(kind, data) for kind, data in chunks])


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


GENERATIONS = Endpoint(openai_manner("/v1/images/generations"), _read)
EDITS = Endpoint(openai_manner("/v1/images/edits"), _read_edit)
