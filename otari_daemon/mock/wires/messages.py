"""Anthropic's messages as bytes: a whole one, and the events of a streamed one."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec
from msgspec import Raw

from otari_daemon.mock.answer import Answer, Usage
from otari_daemon.mock.frames import JSON, SSE
from otari_daemon.mock.refusal import Decline, anthropic_error
from otari_daemon.mock.tokens import lorem
from otari_daemon.mock.wires.wire import Event, Stated, Told

SIGNATURE = "bW9jaw=="

_STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}

_encode = msgspec.json.Encoder().encode


class _Block(NamedTuple):
    """One content block: how it is written whole, how it opens, and its deltas as JSON."""

    whole: Mapping[str, object]
    opened: Mapping[str, object]
    opening_tokens: int
    deltas: list[tuple[bytes, int]]


class MessagesWire:
    """An answer as `/v1/messages` gives it."""

    talks = True
    media = JSON
    stream_media = SSE

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self._thinking = answer.usage.reasoning_tokens

    def usage(self) -> bytes:
        """The input without what came from the cache."""
        return self._usage(self.answer.usage.completion_tokens)

    def state(self, stated: Stated) -> bytes:
        """The same members, saying `stated`; Anthropic has no total."""
        return _encode(
            {
                "input_tokens": stated.prompt,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": stated.cached,
                "output_tokens": stated.completion,
            }
        )

    def whole(self, usage: bytes | None) -> bytes:
        """A `message`."""
        content = [block.whole for block in self._blocks()]
        return _encode(self._message(content, self._stop_reason(), self.answer.stopped_by, usage))

    def tell(self, usage: bytes | None, each: bytes | None = None) -> Told:
        """The events up to `message_delta`, which states the usage, and `message_stop`."""
        return Told(self._events(usage, each), _event("message_stop", {}))

    def usage_event(self, usage: bytes) -> bytes:
        """A `message_delta` that changes nothing."""
        return _event("message_delta", {"delta": {}, "usage": Raw(usage)})

    def opening(self) -> bytes:
        """The message begun, and its first block."""
        return self._start(self._usage(1)) + _event(
            "content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}
        )

    def piece(self, text: str) -> bytes:
        """A delta of the first block."""
        return _delta(0, _encode({"type": "text_delta", "text": text}), None)

    def error_event(self, message: str) -> bytes:
        """Anthropic's error object."""
        error = anthropic_error(Decline(500, "", None, message), self.answer.number)
        return b"event: error\ndata: %b\n\n" % error

    def _usage(self, output_tokens: int) -> bytes:
        usage: Usage = self.answer.usage
        fresh = usage.prompt_tokens - usage.cached_tokens
        return self.state(Stated(fresh, output_tokens, None, usage.cached_tokens))

    def _stop_reason(self) -> str:
        return "stop_sequence" if self.answer.stopped_by is not None else _STOPS[self.answer.finish]

    def _message(
        self, content: list[Mapping[str, object]], reason: str | None, stop: str | None, usage: bytes | None
    ) -> dict[str, object]:
        stated = {} if usage is None else {"usage": Raw(usage)}
        return {
            "id": f"msg_mock_{self.answer.number}",
            "type": "message",
            "role": "assistant",
            "model": self.answer.model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": stop,
            **stated,
        }

    def _blocks(self) -> list[_Block]:
        spoken = _tool_block(self.answer, self._thinking) if self.answer.tool else _text_block(self.answer)
        return [_thinking_block(self._thinking), spoken] if self._thinking else [spoken]

    def _start(self, usage: bytes | None) -> bytes:
        return _event("message_start", {"message": self._message([], None, None, usage)})

    def _events(self, usage: bytes | None, each: bytes | None) -> Iterator[Event]:
        """A true usage has one output token at the start, where a false one is as false as at the end."""
        yield Event(self._start(self._usage(1) if usage == self.usage() else usage), 0)
        yield Event(_event("ping", {}), 0)
        for index, block in enumerate(self._blocks()):
            start = {"index": index, "content_block": block.opened}
            yield Event(_event("content_block_start", start), block.opening_tokens)
            for delta, tokens in block.deltas:
                yield Event(_delta(index, delta, each), tokens)
            yield Event(_event("content_block_stop", {"index": index}), 0)
        change = {"stop_reason": self._stop_reason(), "stop_sequence": self.answer.stopped_by}
        stated = {} if usage is None else {"usage": Raw(usage)}
        yield Event(_event("message_delta", {"delta": change, **stated}), 0)


def _text_block(answer: Answer) -> _Block:
    deltas = [(b'{"type":"text_delta","text":%b}' % _encode(piece), 1) for piece in answer.pieces]
    return _Block({"type": "text", "text": answer.text}, {"type": "text", "text": ""}, 0, deltas)


def _tool_block(answer: Answer, thinking: int) -> _Block:
    """Of arguments that were cut short, nothing is left in a whole answer."""
    call: dict[str, object] = {
        "type": "tool_use",
        "id": f"toolu_mock_{answer.number}",
        "name": answer.tool,
        "input": {},
    }
    deltas = [
        (b'{"type":"input_json_delta","partial_json":%b}' % _encode(piece), 1) for piece in answer.pieces
    ]
    arguments = {} if answer.finish == "length" else {"input": Raw(answer.text.encode())}
    return _Block({**call, **arguments}, call, answer.lead - thinking, deltas)


def _thinking_block(tokens: int) -> _Block:
    thoughts = lorem(tokens)
    opened = {"type": "thinking", "thinking": "", "signature": ""}
    deltas = [(b'{"type":"thinking_delta","thinking":%b}' % _encode(thought), 1) for thought in thoughts]
    signed = b'{"type":"signature_delta","signature":%b}' % _encode(SIGNATURE)
    whole = {"type": "thinking", "thinking": "".join(thoughts), "signature": SIGNATURE}
    return _Block(whole, opened, 0, [*deltas, (signed, 0)])


def _event(name: str, members: Mapping[str, object]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode({"type": name, **members}))


def _delta(index: int, delta: bytes, each: bytes | None) -> bytes:
    stated = b"" if each is None else b',"usage":' + each
    return b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%b%b}\n\n' % (
        index,
        delta,
        stated,
    )
