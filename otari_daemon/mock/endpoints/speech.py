"""POST /v1/audio/speech: silence that looks like MP3, longer for longer texts; counted in characters."""

from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from otari_daemon.mock.answer import Usage, no_answer
from otari_daemon.mock.endpoints.endpoint import Asked, Endpoint, Stamp, read_json
from otari_daemon.mock.frames import Request
from otari_daemon.mock.manner import openai_manner
from otari_daemon.mock.models import Model
from otari_daemon.mock.wires.plain import BytesWire

MAX_CHARACTERS = 4_096
FRAMES_PER_CHARACTER = 2
MP3_FRAME = b"\xff\xfb\x90\x64" + b"\0" * 413
"""26 ms of silence: MPEG-1 layer III, 128 kbit/s, 44.1 kHz."""

_MEDIA = {
    "mp3": b"audio/mpeg",
    "opus": b"audio/opus",
    "aac": b"audio/aac",
    "flac": b"audio/flac",
    "wav": b"audio/wav",
    "pcm": b"audio/L16",
}


class Wanted(Struct, frozen=True):
    """A request to speak; whatever the format, the bytes are MP3's."""

    model: str
    input: Annotated[str, Meta(min_length=1, max_length=MAX_CHARACTERS)]
    voice: object
    response_format: str | None = "mp3"


_decoder = msgspec.json.Decoder(Wanted)


def _read(request: Request) -> Asked:
    wanted = read_json(_decoder, request)
    return Asked(wanted.model, partial(_answer, wanted), streamed=True)


def _answer(wanted: Wanted, _model: Model, stamp: Stamp, _text: str | None) -> BytesWire:
    characters = len(wanted.input)
    answer = no_answer(stamp.number, stamp.created, wanted.model, Usage(0, 0, units=characters))
    media = _MEDIA.get(wanted.response_format or "mp3", b"audio/mpeg")
    return BytesWire(answer, media, MP3_FRAME, characters * FRAMES_PER_CHARACTER)


SPEECH = Endpoint(openai_manner("/v1/audio/speech"), _read)
