"""OpenAI's client and sound, both ways."""

from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from otari_daemon.mock import MockServer, charge_nano
from tests.mock.mock_in_thread import ThreadedMock

SECOND = b"\0" * 16_000
SOUND = ("sound.mp3", 2 * SECOND + b"\0")


async def test_a_transcription_says_its_prompt_and_counts_its_seconds(
    mock: MockServer, sdk: AsyncOpenAI
) -> None:
    answer: Any = await sdk.audio.transcriptions.create(model="echo", file=SOUND, prompt="Hello")

    assert answer.text == "Hello"
    assert (answer.usage.type, answer.usage.seconds) == ("duration", 3)
    (line,) = mock.bill.lines
    assert (line.endpoint, line.units) == ("/v1/audio/transcriptions", 3)
    assert charge_nano(line) == 3 * 100_000


async def test_the_model_tokens_counts_tokens(mock: MockServer, sdk: AsyncOpenAI) -> None:
    answer: Any = await sdk.audio.transcriptions.create(model="tokens", file=SOUND, prompt="one two")

    assert answer.usage.type == "tokens"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3 * 10 + 2, 2)
    assert charge_nano(mock.bill.lines[0]) == 32 * 1_000 + 2 * 2_000


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ("text", "Hello\n"),
        ("srt", "1\n00:00:00,000 --> 00:00:03,000\nHello\n\n"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:03.000\nHello\n\n"),
    ],
)
async def test_a_transcription_can_be_text(sdk: AsyncOpenAI, shape: Any, text: str) -> None:
    answer: Any = await sdk.audio.transcriptions.create(
        model="echo", file=SOUND, prompt="Hello", response_format=shape
    )

    assert answer == text


async def test_a_verbose_translation_has_segments(sdk: AsyncOpenAI) -> None:
    with pytest.deprecated_call():  # by the client
        answer: Any = await sdk.audio.translations.create(
            model="lorem:4", file=SOUND, response_format="verbose_json"
        )

    assert (answer.text, answer.duration, answer.language) == ("lorem ipsum dolor sit", 3.0, "english")
    assert [segment.text for segment in answer.segments] == [answer.text]


@pytest.mark.parametrize(("model", "completion_tokens"), [("echo", 0), ("tokens", 3)])
def test_a_transcript_can_be_told_while_it_is_written(
    threaded: ThreadedMock, blocking_sdk: OpenAI, model: str, completion_tokens: int
) -> None:
    with blocking_sdk.audio.transcriptions.create(model=model, file=SOUND, stream=True) as stream:
        events: list[Any] = list(stream)

    assert "".join(event.delta for event in events[:-1]) == events[-1].text == "lorem ipsum dolor"
    assert events[-1].type == "transcript.text.done"
    assert threaded.bill.next_line().completion_tokens == completion_tokens


async def test_a_file_too_large_is_refused_though_never_kept(sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        await sdk.audio.transcriptions.create(model="echo", file=("x.wav", bytes(26 * 1024 * 1024)))

    assert refused.value.status_code == 413


async def test_without_a_form_or_its_file_there_is_nothing_to_hear(mock: MockServer) -> None:
    async with httpx.AsyncClient(base_url=mock.address) as client:
        no_form = await client.post("/audio/transcriptions", json={"model": "echo"})
        no_file = await client.post("/audio/transcriptions", files={"model": (None, "echo")})
        no_model = await client.post("/audio/transcriptions", files={"file": SOUND})

    assert {answer.status_code for answer in (no_form, no_file, no_model)} == {400}
    messages = [answer.json()["error"]["message"] for answer in (no_form, no_file, no_model)]
    assert ["form-data" in messages[0], "'file'" in messages[1], "'model'" in messages[2]] == [True] * 3


async def test_speech_grows_with_the_text(mock: MockServer, sdk: AsyncOpenAI) -> None:
    short = await sdk.audio.speech.create(model="echo", voice="alloy", input="Hi")
    async with sdk.audio.speech.with_streaming_response.create(
        model="echo", voice="alloy", input="Hello" * 100, response_format="wav"
    ) as long:
        pieces = [piece async for piece in long.iter_bytes()]

    assert short.response.headers["content-type"] == "audio/mpeg"
    assert short.content[:2] == b"\xff\xfb"
    assert long.headers["content-type"] == "audio/wav"
    assert long.headers["transfer-encoding"] == "chunked"
    assert sum(map(len, pieces)) == 250 * len(short.content)
    assert [(line.units, charge_nano(line)) for line in mock.bill.lines] == [(2, 30_000), (500, 7_500_000)]


async def test_a_fault_spoils_sound_too(mock: MockServer, sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.APIConnectionError):
        await sdk.audio.speech.create(model="fault:rst_mid_body:500", voice="alloy", input="Hello")
    with pytest.raises(openai.RateLimitError):
        await sdk.audio.transcriptions.create(model="fault:s429", file=SOUND)

    assert [(line.ended, line.units) for line in mock.bill.lines] == [("fault", 5), ("fault", 0)]
