"""What both wires can say survives the way there and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.translate import corpus, meaning
from tests.wire.translate.accumulate import gist
from tests.wire.translate.test_laws import LAW, chat_answers, words
from tests.wire.translate.wires import CHAT, MESSAGES, asked

texts = words.filter(bool)


@pytest.mark.parametrize("name", corpus.CHAT)
def test_a_chat_request_means_the_same_in_messages_and_back(name: str) -> None:
    body = corpus.CHAT[name]

    there = CHAT.request(body, "m", None)
    back = MESSAGES.request(there, "m", None)

    assert meaning.of_messages(there) == meaning.of_chat(body)
    assert meaning.of_chat(back) == meaning.of_chat(body)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """System prompt or none, then turns of user and assistant, some with calls and their results."""
    said = [{"role": "system", "content": draw(texts)}] if draw(st.booleans()) else []
    for turn in range(draw(st.integers(1, 4))):
        said.append({"role": "user", "content": draw(texts)})
        calls = [
            {
                "id": f"c{turn}_{at}",
                "type": "function",
                "function": {"name": "f", "arguments": json.dumps(each)},
            }
            for at, each in enumerate(draw(st.lists(st.dictionaries(words, words, max_size=2), max_size=2)))
        ]
        said.append({"role": "assistant", "content": draw(texts), **({"tool_calls": calls} if calls else {})})
        said += [{"role": "tool", "tool_call_id": each["id"], "content": draw(texts)} for each in calls]
    return [*said, {"role": "user", "content": draw(texts)}]


@given(messages=conversations())
@settings(LAW, max_examples=100)
def test_any_conversation_means_the_same_in_messages_and_back(messages: list[dict[str, Any]]) -> None:
    body = {"model": "m", "max_tokens": 9, "messages": messages}

    there = CHAT.request(body, "m", None)
    back = MESSAGES.request(there, "m", None)

    assert meaning.of_messages(there) == meaning.of_chat(body)
    assert meaning.of_chat(back) == meaning.of_chat(body)


@given(answer=chat_answers())
@settings(LAW, max_examples=100)
def test_an_answer_means_the_same_in_messages_and_back(answer: dict[str, Any]) -> None:
    back = gist("chat", CHAT.answer(MESSAGES.answer(answer, asked()), asked()))

    message, usage = answer["choices"][0]["message"], answer["usage"]
    assert back["content"] == message["content"] + (message["refusal"] or "")
    assert back["reasoning"] == message["reasoning_content"]
    assert [call[2] for call in back["calls"]] == [
        json.loads(call["function"]["arguments"]) for call in message["tool_calls"]
    ]
    assert back["usage"]["prompt_tokens"] == usage["prompt_tokens"]
    assert back["usage"]["completion_tokens"] == usage["completion_tokens"]
    assert (
        back["usage"]["prompt_tokens_details"]["cached_tokens"]
        == (usage["prompt_tokens_details"]["cached_tokens"])
    )
