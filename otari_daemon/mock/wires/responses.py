"""OpenAI's responses as bytes: a whole one, and the events of a streamed one."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple

import msgspec
from msgspec import Raw

from otari_daemon.mock.answer import Answer
from otari_daemon.mock.frames import JSON, SSE
from otari_daemon.mock.wires.wire import Event, Stated, Told

_encode = msgspec.json.Encoder().encode


class Echoed(NamedTuple):
    """What a response repeats of its request."""

    instructions: str | None
    max_output_tokens: int | None
    tools: Sequence[object]
    tool_choice: object
    metadata: Mapping[str, str]


class ResponsesWire:
    """An answer as `/v1/responses` gives it; its events are numbered from 0."""

    talks = True
    media = JSON
    stream_media = SSE

    def __init__(self, answer: Answer, echoed: Echoed) -> None:
        self.answer = answer
        self._echoed = echoed
        self._numbers = count()

    def usage(self) -> bytes:
        """Cached tokens within the input's, reasoning ones within the output's."""
        usage = self.answer.usage
        prompt, completion = usage.prompt_tokens, usage.completion_tokens
        return _usage(
            Stated(prompt, completion, prompt + completion, usage.cached_tokens, usage.reasoning_tokens)
        )

    def state(self, stated: Stated) -> bytes:
        """The same members, saying `stated`."""
        return _usage(stated)

    def whole(self, usage: bytes | None) -> bytes:
        """A `response`."""
        return _encode(self._response(self._status(), self._output(), usage))

    def tell(self, usage: bytes | None, each: bytes | None = None) -> Told:
        """The items as they are made; the end is the response itself, with its usage.

        The end is numbered last, so the events are told from here on and once.
        """
        events = list(self._events(each))
        return Told(iter(events), self._snapshot(f"response.{self._status()}", usage))

    def usage_event(self, usage: bytes) -> bytes:
        """A `response.in_progress` that has usage."""
        begun = self._response("in_progress", [], usage)
        return self._event("response.in_progress", {"response": begun})

    def opening(self) -> bytes:
        """The response begun, and its message."""
        item = _message(self.answer, "in_progress", [])
        added = self._event("response.output_item.added", {"output_index": 0, "item": item})
        return self._begun("response.created") + added + self._part("added", 0, "")

    def piece(self, text: str) -> bytes:
        """A delta of the first item."""
        return self._text("delta", 0, {"delta": text}, None)

    def error_event(self, message: str) -> bytes:
        """An `error` event."""
        return self._event("error", {"code": "server_error", "message": message, "param": None})

    def _status(self) -> str:
        return "incomplete" if self.answer.finish == "length" else "completed"

    def _response(
        self, status: str, output: Sequence[Mapping[str, object]], usage: bytes | None
    ) -> dict[str, object]:
        echoed = self._echoed
        cut = {"reason": "max_output_tokens"} if status == "incomplete" else None
        return {
            "id": f"resp_mock_{self.answer.number}",
            "object": "response",
            "created_at": self.answer.created,
            "status": status,
            "error": None,
            "incomplete_details": cut,
            "instructions": echoed.instructions,
            "max_output_tokens": echoed.max_output_tokens,
            "metadata": echoed.metadata,
            "model": self.answer.model,
            "output": output,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "temperature": 1.0,
            "tool_choice": echoed.tool_choice,
            "tools": echoed.tools,
            "top_p": 1.0,
            **({} if usage is None else {"usage": Raw(usage)}),
        }

    def _output(self) -> list[dict[str, object]]:
        answer = self.answer
        status = self._status()
        if answer.tool is not None:
            spoken = _call(answer, status, answer.text)
        else:
            spoken = _message(answer, status, [_content(answer.text)])
        return [_reasoning(answer), spoken] if answer.usage.reasoning_tokens else [spoken]

    def _events(self, each: bytes | None) -> Iterator[Event]:
        yield Event(self._begun("response.created"), 0)
        yield Event(self._begun("response.in_progress"), 0)
        reasoning = self.answer.usage.reasoning_tokens
        if reasoning:
            item = _reasoning(self.answer)
            yield Event(self._item("added", 0, item), 0)
            yield Event(self._item("done", 0, item), reasoning)
        at = 1 if reasoning else 0
        yield from self._call_events(at, each) if self.answer.tool else self._text_events(at, each)
        yield Event(self._item("done", at, self._output()[at]), 0)

    def _text_events(self, at: int, each: bytes | None) -> Iterator[Event]:
        yield Event(self._item("added", at, _message(self.answer, "in_progress", [])), 0)
        yield Event(self._part("added", at, ""), 0)
        for piece in self.answer.pieces:
            yield Event(self._text("delta", at, {"delta": piece}, each), 1)
        text = self.answer.text
        yield Event(self._text("done", at, {"text": text}, each), 0)
        yield Event(self._part("done", at, text), 0)

    def _call_events(self, at: int, each: bytes | None) -> Iterator[Event]:
        call = _call(self.answer, "in_progress", "")
        named = self.answer.lead - self.answer.usage.reasoning_tokens
        yield Event(self._item("added", at, call), named)
        which = {"item_id": call["id"], "output_index": at, **_each(each)}
        for piece in self.answer.pieces:
            delta = {**which, "delta": piece}
            yield Event(self._event("response.function_call_arguments.delta", delta), 1)
        done = {**which, "name": self.answer.tool, "arguments": self.answer.text}
        yield Event(self._event("response.function_call_arguments.done", done), 0)

    def _begun(self, name: str) -> bytes:
        return self._event(name, {"response": self._response("in_progress", [], None)})

    def _snapshot(self, name: str, usage: bytes | None) -> bytes:
        return self._event(name, {"response": self._response(self._status(), self._output(), usage)})

    def _item(self, what: str, at: int, item: Mapping[str, object]) -> bytes:
        return self._event(f"response.output_item.{what}", {"output_index": at, "item": item})

    def _part(self, what: str, at: int, text: str) -> bytes:
        members = {**self._where(at), "part": _content(text)}
        return self._event(f"response.content_part.{what}", members)

    def _text(self, what: str, at: int, said: Mapping[str, str], each: bytes | None) -> bytes:
        members = {**self._where(at), **said, "logprobs": [], **_each(each)}
        return self._event(f"response.output_text.{what}", members)

    def _where(self, at: int) -> dict[str, object]:
        return {"item_id": f"msg_mock_{self.answer.number}", "output_index": at, "content_index": 0}

    def _event(self, name: str, members: Mapping[str, object]) -> bytes:
        data = _encode({"type": name, "sequence_number": next(self._numbers), **members})
        return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def _usage(stated: Stated) -> bytes:
    return _encode(
        {
            "input_tokens": stated.prompt,
            "input_tokens_details": {"cached_tokens": stated.cached, "cache_write_tokens": 0},
            "output_tokens": stated.completion,
            "output_tokens_details": {"reasoning_tokens": stated.thought},
            "total_tokens": stated.total,
        }
    )


def _each(each: bytes | None) -> dict[str, Raw]:
    return {} if each is None else {"usage": Raw(each)}


def _content(text: str) -> dict[str, object]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _message(answer: Answer, status: str, content: list[dict[str, object]]) -> dict[str, object]:
    item_id = f"msg_mock_{answer.number}"
    return {
        "id": item_id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def _call(answer: Answer, status: str, arguments: str) -> dict[str, object]:
    return {
        "id": f"fc_mock_{answer.number}",
        "type": "function_call",
        "status": status,
        "call_id": f"call_mock_{answer.number}",
        "name": answer.tool,
        "arguments": arguments,
    }


def _reasoning(answer: Answer) -> dict[str, object]:
    return {"id": f"rs_mock_{answer.number}", "type": "reasoning", "summary": []}
