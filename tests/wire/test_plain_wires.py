"""Whole answers and passing bytes: what is read of them, for every way they can be cut."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.intent import Intent
from otari_daemon.domain.pricing import ONE_REQUEST
from otari_daemon.domain.records import Reason
from otari_daemon.domain.usage import Usage
from otari_daemon.wire import usage_plain
from otari_daemon.wire.bytes_meter import BytesMeter
from otari_daemon.wire.dialect import Meter
from otari_daemon.wire.embeddings import EmbeddingsDialect
from otari_daemon.wire.images import TOKENS_PER_IMAGE, TOKENS_PER_IMAGE_MAX, ImagesDialect
from otari_daemon.wire.media_meter import MediaMeter
from otari_daemon.wire.moderations import ModerationsDialect
from otari_daemon.wire.rerank import RerankDialect
from otari_daemon.wire.speech import SpeechDialect
from otari_daemon.wire.transcriptions import TranscriptDialect

PICTURES, SPEECH, TRANSCRIPTS = ImagesDialect(), SpeechDialect(), TranscriptDialect("transcriptions")
FOUR = Usage(images=4, requests=1)
DRAWING = Intent("m", False, 9, 9, TOKENS_PER_IMAGE_MAX, choices=4, pieces=FOUR, presumed=FOUR)
SECONDS = Usage(seconds=5, requests=1)
HEARING = Intent("m", True, 9, 9, 9, presumed=SECONDS)
DRAWN = {"input_tokens": 50, "output_tokens": 400, "total_tokens": 450}

DELTAS = b"".join(
    b'data: {"type":"transcript.text.delta","delta":"%b"}\n\n' % word for word in (b"a", b"b", b"\xc3\xa9")
)
DONE = b'event: x\ndata: {"type":"transcript.text.done","usage":{"type":"duration","seconds":7}}\n\n'


def intent(dialect: Any, **body: Any) -> Intent:
    made: Intent = dialect.read_intent({"model": "up:m", **body}, len(json.dumps(body)))
    return made


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def through(meter: Meter, pieces: list[bytes]) -> tuple[bytes, bytes]:
    """What has passed before the end, and what then comes."""
    return b"".join(map(meter.feed, pieces)), meter.finish()


CUTS = st.lists(st.integers(0, 1 << 16), max_size=12)


@given(st.binary(max_size=300), CUTS)
def test_bytes_pass_as_they_are_and_only_the_last_one_waits(data: bytes, places: list[int]) -> None:
    passed, kept = through(BytesMeter(ONE_REQUEST), cut(data, places))

    assert (passed, kept) == (data[:-1], data[-1:])


@given(CUTS)
def test_events_pass_as_they_are_and_the_end_waits(places: list[int]) -> None:
    meter = MediaMeter(SECONDS, usage_plain.MEDIA)

    passed, kept = through(meter, cut(DELTAS + DONE + b"data: [DONE]\n\n", places))

    assert (passed, kept) == (DELTAS, DONE + b"data: [DONE]\n\n")
    assert meter.reading().seen.reported == Usage(seconds=7, requests=1)
    assert (meter.generated(), meter.reading().reason) == (3, Reason.USAGE)


@given(CUTS)
def test_a_stream_without_its_end_is_a_cut_one_and_passes_all_the_same(places: list[int]) -> None:
    meter = MediaMeter(SECONDS, usage_plain.MEDIA)

    passed, kept = through(meter, cut(DELTAS + DONE[:-3], places))

    seen = meter.reading().seen
    assert passed + kept == DELTAS + DONE[:-3] + b"\n\n"
    assert (meter.reading().reason, seen.generated_tokens, seen.pieces) == (Reason.UPSTREAM_CUT, 3, SECONDS)


def test_a_last_event_without_its_blank_line_counts() -> None:
    meter = MediaMeter(SECONDS, usage_plain.MEDIA)

    assert through(meter, [DELTAS, DONE[:-2]]) == (DELTAS, DONE)
    assert meter.reading().reason is Reason.USAGE


@pytest.mark.parametrize(
    ("answer", "reason", "pieces", "tokens", "broken"),
    [
        ({"data": [{}, {}, {}]}, Reason.ESTIMATED, FOUR._replace(images=3), 3 * TOKENS_PER_IMAGE, False),
        ({"data": [{}], "usage": {**DRAWN, "total_tokens": 1}}, Reason.USAGE_INVALID, None, 1056, False),
        ({"error": {"message": "no"}}, Reason.REFUSED, None, 0, True),
        ([], Reason.ESTIMATED, None, 0, True),
    ],
)
def test_pictures_without_usage_are_counted(
    answer: Any, reason: Reason, pieces: Usage | None, tokens: int, broken: bool
) -> None:
    read = PICTURES.wires[0].read_answer(json.dumps(answer).encode(), usage_plain.PICTURES, DRAWING)

    assert (read.reason, read.seen.generated_tokens, read.broken) == (reason, tokens, broken)
    assert pieces is None or read.seen.pieces == pieces


def test_pictures_are_counted_even_beside_stated_tokens() -> None:
    answer = json.dumps({"data": [{}, {}], "usage": DRAWN}).encode()

    read = PICTURES.wires[0].read_answer(answer, usage_plain.PICTURES, DRAWING)

    assert read.seen.reported == Usage(input=50, image_output=400, images=2, requests=1)


@pytest.mark.parametrize(
    ("answer", "reason", "seconds"),
    [
        ({"text": "a b", "duration": 61.5}, Reason.ESTIMATED, 62),
        ({"text": "a b"}, Reason.ESTIMATED, 5),
        ({"text": "a b", "usage": {"type": "duration", "seconds": 8}, "duration": 61.5}, Reason.USAGE, 8),
    ],
)
def test_a_transcript_is_charged_for_the_duration_it_states(
    answer: Any, reason: Reason, seconds: int
) -> None:
    read = TRANSCRIPTS.wires[0].read_answer(json.dumps(answer).encode(), usage_plain.MEDIA, HEARING)

    pieces = read.seen.reported or read.seen.pieces
    assert pieces is not None
    assert (read.reason, pieces.seconds) == (reason, seconds)


def test_only_events_of_speech_can_state_usage() -> None:
    audio = intent(SPEECH, input="hello", voice="a")
    events = intent(SPEECH, input="hello", voice="a", stream_format="sse")
    wire = SPEECH.wires[0]

    assert isinstance(wire.meter(audio, usage_plain.MEDIA), BytesMeter)
    assert isinstance(wire.meter(events, usage_plain.MEDIA), MediaMeter)
    assert wire.read_answer(b"", usage_plain.MEDIA, audio).broken
    assert wire.read_answer(b'{"error":{}}', usage_plain.MEDIA, audio).reason is Reason.REFUSED
    assert wire.read_answer(b"RIFF", usage_plain.MEDIA, audio).seen.pieces == audio.presumed


@given(st.integers(1, 300), st.text(min_size=1, max_size=400), st.text(min_size=1, max_size=40))
def test_a_ranking_holds_the_query_once_for_every_document(count: int, query: str, text: str) -> None:
    made = intent(RerankDialect(), query=query, documents=[text] * count)

    assert made.input_max >= count * (len(query.encode(errors="replace")) + len(text))
    assert made.pieces.requests >= made.presumed.requests == -(-count // 100)


@given(st.lists(st.lists(st.integers(0, 9), min_size=1), min_size=1))
def test_tokens_sent_as_numbers_are_within_the_bound(inputs: list[list[int]]) -> None:
    made = intent(EmbeddingsDialect(), input=inputs)

    assert made.input_max >= sum(map(len, inputs))
    assert made.output_max == 0
    raw = json.dumps({"model": "m", "input": inputs}).encode()
    assert EmbeddingsDialect().prompt_tokens(raw) == sum(map(len, inputs))


def test_bounds_are_those_of_what_was_asked_for() -> None:
    drawing = intent(PICTURES, prompt="x", n=3)
    said = intent(SPEECH, input="h\u00e9llo", voice="a")
    heard = intent(TRANSCRIPTS, files=[["file", 1_600_000]])
    named = intent(ModerationsDialect(), input=[{"type": "image_url"}, {"type": "text", "text": "x"}])

    assert (drawing.choices, drawing.output_max, drawing.pieces) == (3, 16_384, Usage(images=3, requests=1))
    assert (said.pieces.characters, said.streams_as) == (5, b"audio/")
    assert (heard.presumed.seconds, heard.pieces.seconds) == (100, 2134)
    assert 32_768 <= named.input_max < 2 * 32_768


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        (EmbeddingsDialect(), {"input": None}),
        (EmbeddingsDialect(), {"input": ["a", 1]}),
        (EmbeddingsDialect(), {"input": [[1, "a"]]}),
        (EmbeddingsDialect(), {"input": [True]}),
        (EmbeddingsDialect(), {"input": ["a"] * 4097}),
        (EmbeddingsDialect(), {"input": "a", "encoding_format": "x"}),
        (EmbeddingsDialect(), {"input": "a", "dimensions": 0}),
        (ModerationsDialect(), {"input": [1]}),
        (RerankDialect(), {"query": "", "documents": ["a"]}),
        (RerankDialect(), {"query": "a", "documents": [1]}),
        (RerankDialect(), {"query": "a", "documents": ["a"], "top_n": 0}),
        (PICTURES, {"prompt": ""}),
        (PICTURES, {"prompt": "a", "n": 0}),
        (PICTURES, {"prompt": "a", "n": "2"}),
        (SPEECH, {"input": "a"}),
        (SPEECH, {"input": "a" * 100_001, "voice": "a"}),
        (SPEECH, {"input": "a", "voice": "a", "stream_format": "x"}),
        (TRANSCRIPTS, {"files": [["file", 9]], "response_format": "x"}),
        (TRANSCRIPTS, {"files": [["other", 9]]}),
    ],
)
def test_what_has_no_bound_or_no_sense_is_refused(dialect: Any, body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        intent(dialect, **body)
