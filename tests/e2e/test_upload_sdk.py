"""Sounds and pictures sent as forms by the official SDK; our books equal the provider's bill."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from tests.e2e.machine import PRICING
from tests.e2e.pieces import Charged, Pieces

pytestmark = pytest.mark.e2e

SOUND = ("speech.mp3", b"\xff\xfb\x90\x64" * 20_000, "audio/mpeg")
PICTURE = ("fish.png", b"\x89PNG\r\n\x1a\n" + bytes(5_000), "image/png")
NAMED = {"idempotency-key": "a"}
FORM = {"content-type": "multipart/form-data; boundary=a"}
TRANSCRIPTIONS = "/audio/transcriptions"


@pytest.fixture(scope="module")
def machine() -> Iterator[Pieces]:
    made = Pieces()
    try:
        made.start()
        yield made
        made.quiet()
        made.verified()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def key(machine: Pieces) -> str:
    return machine.new_key(key_name="uploads", budget="100")


@pytest.fixture
def client(machine: Pieces, key: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=machine.url, api_key=key, max_retries=0) as made:
        yield made


def posted(machine: Pieces, key: str, path: str, **form: Any) -> httpx.Response:
    """A form as it is."""
    headers = {"authorization": f"Bearer {key}", **form.pop("headers", {})}
    return httpx.post(machine.url + path, headers=headers, timeout=30, **form)


@pytest.mark.parametrize("model", ["ear:echo", "up:tokens"])
@pytest.mark.parametrize("shape", ["json", "verbose_json"])
def test_a_transcript_costs_what_the_provider_billed(machine, client, model, shape):
    charged = Charged(machine)

    answer = client.audio.transcriptions.create(
        model=model, file=SOUND, prompt="some words said", response_format=shape
    )

    row = charged.fair()
    assert answer.text == "some words said"
    assert (row["endpoint"], row["reason"]) == ("/v1/audio/transcriptions", "usage")


@pytest.mark.parametrize("shape", ["text", "srt", "vtt"])
def test_a_transcript_as_bare_text_costs_our_own_count_of_seconds(machine, client, shape):
    charged = Charged(machine)

    answer = client.audio.transcriptions.create(
        model="ear:echo", file=SOUND, prompt="some words said", response_format=shape
    )

    assert "some words said" in answer
    assert charged.fair()["reason"] == "estimated"


@pytest.mark.parametrize("model", ["ear:echo", "up:tokens"])
def test_a_streamed_transcript_costs_what_the_provider_billed(machine, client, model):
    charged = Charged(machine)

    with client.audio.transcriptions.create(
        model=model, file=SOUND, prompt="some words said", stream=True
    ) as stream:
        events = list(stream)

    assert events[-1].text == "some words said"
    row = charged.fair()
    assert (row["stream"], row["reason"]) == (True, "usage")


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_a_translation_costs_what_the_provider_billed(machine, client):
    charged = Charged(machine)

    assert client.audio.translations.create(model="ear:echo", file=SOUND, prompt="words").text == "words"

    assert charged.fair()["endpoint"] == "/v1/audio/translations"


@pytest.mark.parametrize("model", ["paint:echo", "up:tokens"])
def test_edited_pictures_cost_what_the_provider_billed(machine, client, model):
    charged = Charged(machine)

    answer = client.images.edit(
        model=model, image=[PICTURE, PICTURE], mask=PICTURE, prompt="a blue fish", n=2
    )

    charged.fair()
    assert len(answer.data) == 2


async def test_uploads_of_many_async_clients_are_each_charged(machine, key):
    charged = Charged(machine)

    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
        calls = [client.audio.transcriptions.create(model="ear:echo", file=SOUND) for _ in range(12)]
        await asyncio.gather(*calls)

    await asyncio.to_thread(charged.fair)


def test_a_file_may_stand_before_the_fields(machine, key):
    charged = Charged(machine)
    form = [("file", SOUND), ("model", (None, "ear:echo")), ("prompt", (None, "last of all"))]

    answer = posted(machine, key, TRANSCRIPTIONS, files=form)

    assert answer.json()["text"] == "last of all"
    charged.fair()


def test_a_sound_of_the_greatest_size_passes_and_a_byte_more_is_refused(machine, key):
    charged = Charged(machine)
    most = 25 * 1024 * 1024
    model = {"model": "ear:echo"}

    passed = posted(machine, key, TRANSCRIPTIONS, data=model, files={"file": ("a.wav", bytes(most))})
    refused = posted(machine, key, TRANSCRIPTIONS, data=model, files={"file": ("a.wav", bytes(most + 1))})

    assert (passed.status_code, refused.status_code) == (200, 413)
    assert refused.json()["error"]["code"] == "body_too_large"
    charged.fair()


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"json": {"model": "ear:echo"}}, "multipart"),
        ({"data": {"model": "ear:echo"}, "files": {"other": SOUND}}, "'file'"),
        ({"data": {"model": "ear:echo"}, "files": {"file": ("a.mp3", b"")}}, "'file'"),
        ({"files": {"file": SOUND}}, "model"),
        ({"data": {"model": ["ear:echo", "up:echo"]}, "files": {"file": SOUND}}, "twice"),
        ({"data": {"model": "ear:echo", "files": "x"}, "files": {"file": SOUND}}, "'files'"),
        ({"data": {"model": "ear:echo", "api_base": "x"}, "files": {"file": SOUND}}, "api_base"),
        ({"data": {"model": "ear:echo", "stream": "maybe"}, "files": {"file": SOUND}}, "stream"),
        ({"data": {"model": "ear:echo", "prompt": b"\xff"}, "files": {"file": SOUND}}, "UTF-8"),
        ({"data": {"model": "ear:echo"}, "files": {"file": SOUND}, "headers": NAMED}, "key"),
        ({"content": b"--a\r\n", "headers": FORM}, "multipart"),
    ],
)
def test_a_form_that_cannot_be_read_is_refused_and_asks_nobody(machine, key, form, told):
    before = len(machine.bill())

    answer = posted(machine, key, TRANSCRIPTIONS, **form)

    assert answer.status_code == 400
    assert told in answer.json()["error"]["message"]
    assert len(machine.bill()) == before


def test_a_file_name_cannot_add_a_field(machine, key):
    charged = Charged(machine)
    name = 'a.mp3"\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name="prompt'
    form = {"data": {"model": "ear:echo"}, "files": {"file": (name, SOUND[1])}}

    answer = posted(machine, key, TRANSCRIPTIONS, **form)

    assert answer.json()["text"].startswith("lorem")
    charged.fair()


def test_an_upload_goes_through_httpx_too():
    machine = Pieces()
    machine.config = machine._configure(
        {
            "providers": {"up": {"type": "openai", "api_base": machine.mock_url, "http_client": "httpx"}},
            "pricing": {"up:*": PRICING},
        }
    )
    try:
        machine.start()
        key, charged = machine.new_key(key_name="httpx"), Charged(machine)
        form = {"data": {"model": "up:tokens", "prompt": "hello"}, "files": {"file": SOUND}}

        assert posted(machine, key, TRANSCRIPTIONS, **form).json()["text"] == "hello"
        charged.fair()
    finally:
        machine.stop()


def test_a_form_has_the_tags_of_its_header(machine, client):
    charged = Charged(machine)

    client.audio.transcriptions.create(
        model="ear:echo", file=SOUND, prompt="said", extra_headers={"Otari-Tags": "team=voice"}
    )

    assert charged.fair()["tags"] == {"team": "voice"}
