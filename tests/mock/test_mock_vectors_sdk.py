"""OpenAI's client and what is not a conversation: embeddings, moderation, images; and rerank."""

import base64
import math
import struct
import zlib
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from otari_daemon.mock import UNIT_PICO, MockServer, charge_nano, count_tokens
from tests.mock.mock_in_thread import ThreadedMock

PNG = b"\x89PNG\r\n\x1a\n"


async def test_floats_and_base64_are_the_same_vector_of_length_one(sdk: AsyncOpenAI) -> None:
    floats = await sdk.embeddings.create(model="echo", input="a text", encoding_format="float")
    packed = await sdk.embeddings.create(model="echo", input="a text")  # which the client asks for in base64

    assert floats.data[0].embedding == packed.data[0].embedding
    assert math.isclose(math.hypot(*floats.data[0].embedding), 1.0, rel_tol=1e-5)


async def test_base64_is_of_little_endian_floats(threaded: ThreadedMock) -> None:
    asked = {"model": "echo", "input": "a text", "encoding_format": "base64", "dimensions": 3}
    async with httpx.AsyncClient(base_url=threaded.address) as client:
        packed = (await client.post("/embeddings", json=asked)).json()["data"][0]["embedding"]
        floats = (await client.post("/embeddings", json={**asked, "encoding_format": "float"})).json()

    assert list(struct.unpack("<3f", base64.b64decode(packed))) == floats["data"][0]["embedding"]


@pytest.mark.parametrize(
    ("given", "vectors", "tokens"),
    [
        ("one two three", 1, 3),
        (["one two", "three"], 2, 3),
        ([1, 2, 3, 4], 1, 4),
        ([[1, 2], [3]], 2, 3),
    ],
)
async def test_every_input_has_its_vector_and_is_counted(
    mock: MockServer, sdk: AsyncOpenAI, given: Any, vectors: int, tokens: int
) -> None:
    answer = await sdk.embeddings.create(model="echo", input=given, dimensions=8)

    assert [one.index for one in answer.data] == list(range(vectors))
    assert {len(one.embedding) for one in answer.data} == {8}
    assert len({tuple(one.embedding) for one in answer.data}) == vectors
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (tokens, tokens)
    (line,) = mock.bill.lines
    assert (line.endpoint, charge_nano(line)) == ("/v1/embeddings", tokens * 1_000)


@pytest.mark.parametrize("given", ["", [], [""], [[]], [1, "a"], [[1], "a"], {"a": 1}])
async def test_inputs_of_no_use_are_refused(sdk: AsyncOpenAI, given: Any) -> None:
    with pytest.raises(openai.BadRequestError):
        await sdk.embeddings.create(model="echo", input=given)


async def test_a_text_is_flagged_for_what_it_names(mock: MockServer, sdk: AsyncOpenAI) -> None:
    answer = await sdk.moderations.create(model="echo", input=["flowers", "Violence, in a word"])

    assert [result.flagged for result in answer.results] == [False, True]
    assert answer.results[1].categories.violence
    assert answer.results[1].category_scores.violence > 0.5 > answer.results[1].category_scores.hate
    assert [(line.units, charge_nano(line)) for line in mock.bill.lines] == [(1, 100_000)]


async def test_parts_in_several_media_are_one_input(sdk: AsyncOpenAI) -> None:
    parts: Any = [
        {"type": "text", "text": "hate"},
        {"type": "image_url", "image_url": {"url": "https://x.invalid/a.png"}},
    ]
    answer = await sdk.moderations.create(model="echo", input=parts)

    assert [result.categories.hate for result in answer.results] == [True]


async def test_documents_are_ranked_by_the_words_they_share(mock: MockServer) -> None:
    asked = {"query": "red apples", "documents": ["blue sky", "red apples", {"text": "green apples"}]}
    async with httpx.AsyncClient(base_url=mock.address) as client:
        searched = (await client.post("/rerank", json={"model": "echo", **asked})).json()
        more = {"model": "tokens", "top_n": 1, "return_documents": True}
        counted = (await client.post("/rerank", json={**more, **asked})).json()

    assert [result["index"] for result in searched["results"]] == [1, 2, 0]
    assert searched["results"][0]["relevance_score"] == 1.0
    assert searched["meta"]["billed_units"] == {"search_units": 1}
    assert "usage" not in searched
    (best,) = counted["results"]
    assert (best["index"], best["document"]) == (1, {"text": "red apples"})
    assert counted["usage"] == {"prompt_tokens": 3 * 2 + 3 * 2, "total_tokens": 12}
    assert [charge_nano(line) for line in mock.bill.lines] == [2_000_000, 12 * 1_000]


async def test_images_are_linked_to_and_counted(mock: MockServer, sdk: AsyncOpenAI) -> None:
    answer = await sdk.images.generate(model="echo", prompt="a cat", n=3)

    assert answer.data is not None
    assert len({image.url for image in answer.data}) == 3
    assert answer.data[0].revised_prompt == "a cat"
    assert answer.usage is None
    (line,) = mock.bill.lines
    assert (line.units, charge_nano(line)) == (3, 3 * UNIT_PICO["/v1/images/generations"] // 1_000)


async def test_an_enclosed_image_is_a_png_of_one_pixel(sdk: AsyncOpenAI) -> None:
    answer = await sdk.images.generate(model="echo", prompt="a cat", response_format="b64_json")

    assert answer.data is not None
    data = base64.b64decode(answer.data[0].b64_json or "")
    assert data.startswith(PNG)
    assert struct.unpack(">II", data[16:24]) == (1, 1)
    size = int.from_bytes(data[33:37], "big")
    assert len(zlib.decompress(data[41 : 41 + size])) == 1 + 3


def test_an_edit_counts_the_images_sent(threaded: ThreadedMock, blocking_sdk: OpenAI) -> None:
    cats: Any = [("a.png", PNG), ("b.png", PNG)]
    answer = blocking_sdk.images.edit(model="tokens", image=cats, prompt="two cats", n=2)

    assert answer.data is not None
    assert all(image.b64_json for image in answer.data)
    assert answer.usage is not None
    assert answer.usage.input_tokens_details.image_tokens == answer.usage.output_tokens == 2 * 272
    assert answer.usage.input_tokens == 2 * 272 + count_tokens("two cats")
    line = threaded.bill.next_line()
    assert line.endpoint == "/v1/images/edits"
    assert charge_nano(line) == answer.usage.input_tokens * 1_000 + answer.usage.output_tokens * 2_000


@pytest.mark.parametrize("n", [0, 11])
async def test_too_many_images_and_none_are_refused(sdk: AsyncOpenAI, n: int) -> None:
    with pytest.raises(openai.BadRequestError):
        await sdk.images.generate(model="echo", prompt="x", n=n)
    with pytest.raises(openai.BadRequestError):
        await sdk.images.edit(model="echo", image=("a.png", PNG), prompt="x", n=n)
