"""POST /v1/audio/transcriptions and /v1/audio/translations: what a file that nobody listens to says.

It says its `prompt`, or one token of Latin per second. Counted in seconds; the model `tokens` counts
tokens instead. The file is measured as it arrives and never kept.
"""

from functools import partial
from typing import NamedTuple

from otari_daemon.mock.answer import Usage, no_answer
from otari_daemon.mock.endpoints.endpoint import Asked, Endpoint, Stamp, read_field, read_form
from otari_daemon.mock.frames import TEXT, Request
from otari_daemon.mock.manner import openai_manner
from otari_daemon.mock.models import Model
from otari_daemon.mock.refusal import Refused
from otari_daemon.mock.tokens import count_tokens, lorem, split_tokens
from otari_daemon.mock.wires.plain import BytesWire, PlainWire, state_input
from otari_daemon.mock.wires.transcript import TranscriptWire

MAX_AUDIO = 25 * 1024 * 1024
BYTES_PER_SECOND = 16_000
TOKENS_PER_SECOND = 10

FORMATS = ("json", "text", "srt", "verbose_json", "vtt")


class Wanted(NamedTuple):
    """A request to listen to `seconds` of sound."""

    model: str
    seconds: int
    prompt: str
    language: str
    response_format: str
    streamed: bool
    task: str


def _read(request: Request, *, task: str) -> Asked:
    form = read_form(request)
    files = form.files("file")
    if not files:
        raise Refused(400, "the form has no file 'file'")
    if files[0].size > MAX_AUDIO:
        raise Refused(413, f"the file is larger than {MAX_AUDIO} bytes", "request_too_large")
    shape = form.field("response_format") or "json"
    if shape not in FORMATS:
        raise Refused(400, f"response_format is one of {', '.join(FORMATS)}")
    wanted = Wanted(
        model=read_field(form, "model"),
        seconds=max(1, -(-files[0].size // BYTES_PER_SECOND)),
        prompt=form.field("prompt") or "",
        language=form.field("language") or "english",
        response_format=shape,
        streamed=form.field("stream") == "true",
        task=task,
    )
    return Asked(wanted.model, partial(_answer, wanted), wanted.streamed)


def _answer(wanted: Wanted, model: Model, stamp: Stamp, text: str | None) -> PlainWire:
    said = _said(wanted, model, text)
    used, usage = _usage(wanted, model, said)
    answer = no_answer(stamp.number, stamp.created, wanted.model, used)
    if wanted.streamed:
        return TranscriptWire(answer, said, usage)
    match wanted.response_format:
        case "json":
            return PlainWire(answer, {"text": said}, usage, state_input)
        case "verbose_json":
            return PlainWire(answer, _verbose(wanted, said), usage, state_input)
        case shape:
            return BytesWire(answer, TEXT, _plain(shape, said, wanted.seconds).encode())


def _said(wanted: Wanted, model: Model, text: str | None) -> str:
    if text is not None or (wanted.prompt and model.lorem is None):
        return wanted.prompt if text is None else text
    return "".join(lorem(wanted.seconds if model.lorem is None else model.lorem))


def _usage(wanted: Wanted, model: Model, said: str) -> tuple[Usage, dict[str, object]]:
    """As billed, and as told."""
    if not model.by_tokens:
        return Usage(0, 0, units=wanted.seconds), {"type": "duration", "seconds": wanted.seconds}
    heard, read = wanted.seconds * TOKENS_PER_SECOND, count_tokens(wanted.prompt)
    written = len(split_tokens(said))
    return Usage(heard + read, written), {
        "type": "tokens",
        "input_tokens": heard + read,
        "input_token_details": {"audio_tokens": heard, "text_tokens": read},
        "output_tokens": written,
        "total_tokens": heard + read + written,
    }


def _verbose(wanted: Wanted, said: str) -> dict[str, object]:
    segment = {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": float(wanted.seconds),
        "text": said,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": 0.0,
        "compression_ratio": 1.0,
        "no_speech_prob": 0.0,
    }
    return {
        "task": wanted.task,
        "language": wanted.language,
        "duration": float(wanted.seconds),
        "text": said,
        "segments": [segment],
    }


def _plain(shape: str, said: str, seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    end = f"{hours:02}:{minutes:02}:{rest:02}"
    if shape == "srt":
        return f"1\n00:00:00,000 --> {end},000\n{said}\n\n"
    if shape == "vtt":
        return f"WEBVTT\n\n00:00:00.000 --> {end}.000\n{said}\n\n"
    return said + "\n"


TRANSCRIPTIONS = Endpoint(openai_manner("/v1/audio/transcriptions"), partial(_read, task="transcribe"))
TRANSLATIONS = Endpoint(openai_manner("/v1/audio/translations"), partial(_read, task="translate"))
