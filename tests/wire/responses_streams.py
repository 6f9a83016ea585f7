"""A corpus of response streams: good ones, and ways of breaking the format."""

from __future__ import annotations

import json
from typing import Any

DONE = b"data: [DONE]\n\n"


def event(kind: Any, **members: Any) -> bytes:
    """One typed event."""
    data = json.dumps({"type": kind, **members}, ensure_ascii=False).encode()
    return b"event: " + str(kind).encode() + b"\ndata: " + data + b"\n\n"


def usage_of(prompt: Any, completion: Any, total: Any = None, **more: Any) -> dict[str, Any]:
    """A usage object."""
    stated = prompt + completion if total is None else total
    return {"input_tokens": prompt, "output_tokens": completion, "total_tokens": stated, **more}


def said(text: str) -> bytes:
    """A piece of text."""
    return event("response.output_text.delta", output_index=0, delta=text)


def message(text: str) -> dict[str, Any]:
    """A finished message."""
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


def finished(item: Any) -> bytes:
    """An item that is whole."""
    return event("response.output_item.done", output_index=0, item=item)


def last(kind: str = "completed", usage: Any = None, **more: Any) -> bytes:
    """The event that says how the response ended."""
    return event(f"response.{kind}", response={"status": kind, "usage": usage, **more})


TEXT = "Gr\u00fc\u00df Gott, \u6f22\u5b57 \U0001f600!"
START = event("response.created", response={"status": "in_progress", "usage": None, "output": []})
HEAD = (
    START
    + said("Gr\u00fc\u00df")
    + said(" Gott, \u6f22\u5b57 ")
    + said("\U0001f600!")
    + finished(message(TEXT))
)
END = last(usage=usage_of(11, 7), output=[message(TEXT)], service_tier="default")
WELL_FORMED = HEAD + END

SEARCH = {"type": "web_search_call", "action": {"type": "search", "query": "otari"}}
PAGE = {"type": "web_search_call", "action": {"type": "open_page", "url": "https://example.org"}}
CALL = {"type": "function_call", "name": "weather", "arguments": '{"city": "Berlin"}'}
THOUGHT = {"type": "reasoning", "summary": [], "encrypted_content": "x" * 400}

STREAMS: dict[str, bytes] = {
    "well formed": WELL_FORMED,
    "done after": WELL_FORMED + DONE,
    "bytes after done": WELL_FORMED + DONE + said("late"),
    "incomplete": HEAD + last("incomplete", usage_of(11, 7)),
    "failed": START + said("ab") + last("failed", error={"code": "server_error", "message": "no"}),
    "failed with usage": HEAD + last("failed", usage_of(11, 7)),
    "no usage": HEAD + last(output=[message(TEXT)]),
    "no usage, nothing but the end": last(output=[message("four")]),
    "no end": HEAD,
    "cut in the middle of an event": HEAD[:-40],
    "end without blank line": WELL_FORMED[:-1],
    "end without line end": WELL_FORMED[:-2],
    "CRLF": WELL_FORMED.replace(b"\n", b"\r\n"),
    "CR": WELL_FORMED.replace(b"\n", b"\r"),
    "byte order mark": b"\xef\xbb\xbf" + WELL_FORMED,
    "data alone": WELL_FORMED.replace(b"event: ", b": "),
    "comments": b": hi\n\nretry: 10\n\n" + HEAD + b": keep-alive\n\n" + END,
    "usage first": event("response.in_progress", response={"usage": usage_of(11, 7)}) + HEAD + last(),
    "usage after the end": WELL_FORMED + event("response.in_progress", response={"usage": usage_of(11, 7)}),
    "usage in a delta": START + event("response.output_text.delta", delta="ab", usage=usage_of(11, 3)) + END,
    "usage shrinks": START + event("response.in_progress", response={"usage": usage_of(11, 9)}) + END,
    "usage negative": HEAD + last(usage=usage_of(11, -5)),
    "usage zero": HEAD + last(usage=usage_of(0, 0)),
    "usage huge": HEAD + last(usage=usage_of(11, 2**63)),
    "usage text": HEAD + last(usage="many"),
    "cached beyond the input": HEAD
    + last(usage=usage_of(11, 7, input_tokens_details={"cached_tokens": 12})),
    "searches": START + finished(SEARCH) + finished(PAGE) + finished(SEARCH) + HEAD + END,
    "searches told at the end": HEAD + last(usage=usage_of(11, 7), output=[SEARCH, PAGE, message(TEXT)]),
    "searches without an end": START + finished(SEARCH) + said("ab"),
    "function call": START
    + event("response.function_call_arguments.delta", delta='{"city": ')
    + event("response.function_call_arguments.delta", delta='"Berlin"}')
    + finished(CALL)
    + last(),
    "thought unseen": START + finished(THOUGHT),
    "error event": START + said("ab") + event("error", code="server_error", message="no"),
    "deltas of another shape": event("x", delta={"text": "abcd"}) + event(5, delta=["abcd"]),
    "items of another shape": finished(5) + finished({"type": ["a"], "content": 7}) + last(output={"a": 1}),
    "response of another shape": event("response.completed", response=[1]) + event(["a"], response=None),
    "not JSON": START + b'event: x\ndata: {"type":"response.output_text.delta","delta":"\n\n' + END,
    "not UTF-8": START + b'data: {"delta":"\xff"}\n\n' + END,
    "a list": b"data: [1,2]\n\ndata: null\n\n" + END,
    "HTML": b"<!doctype html>\n<h1>Bad gateway</h1>\n\n",
    "nothing": b"",
    "line ends only": b"\n\r\n\r\r\n",
}  # fmt: skip
