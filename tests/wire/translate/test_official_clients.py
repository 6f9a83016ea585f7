"""The official clients put translated streams together to what the whole answer says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from tests.wire.translate.wires import DIRECTIONS, asked, chat_stream, messages_stream

GOLDEN = Path(__file__).with_name("golden")
HI = [{"role": "user", "content": "hi"}]


def golden(name: str) -> dict[str, Any]:
    return dict(json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8")))


def serving(body: bytes, content_type: str = "text/event-stream") -> httpx2.Client:
    """A client of a server that answers everything with `body`."""

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": content_type}, content=body)

    return httpx2.Client(transport=httpx2.MockTransport(answer))


def translated(wire: str, stream: Callable[..., bytes], known: dict[str, Any]) -> bytes:
    translator = DIRECTIONS[wire].stream(asked(**known["request"]))
    return translator.feed(stream(*known["provider_stream"])) + translator.finish()


def said_back(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks that the provider gets when a caller sends a message back as the client holds it."""
    request = DIRECTIONS["chat"].request({"messages": [*HI, message]}, "m", 99)
    return list(request["messages"][1]["content"])


def test_the_openai_client_accumulates_a_translated_chat_stream() -> None:
    known = golden("chat_over_messages")
    raw = translated("chat", messages_stream, known)

    with (
        openai.OpenAI(api_key="k", http_client=serving(raw)) as client,
        client.chat.completions.stream(model="m", messages=HI) as stream,
    ):
        stream.until_done()
        whole = stream.get_final_completion().model_dump()

    message, expected = whole["choices"][0]["message"], known["answer"]["choices"][0]["message"]
    assert message["content"] == expected["content"]
    assert message["reasoning_content"] == expected["reasoning_content"]
    assert said_back(message)[:2] == expected["thinking_blocks"]
    assert [json.loads(each["function"]["arguments"]) for each in message["tool_calls"]] == [
        json.loads(each["function"]["arguments"]) for each in expected["tool_calls"]
    ]
    assert whole["choices"][0]["finish_reason"] == "tool_calls"
    assert whole["usage"]["prompt_tokens"] == known["answer"]["usage"]["prompt_tokens"]


def test_the_anthropic_client_accumulates_a_translated_messages_stream() -> None:
    known = golden("messages_over_chat")
    raw = translated("messages", chat_stream, known)

    with (
        anthropic.Anthropic(api_key="k", http_client=serving(raw)) as client,
        client.messages.stream(model="m", max_tokens=9, messages=HI) as stream,
    ):
        whole = stream.get_final_message().model_dump(exclude_none=True)

    assert whole["content"] == known["answer"]["content"]
    assert whole["stop_reason"] == known["answer"]["stop_reason"]
    assert whole["usage"]["input_tokens"] == known["answer"]["usage"]["input_tokens"]
    assert whole["usage"]["cache_read_input_tokens"] == known["answer"]["usage"]["cache_read_input_tokens"]


def test_the_openai_client_accumulates_a_translated_responses_stream() -> None:
    known = golden("responses_over_chat")
    raw = translated("responses", chat_stream, known)

    with (
        openai.OpenAI(api_key="k", http_client=serving(raw)) as client,
        client.responses.stream(model="m", input="hi") as stream,
    ):
        whole = stream.get_final_response()

    assert whole.output_text == known["answer"]["output"][1]["content"][0]["text"]
    calls = [each.arguments for each in whole.output if each.type == "function_call"]
    assert calls == [each["arguments"] for each in known["answer"]["output"] if "arguments" in each]
    assert whole.usage is not None
    assert whole.usage.input_tokens == known["answer"]["usage"]["input_tokens"]


BUSY = {"type": "error", "error": {"type": "overloaded_error", "message": "too busy"}}
BROKE = {"error": {"message": "too busy", "type": "server_error", "code": None}}


@pytest.mark.parametrize("wire", ["chat", "messages", "responses"])
def test_an_error_in_the_middle_reaches_the_callers_code(wire: str) -> None:
    raw = (
        DIRECTIONS[wire].stream(asked()).feed(messages_stream(BUSY) if wire == "chat" else chat_stream(BROKE))
    )

    with pytest.raises((openai.APIError, anthropic.APIError), match="too busy"):
        consume(wire, raw)


def consume(wire: str, raw: bytes) -> None:
    """Read a stream to its end as a caller of `wire` does."""
    if wire == "messages":
        with anthropic.Anthropic(api_key="k", http_client=serving(raw)) as client:
            list(client.messages.create(model="m", max_tokens=9, messages=HI, stream=True))
        return
    with openai.OpenAI(api_key="k", http_client=serving(raw)) as openai_client:
        if wire == "chat":
            list(openai_client.chat.completions.create(model="m", messages=HI, stream=True))
        else:
            list(openai_client.responses.create(model="m", input="hi", stream=True))
