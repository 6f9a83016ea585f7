"""A corpus of Chat Completions streams: good ones, and every way of breaking the format."""

from __future__ import annotations

import json
from typing import Any

DONE = b"data: [DONE]\n\n"


def event(value: object, end: bytes = b"\n\n") -> bytes:
    """One event of JSON."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + end


def chunk(said: object, **more: Any) -> bytes:
    """One chunk with one choice; `more` joins the chunk."""
    return event({"choices": [{"index": 0, "delta": said}], **more})


def delta(content: str | None = None, finish: str | None = None, **more: Any) -> bytes:
    """One content chunk; `more` joins the delta."""
    said = {} if content is None else {"content": content}
    return event({"choices": [{"index": 0, "delta": {**said, **more}, "finish_reason": finish}]})


def usage_of(prompt: Any, completion: Any, total: Any = None, **more: Any) -> dict[str, Any]:
    """A usage object."""
    stated = prompt + completion if total is None else total
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": stated, **more}


def usage_chunk(*stated: Any, **more: Any) -> bytes:
    """The chunk that ends a stream with its usage."""
    return event({"choices": [], "usage": usage_of(*stated, **more)})


START = delta("", role="assistant")
TEXT = [delta("Gr\u00fc\u00df"), delta(" Gott, \u6f22\u5b57 "), delta("\U0001f600!")]
STOP = delta(finish="stop")
USAGE = usage_chunk(11, 7)
HEAD = b"".join([START, *TEXT, STOP])
WELL_FORMED = HEAD + USAGE + DONE

CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"a":1}'}}
EACH = [chunk({"content": "ab"}, usage=usage_of(11, n)) for n in range(1, 4)]
FIELDS = b": hi\n\nretry: 10\n\nevent: message\nid: 5\n"
RAW_CALL = b'data: {"choices":[{"delta":{"tool_calls":[%b]}}]}\n\n'
THOUGHTS = ("reasoning_content", "reasoning", "refusal")

STREAMS: dict[str, bytes] = {
    "well formed": WELL_FORMED,
    "no usage": HEAD + DONE,
    "no done": HEAD + USAGE,
    "no done, no usage": HEAD,
    "no finish reason, no done": START + TEXT[0],
    "two dones": WELL_FORMED + DONE,
    "bytes after done": WELL_FORMED + b'data: {"choices":[],"late":true}\n\n',
    "done without blank line": HEAD + USAGE + b"data: [DONE]\n",
    "done without line end": HEAD + USAGE + b"data: [DONE]",
    "usage without blank line": HEAD + USAGE[:-1],
    "usage without line end": HEAD + USAGE[:-2],
    "content without line end": START + TEXT[0][:-2],
    "cut in the middle of an event": HEAD[:-40],
    "CRLF": WELL_FORMED.replace(b"\n", b"\r\n"),
    "CR": WELL_FORMED.replace(b"\n", b"\r"),
    "mixed line ends": b"".join(
        part[:-2] + end
        for part, end in zip(
            [START, *TEXT, STOP, USAGE, DONE],
            [b"\n\n", b"\r\n\r\n", b"\r\r", b"\r\n\n", b"\n\r\n", b"\n\r", b"\r\n\r"],
            strict=True,
        )
    ),
    "more blank lines": WELL_FORMED.replace(b"\n\n", b"\n\n\n"),
    "byte order mark": b"\xef\xbb\xbf" + WELL_FORMED,
    "no space after data": WELL_FORMED.replace(b"data: ", b"data:"),
    "one data line for all": WELL_FORMED.replace(b"\n\n", b"\n"),
    "data on several lines": b'data: {"choices":\ndata: [],"usage":\ndata: '
    + json.dumps(usage_of(3, 4)).encode()
    + b"}\n\n"
    + DONE,
    "comments and fields": FIELDS + HEAD + b": bye\n\n" + USAGE + DONE,
    "usage first": USAGE + HEAD + DONE,
    "usage in each chunk": START + b"".join(EACH) + STOP + usage_chunk(11, 3) + DONE,
    "usage twice": HEAD + USAGE + USAGE + DONE,
    "usage null in each chunk": START + chunk({"content": "x"}, usage=None),
    "usage shrinks": HEAD + usage_chunk(11, 9) + USAGE + DONE,
    "prompt shrinks": HEAD + usage_chunk(12, 7) + USAGE + DONE,
    "usage negative": HEAD + usage_chunk(11, -5) + DONE,
    "usage zero": HEAD + usage_chunk(0, 0) + DONE,
    "usage huge": HEAD + usage_chunk(11, 2**63) + DONE,
    "usage text": HEAD + event({"choices": [], "usage": "many"}) + DONE,
    "usage without choices": HEAD + event({"usage": usage_of(11, 7)}) + DONE,
    "error event": START + TEXT[0] + b'event: error\ndata: {"error":{"message":"no"}}\n\n',
    "error after usage": HEAD + USAGE + event({"error": {"message": "no"}}),
    "tool calls": START + delta(tool_calls=[CALL]) + delta(finish="tool_calls") + USAGE + DONE,
    "tool calls of another shape": START + delta(tool_calls=5) + delta(tool_calls={"a": 1}) + STOP + DONE,
    "tool calls with odd members": START + delta(tool_calls=[5, None, {"function": 7}, CALL]) + STOP + DONE,
    "tool calls that are no text": RAW_CALL % b'{"function":{"a":"\xff"}}' + DONE,
    "tool calls with a number beyond doubles": RAW_CALL % b"1e999" + DONE,
    "function call": START + delta(function_call={"name": "f", "arguments": "{}"}) + STOP + DONE,
    "reasoning": START + b"".join(delta(**{field: "so"}) for field in THOUGHTS) + STOP + DONE,
    "content in parts": START + delta() + chunk({"content": [{"text": "ab"}]}) + STOP + DONE,
    "choices of another shape": b"".join(event({"choices": odd}) for odd in ({"a": 1}, [5], "x")) + DONE,
    "finish reason of another type": START + event({"choices": [{"finish_reason": 1}]}),
    "not JSON": START + b'data: {"choices":[{"delta":{"content":"\n\n' + STOP + DONE,
    "a list": event([1, 2]) + event(None) + event("x") + event(5) + DONE,
    "HTML": b"<!doctype html>\n<h1>Bad gateway</h1>\n\n",
    "nothing": b"",
    "line ends only": b"\n\r\n\r\r\n",
    "deep": b'data: {"choices":[],"deep":' + b"[" * 1200 + b"]" * 1200 + b"}\n\n" + DONE,
}  # fmt: skip
