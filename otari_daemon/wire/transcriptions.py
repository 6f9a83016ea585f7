"""OpenAI's `POST /v1/audio/transcriptions` and `/v1/audio/translations`: a form in, text out.

How long a sound is only its decoder knows. The hold bounds it by the least bytes that a second of speech
takes in any usual coding; what nobody states is charged at a common bitrate.
"""

from __future__ import annotations

import msgspec

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.intent import Intent, input_bound, presumed_tokens
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.token_count import estimated_tokens
from otari_daemon.domain.usage import Usage
from otari_daemon.wire.dialect import Body, Meter, Reading, Wire
from otari_daemon.wire.fields import model_of, refuse_steering
from otari_daemon.wire.media_meter import MediaMeter
from otari_daemon.wire.plain import OpenAIErrors, PlainWire, Told
from otari_daemon.wire.uploads import MIB, files_of, truth
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat
from otari_daemon.wire.usage_plain import seconds_of

SOUND_BYTES_MAX = 25 * MIB
BYTES_PER_SECOND_MIN = 750
"""Opus at 6 kbit/s, the lowest rate it has for speech."""

BYTES_PER_SECOND = 16_000
"""128 kbit/s, as most MP3 files have."""

TOKENS_HEARD_PER_SECOND = 32
TOKENS_SAID_PER_SECOND = 16
"""Both more than any provider known to us counts for speech."""

_OBJECTS = frozenset({"json", "verbose_json", "diarized_json"})
_TEXTS = frozenset({"text", "srt", "vtt"})


class TranscriptWire(PlainWire):
    """Answers are objects, or bare text if that was asked for, which states nothing."""

    def read_answer(self, answer: bytes, usage: UsageFormat, intent: Intent) -> Reading:
        """Stated usage or duration; of bare text our own count."""
        if intent.shows_usage or answer.startswith(b'{"error"'):
            return super().read_answer(answer, usage, intent)
        said = estimated_tokens(answer.decode(errors="replace"))
        return Reading(Consumption(None, said, pieces=intent.presumed), Reason.ESTIMATED)

    def meter(self, intent: Intent, usage: UsageFormat) -> Meter:
        """A meter of its events."""
        return MediaMeter(intent.presumed, usage)

    def pieces(self, told: Told, intent: Intent) -> Usage:
        """The duration it states, else the one presumed."""
        try:
            return intent.presumed._replace(seconds=seconds_of(told.duration))
        except AbsurdUsage:
            return intent.presumed

    def generated(self, told: Told, intent: Intent) -> int:  # noqa: ARG002 - a `PlainWire`
        """Tokens of the text."""
        try:
            return estimated_tokens(msgspec.json.decode(told.text, type=str))
        except msgspec.MsgspecError:
            return presumed_tokens(len(bytes(told.text)))


class TranscriptDialect(OpenAIErrors):
    """Sound to be written down, in its language or in English; a `task` is a path and a format's name."""

    files_bytes_max = SOUND_BYTES_MAX

    def __init__(self, task: str) -> None:
        self.endpoint = f"/v1/audio/{task}"
        self.wires: tuple[Wire, ...] = (TranscriptWire(task, f"/audio/{task}"),)
        self._reach = frozenset({task})

    def read_intent(self, body: Body, body_bytes: int) -> Intent:
        """A sound of so many bytes, and a prompt."""
        refuse_steering(body)
        model = model_of(body)
        size = sum(files_of(body, "file"))
        shape = body.get("response_format", "json")
        if shape not in _OBJECTS | _TEXTS:
            raise InvalidRequest("response_format is not one of this endpoint", param="response_format")
        longest = -(-size // BYTES_PER_SECOND_MIN)
        prompt_max = input_bound(body_bytes, 1, 0)
        return Intent(
            model=model,
            stream=truth(body, "stream"),
            input_max=prompt_max + longest * TOKENS_HEARD_PER_SECOND,
            prompt_presumed=estimated_tokens(body.get("prompt", "")),
            output_max=prompt_max + longest * TOKENS_SAID_PER_SECOND,
            shows_usage=shape in _OBJECTS,
            pieces=Usage(seconds=longest, requests=1),
            presumed=Usage(seconds=-(-size // BYTES_PER_SECOND), requests=1),
            reach=self._reach,
        )

    def prompt_tokens(self, raw: bytes) -> int:
        """Tokens of the prompt beside the sound."""
        return estimated_tokens(msgspec.json.decode(raw).get("prompt", ""))
