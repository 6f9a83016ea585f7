"""Embeddings, moderations, rankings and pictures by the official SDK; our books equal the provider's bill."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.e2e.pieces import Charged, Pieces

pytestmark = pytest.mark.e2e


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
    return machine.new_key(key_name="pieces", budget="100")


@pytest.fixture
def client(machine: Pieces, key: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=machine.url, api_key=key, max_retries=0) as made:
        yield made


@pytest.mark.parametrize("given", ["a text", ["some", "texts of words"], [1, 22, 333], [[1, 2], [3]]])
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_vectors_cost_what_the_provider_billed(machine, client, given, encoding):
    charged = Charged(machine)

    answer = client.embeddings.create(
        model="up:echo", input=given, dimensions=8, encoding_format=encoding, user="somebody"
    )

    row = charged.fair()
    assert (row["endpoint"], row["reason"]) == ("/v1/embeddings", "usage")
    assert row["prompt_tokens"] == answer.usage.prompt_tokens
    assert len(answer.data[0].embedding) == (8 if encoding == "float" else len(answer.data[0].embedding))


async def test_vectors_come_to_an_async_client_too(machine, key):
    charged = Charged(machine)

    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
        answer = await client.embeddings.create(model="up:echo", input="hello there")

    charged.fair()
    assert len(answer.data) == 1


def test_a_moderation_costs_what_a_request_does(machine, client):
    charged = Charged(machine)

    answer = client.moderations.create(model="judge:echo", input=["violence", "hello"])

    charged.fair()
    assert [result.flagged for result in answer.results] == [True, False]


def test_a_moderation_with_its_old_query_is_answered(machine, client):
    charged = Charged(machine)

    client.moderations.create(model="judge:echo", input="hi", extra_query={"include_raw": "true"})

    charged.fair()


@pytest.mark.parametrize(
    ("model", "documents"), [("search:echo", 3), ("search:echo", 201), ("rank:tokens", 7)]
)
def test_a_ranking_costs_what_the_provider_billed(machine, key, model, documents):
    charged = Charged(machine)
    body = {"model": model, "query": "blue fish", "documents": ["a red fish", *["a boat"] * (documents - 1)]}

    answer = httpx.post(f"{machine.url}/rerank", json=body, headers={"authorization": f"Bearer {key}"})

    assert answer.status_code == 200
    assert answer.json()["results"][0]["index"] == 0
    assert charged.fair()["reason"] == "usage"


@pytest.mark.parametrize("shape", ["url", "b64_json"])
def test_pictures_cost_their_number(machine, client, shape):
    charged = Charged(machine)

    answer = client.images.generate(model="paint:echo", prompt="a fish", n=3, response_format=shape)

    charged.fair()
    assert len(answer.data) == 3
    assert getattr(answer.data[0], shape)


def test_pictures_that_state_tokens_cost_those(machine, client):
    charged = Charged(machine)

    answer = client.images.generate(model="up:tokens", prompt="a fish", n=2)

    assert charged.fair()["reason"] == "usage"
    assert answer.usage.output_tokens == 544


@pytest.mark.parametrize(
    ("ask", "param"),
    [
        (lambda c: c.embeddings.create(model="up:echo", input=["a", [1]]), "input"),
        (lambda c: c.embeddings.create(model="up:echo", input=[]), "input"),
        (lambda c: c.moderations.create(model="up:echo", input=7), "input"),
        (lambda c: c.images.generate(model="up:echo", prompt="x", n=17), "n"),
        (lambda c: c.images.generate(model="up:echo", prompt="x", stream=True), "stream"),
        (lambda c: c.post("/rerank", body={"model": "rank:echo", "query": "x"}, cast_to=object), "documents"),
        (lambda c: c.audio.speech.create(model="up:echo", input="", voice="alloy"), "input"),
        (lambda c: c.embeddings.create(model="up:echo", input="x", extra_body={"api_base": "x"}), "api_base"),
    ],
)
def test_what_cannot_be_bounded_is_refused_and_asks_nobody(machine, client, ask, param):
    before = len(machine.bill())

    with pytest.raises(openai.BadRequestError) as caught:
        ask(client)

    assert caught.value.body["param"] == param
    assert len(machine.bill()) == before


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("s500", 502, "refused"),
        ("s200_error", 502, "refused"),
        ("html_body", 502, "estimated"),
        ("rst_after_request", 502, "ambiguous"),
    ],
)
def test_a_failed_embedding_is_settled_by_how_it_failed(machine, client, fault, status, reason):
    with pytest.raises(openai.APIStatusError) as caught:
        client.embeddings.create(model=f"up:fault:{fault}", input="hello")

    machine.quiet()
    row = machine.usage()[0]
    assert (caught.value.status_code, row["reason"]) == (status, reason)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("ok_nousage", "estimated"),
        ("usage_zero", "usage_invalid"),
        ("usage_huge", "usage_invalid"),
        ("usage_string", "usage_invalid"),
        ("json_dup", "usage_invalid"),
    ],
)
def test_an_embedding_without_believable_usage_costs_our_own_count(machine, client, fault, reason):
    client.embeddings.create(model=f"up:fault:{fault}", input="several words that have tokens")

    machine.quiet()
    row = machine.usage()[0]
    assert (row["reason"], row["prompt_tokens"]) == (reason, 5)


def test_pictures_nobody_answered_for_are_charged_as_asked(machine, client):
    with pytest.raises(openai.APIStatusError):
        client.images.generate(model="paint:fault:rst_after_request", prompt="a fish", n=2)

    machine.quiet()
    row = machine.usage()[0]
    assert (row["reason"], row["cost_usd"].rstrip("0")) == ("ambiguous", "0.08")


def test_sound_arrives_whole_and_costs_its_characters(machine, client):
    charged = Charged(machine)

    answer = client.audio.speech.create(model="voice:echo", input="héllo " * 300, voice="alloy")

    charged.fair()
    assert answer.response.headers["content-type"] == "audio/mpeg"
    assert len(answer.content) == 2 * 1800 * 417


async def test_sound_comes_to_an_async_client_as_it_is_made(machine, key):
    charged = Charged(machine)

    async with (
        openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0) as client,
        client.audio.speech.with_streaming_response.create(
            model="voice:echo", input="hello " * 500, voice="alloy", response_format="wav"
        ) as answer,
    ):
        pieces = [piece async for piece in answer.iter_bytes()]

    charged.fair()
    assert answer.headers["content-type"] == "audio/wav"
    assert len(pieces) > 1


def test_sound_that_breaks_off_is_not_passed_off_as_whole(machine, client):
    with pytest.raises((openai.APIConnectionError, httpx.RemoteProtocolError)):
        _ = client.audio.speech.create(
            model="voice:fault:rst_mid_body:40", input="hello " * 100, voice="a"
        ).content

    machine.quiet()
    row = machine.usage()[0]
    assert (row["reason"], row["cost_usd"].rstrip("0")) == ("upstream_cut", "0.009")
