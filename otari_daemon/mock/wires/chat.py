"""Chat completions as bytes: a whole one, and the events of a streamed one."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from otari_daemon.mock.answer import Answer, Finish, Usage
from otari_daemon.mock.frames import JSON, SSE
from otari_daemon.mock.refusal import error_body
from otari_daemon.mock.wires.wire import Event, Stated, Told

DONE = b"data: [DONE]\n\n"
FINGERPRINT = "fp_mock"

_encode = msgspec.json.Encoder().encode


class Choice(Struct, frozen=True, gc=False):
    """One choice of a completion that is not streamed."""

    index: int
    message: dict[str, Any]
    finish_reason: Finish
    logprobs: None = None


class Completion(Struct, frozen=True, gc=False):
    """A completion that is not streamed; `usage` is JSON, left out when unset."""

    id: str
    object: str
    created: int
    model: str
    choices: list[Choice]
    system_fingerprint: str
    usage: Raw | msgspec.UnsetType


def usage_json(usage: Usage) -> bytes:
    """The `usage` object of an honest answer."""
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    return (
        b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,'
        b'"prompt_tokens_details":{"cached_tokens":%d},'
        b'"completion_tokens_details":{"reasoning_tokens":%d}}'
    ) % (prompt, completion, prompt + completion, usage.cached_tokens, usage.reasoning_tokens)


def completion(answer: Answer, usage: bytes | None) -> bytes:
    """The body of an answer that is not streamed; `usage` is its JSON, None leaves it out."""
    return _encode(
        Completion(
            id=f"chatcmpl-mock-{answer.number}",
            object="chat.completion",
            created=answer.created,
            model=answer.model,
            choices=[
                Choice(index, _message(answer, index), answer.finish) for index in range(answer.choices)
            ],
            system_fingerprint=FINGERPRINT,
            usage=msgspec.UNSET if usage is None else Raw(usage),
        )
    )


def _message(answer: Answer, index: int) -> dict[str, Any]:
    if answer.tool is None:
        return {"role": "assistant", "content": answer.text, "refusal": None}
    function = {"name": answer.tool, "arguments": answer.text}
    call = {"id": _call_id(answer, index), "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None}


def _call_id(answer: Answer, index: int) -> str:
    return f"call_mock_{answer.number}_{index}"


class Chunks:
    """The events of a streamed answer, one by one.

    `each` is the JSON value of `usage` in every event but the usage event, None to leave it out.
    """

    def __init__(self, answer: Answer, each: bytes | None) -> None:
        self._answer = answer
        self._head = b'data: {"id":"chatcmpl-mock-%d","object":"chat.completion.chunk",' % (
            answer.number
        ) + b'"created":%d,"model":%b,"system_fingerprint":"%b",' % (
            answer.created,
            _encode(answer.model),
            FINGERPRINT.encode(),
        )
        self._tail = b'}],"usage":%b}\n\n' % each if each is not None else b"}]}\n\n"

    def start(self, index: int) -> bytes:
        """The role of choice `index`, and the function it calls, if it does."""
        if self._answer.tool is None:
            return self._choice(index, b'{"role":"assistant","content":"","refusal":null}')
        function = {"name": self._answer.tool, "arguments": ""}
        call = {"index": 0, "id": _call_id(self._answer, index), "type": "function"}
        delta = {"role": "assistant", "content": None, "tool_calls": [{**call, "function": function}]}
        return self._choice(index, _encode(delta))

    def piece(self, index: int, text: str) -> bytes:
        """One token of choice `index`."""
        if self._answer.tool is None:
            return self._choice(index, b'{"content":%b}' % _encode(text))
        call = b'{"tool_calls":[{"index":0,"function":{"arguments":%b}}]}'
        return self._choice(index, call % _encode(text))

    def finish(self, index: int) -> bytes:
        """The end of choice `index`, with its reason."""
        return self._choice(index, b"{}", b'"%b"' % self._answer.finish.encode())

    def usage(self, usage: bytes) -> bytes:
        """The usage event: no choices."""
        return self._head + b'"choices":[],"usage":%b}\n\n' % usage

    def _choice(self, index: int, delta: bytes, finish: bytes = b"null") -> bytes:
        shape = b'"choices":[{"index":%d,"delta":%b,"logprobs":null,"finish_reason":%b'
        return self._head + shape % (index, delta, finish) + self._tail


def events(answer: Answer, usage: bytes | None, each: bytes | None) -> Iterator[Event]:
    """All events of a streamed answer but `[DONE]`: roles, tokens, finishes, usage if given."""
    chunks = Chunks(answer, each)
    for index in range(answer.choices):
        yield Event(chunks.start(index), answer.lead)
    for piece in answer.pieces:
        for index in range(answer.choices):
            yield Event(chunks.piece(index, piece), 1)
    for index in range(answer.choices):
        yield Event(chunks.finish(index), 0)
    if usage is not None:
        yield Event(chunks.usage(usage), 0)


class ChatWire:
    """An answer as `/v1/chat/completions` gives it."""

    talks = True
    media = JSON
    stream_media = SSE

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def usage(self) -> bytes:
        """Cached tokens within the prompt's, reasoning ones within the completion's."""
        return usage_json(self.answer.usage)

    def state(self, stated: Stated) -> bytes:
        """The same members, saying `stated`."""
        return _encode(
            {
                "prompt_tokens": stated.prompt,
                "completion_tokens": stated.completion,
                "total_tokens": stated.total,
                "prompt_tokens_details": {"cached_tokens": stated.cached},
                "completion_tokens_details": {"reasoning_tokens": stated.thought},
            }
        )

    def whole(self, usage: bytes | None) -> bytes:
        """A `chat.completion`."""
        return completion(self.answer, usage)

    def tell(self, usage: bytes | None, each: bytes | None = None) -> Told:
        """`chat.completion.chunk`s; the others say `usage: null` when the last states it."""
        said = b"null" if each is None and usage is not None else each
        return Told(events(self.answer, usage, said), DONE)

    def usage_event(self, usage: bytes) -> bytes:
        """A chunk without choices."""
        return Chunks(self.answer, b"null").usage(usage)

    def opening(self) -> bytes:
        """The role."""
        return Chunks(self.answer, None).start(0)

    def piece(self, text: str) -> bytes:
        """A delta of the first choice."""
        return Chunks(self.answer, None).piece(0, text)

    def error_event(self, message: str) -> bytes:
        """OpenAI's error object in place of a chunk."""
        return b"event: error\ndata: %b\n\n" % error_body(message, "server_error")
