"""OpenAI's client, files and batches."""

import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from otari_daemon.mock import MockServer, charge_nano
from otari_daemon.mock.resources.shelf import MAX_BYTES, MAX_FILES, File, Shelf
from tests.mock.mock_in_thread import ThreadedMock
from tests.mock.mock_raw_client import chat_body

CHAT = "/v1/chat/completions"


def lines(*bodies: Any, url: str = CHAT) -> bytes:
    """A batch's input: one request per body."""
    asked = [
        {"custom_id": f"r{at}", "method": "POST", "url": url, "body": body} for at, body in enumerate(bodies)
    ]
    return b"".join(json.dumps(one).encode() + b"\n" for one in asked)


async def upload(sdk: AsyncOpenAI, content: bytes) -> str:
    file = await sdk.files.create(file=("in.jsonl", content), purpose="batch")
    return file.id


def test_a_file_is_kept_until_it_is_deleted(blocking_sdk: OpenAI) -> None:
    content = bytes(range(256)) * 5_000
    made = blocking_sdk.files.create(file=("data.bin", content), purpose="batch")

    assert (made.bytes, made.filename, made.purpose) == (len(content), "data.bin", "batch")
    assert blocking_sdk.files.retrieve(made.id) == made
    assert [file.id for file in blocking_sdk.files.list()] == [made.id]
    assert blocking_sdk.files.content(made.id).content == content
    assert blocking_sdk.files.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        blocking_sdk.files.retrieve(made.id)
    assert list(blocking_sdk.files.list()) == []


async def test_a_file_too_large_is_refused(sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        await upload(sdk, bytes(17 * 1024 * 1024))

    assert refused.value.status_code == 413


def test_the_oldest_files_make_room() -> None:
    shelf = Shelf()
    for number in range(MAX_FILES + 1):
        shelf.put(File(str(number), "x", "batch", 0, b""))
    assert [shelf.files()[0].file_id, shelf.files()[-1].file_id] == [str(MAX_FILES), "1"]

    half = bytes(MAX_BYTES // 2)
    for name in ("a", "b", "c"):
        shelf.put(File(name, "x", "batch", 0, half))
    assert [file.file_id for file in shelf.files()] == ["c", "b"]

    shelf.drop("b")
    shelf.put(File("d", "x", "batch", 0, half))
    assert [file.file_id for file in shelf.files()] == ["d", "c"]


async def test_a_batch_runs_and_every_line_is_billed(mock: MockServer, sdk: AsyncOpenAI) -> None:
    file_id = await upload(
        sdk, lines(chat_body("echo", "one two"), chat_body("gpt-4"), chat_body("lorem:5"), {"model": "echo"})
    )
    batch = await sdk.batches.create(
        input_file_id=file_id, endpoint=CHAT, completion_window="24h", metadata={"a": "b"}
    )

    assert (batch.status, batch.metadata) == ("completed", {"a": "b"})
    assert batch.request_counts is not None
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (
        4,
        2,
        2,
    )
    assert batch.output_file_id is not None
    assert batch.error_file_id is not None
    output = [json.loads(line) for line in (await sdk.files.content(batch.output_file_id)).text.splitlines()]
    assert [line["custom_id"] for line in output] == ["r0", "r2"]
    first = output[0]["response"]
    assert (first["status_code"], first["body"]["choices"][0]["message"]["content"]) == (200, "one two")
    errors = [json.loads(line) for line in (await sdk.files.content(batch.error_file_id)).text.splitlines()]
    assert [line["response"]["status_code"] for line in errors] == [404, 400]
    told = [line["response"]["body"]["usage"] for line in output]
    assert [charge_nano(line) for line in mock.bill.lines] == [
        usage["prompt_tokens"] * 1_000 + usage["completion_tokens"] * 2_000 for usage in told
    ]
    assert [one.id async for one in sdk.batches.list()] == [batch.id]


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("/v1/responses", {"model": "echo", "input": "x"}),
        ("/v1/embeddings", {"model": "echo", "input": "x"}),
        ("/v1/moderations", {"model": "echo", "input": "x"}),
    ],
)
async def test_other_endpoints_run_in_batches_too(
    mock: MockServer, sdk: AsyncOpenAI, url: Any, body: Any
) -> None:
    file_id = await upload(sdk, lines(body, url=url))
    batch = await sdk.batches.create(input_file_id=file_id, endpoint=url, completion_window="24h")

    assert batch.status == "completed"
    assert [line.endpoint for line in mock.bill.lines] == [url]


async def test_a_slow_batch_can_be_canceled_and_is_then_not_billed(
    mock: MockServer, sdk: AsyncOpenAI
) -> None:
    file_id = await upload(sdk, lines(chat_body("echo"), chat_body("slow:200000")))
    batch = await sdk.batches.create(input_file_id=file_id, endpoint=CHAT, completion_window="24h")
    assert batch.status == (await sdk.batches.retrieve(batch.id)).status == "in_progress"

    assert (await sdk.batches.cancel(batch.id)).status == "cancelled"
    with pytest.raises(openai.ConflictError):
        await sdk.batches.cancel(batch.id)
    assert not mock.bill.lines


def test_a_slow_batch_is_done_in_time(threaded: ThreadedMock, blocking_sdk: OpenAI) -> None:
    content = lines(chat_body("slow:50"))
    file = blocking_sdk.files.create(file=("in.jsonl", content), purpose="batch")
    batch = blocking_sdk.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    for _ in range(10_000):
        if batch.status == "completed":
            break
        batch = blocking_sdk.batches.retrieve(batch.id)

    line = threaded.bill.next_line()
    assert (batch.status, line.model) == ("completed", "slow:50")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense\n",
        lines(chat_body("echo"), url="/v1/embeddings"),
        lines(chat_body("lorem:500001"), chat_body("reasoning:500000")),
        lines(chat_body("echo")) * 10_001,
    ],
    ids=["nothing", "no JSON", "another endpoint", "many tokens", "many requests"],
)
async def test_a_batch_of_something_else_or_of_too_much_is_refused(sdk: AsyncOpenAI, content: bytes) -> None:
    file_id = await upload(sdk, content)

    with pytest.raises(openai.BadRequestError):
        await sdk.batches.create(input_file_id=file_id, endpoint=CHAT, completion_window="24h")


async def test_what_is_not_there_is_not_found(sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        await sdk.batches.retrieve("batch_none")
    with pytest.raises(openai.NotFoundError):
        await sdk.files.content("file-none")
    with pytest.raises(openai.BadRequestError):
        await sdk.batches.create(input_file_id="file-none", endpoint=CHAT, completion_window="24h")
