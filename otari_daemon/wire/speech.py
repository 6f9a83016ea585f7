"""OpenAI speech: `POST /v1/audio/speech`. JSON in, sound out; priced by the character or by tokens."""

from __future__ import annotations

import msgspec

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.intent import EVENT_STREAM, Intent, input_bound
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.token_count import estimated_tokens
from otari_daemon.domain.usage import Usage
from otari_daemon.wire.bytes_meter import BytesMeter
from otari_daemon.wire.dialect import Body, Meter, Reading, Wire
from otari_daemon.wire.fields import model_of, refuse_steering
from otari_daemon.wire.media_meter import MediaMeter
from otari_daemon.wire.plain import OpenAIErrors, PlainWire
from otari_daemon.wire.strict_json import decode
from otari_daemon.wire.usage_format import UsageFormat

CHARACTERS_MAX = 100_000
SOUND = b"audio/"

TOKENS_PER_CHARACTER_MAX = 16
"""Tokens of sound at the slowest speed; a character takes a fifteenth of a second, a second twenty tokens."""

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class SpeechWire(PlainWire):
    """Sound passes as it comes; its use is what was to be said, unless events state it."""

    def meter(self, intent: Intent, usage: UsageFormat) -> Meter:
        """One that looks for usage where events were asked for; there is none in sound."""
        if intent.streams_as == EVENT_STREAM:
            return MediaMeter(intent.presumed, usage)
        return BytesMeter(intent.presumed)

    def read_answer(self, answer: bytes, usage: UsageFormat, intent: Intent) -> Reading:
        """Sound of a type that does not say so; an object is an error that came as an answer."""
        try:
            _object.decode(answer)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            broken = not answer
            return Reading(Consumption(pieces=intent.presumed), Reason.ESTIMATED, broken=broken)
        return super().read_answer(answer, usage, intent)


class SpeechDialect(OpenAIErrors):
    """Text to be spoken."""

    endpoint = "/v1/audio/speech"
    wires: tuple[Wire, ...] = (SpeechWire("speech", "/audio/speech"),)

    def read_intent(self, body: Body, body_bytes: int) -> Intent:
        """So many characters, whose sound is streamed."""
        refuse_steering(body)
        model = model_of(body)
        text = _text(body)
        if not isinstance(body.get("voice"), str | dict):
            raise InvalidRequest("voice is required", param="voice")
        characters = len(text)
        spoken = -(-characters * 4 // 3)
        return Intent(
            model=model,
            stream=True,
            input_max=input_bound(body_bytes, 1, 0),
            prompt_presumed=estimated_tokens(text),
            output_max=characters * TOKENS_PER_CHARACTER_MAX,
            pieces=Usage(requests=1, characters=characters),
            presumed=Usage(requests=1, characters=characters, audio_output=spoken),
            reach=frozenset({"speech"}),
            streams_as=EVENT_STREAM if _asks_for_events(body) else SOUND,
        )

    def prompt_tokens(self, raw: bytes) -> int:
        """Tokens of the text to be spoken."""
        return estimated_tokens(_text(decode(raw)))


def _text(body: Body) -> str:
    text = body.get("input")
    if not isinstance(text, str) or not text:
        raise InvalidRequest("input is required, a text", param="input")
    if len(text) > CHARACTERS_MAX:
        raise InvalidRequest(f"input has more than {CHARACTERS_MAX} characters", param="input")
    return text


def _asks_for_events(body: Body) -> bool:
    asked = body.get("stream_format")
    if asked not in (None, "audio", "sse"):
        raise InvalidRequest("stream_format must be audio or sse", param="stream_format")
    return asked == "sse"
