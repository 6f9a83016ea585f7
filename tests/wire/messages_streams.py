"""A corpus of Messages streams: good ones, and ways of breaking the format."""

from __future__ import annotations

import json
from typing import Any


def event(kind: str, **members: Any) -> bytes:
    """One named event."""
    said = json.dumps({"type": kind, **members}, ensure_ascii=False).encode()
    return b"event: " + kind.encode() + b"\ndata: " + said + b"\n\n"


def usage_of(given: int, made: int, **more: Any) -> dict[str, Any]:
    """A usage object."""
    return {"input_tokens": given, "output_tokens": made, **more}


def begun(usage: Any) -> bytes:
    """`message_start`."""
    return event("message_start", message={"id": "msg_1", "type": "message", "content": [], "usage": usage})


def said(index: int, kind: str, text: str) -> bytes:
    """One delta of a block."""
    name = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}[kind]
    return event("content_block_delta", index=index, delta={"type": kind, name: text})


def stopped(usage: Any, reason: str | None = "end_turn") -> bytes:
    """`message_delta`."""
    stated = {} if usage is None else {"usage": usage}
    return event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, **stated)


STOP = event("message_stop")
PING = event("ping")
START = begun(usage_of(11, 1)) + event(
    "content_block_start", index=0, content_block={"type": "text", "text": ""}
)
TEXT = [said(0, "text_delta", word) for word in ("Hel", "lo \u2028", "w\u00f6r", "ld")]
SHUT = event("content_block_stop", index=0)
HEAD = START + PING + b"".join(TEXT) + SHUT
WELL_FORMED = HEAD + stopped(usage_of(11, 7)) + STOP
CALL = event(
    "content_block_start",
    index=0,
    content_block={"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}},
)

STREAMS: dict[str, bytes] = {
    "well formed": WELL_FORMED,
    "CRLF": WELL_FORMED.replace(b"\n", b"\r\n"),
    "CR": WELL_FORMED.replace(b"\n", b"\r"),
    "no space": WELL_FORMED.replace(b"data: ", b"data:"),
    "byte order mark": b"\xef\xbb\xbf" + WELL_FORMED,
    "comments": b": hi\n\n" + HEAD + b": still\n\n" + stopped(usage_of(11, 7)) + PING + STOP,
    "thoughts": begun(usage_of(11, 1))
    + said(0, "thinking_delta", "hm")
    + event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "c2ln"})
    + said(1, "text_delta", "so")
    + stopped(usage_of(11, 4))
    + STOP,
    "a call": begun(usage_of(11, 1))
    + CALL
    + said(0, "input_json_delta", '{"city":')
    + said(0, "input_json_delta", '"Ulm"}')
    + SHUT
    + stopped(usage_of(11, 9), "tool_use")
    + STOP,
    "cached": begun(usage_of(3, 1, cache_read_input_tokens=8)) + TEXT[0] + stopped(usage_of(3, 7)) + STOP,
    "cached, said last": begun(usage_of(3, 1))
    + TEXT[0]
    + stopped(usage_of(3, 7, cache_read_input_tokens=8))
    + STOP,
    "no usage": begun(None) + b"".join(TEXT) + stopped(None) + STOP,
    "usage of the prompt only": HEAD + stopped(None) + STOP,
    "no stop": HEAD + stopped(usage_of(11, 7)),
    "cut before the stop reason": HEAD,
    "cut in the middle": HEAD[:-30],
    "stop without blank line": HEAD + stopped(usage_of(11, 7)) + STOP[:-1],
    "bytes after the stop": WELL_FORMED + PING,
    "usage shrinks": HEAD + stopped(usage_of(11, 0)) + STOP,
    "usage negative": HEAD + stopped(usage_of(11, -7)) + STOP,
    "usage huge": HEAD + stopped(usage_of(11, 2**63)) + STOP,
    "usage text": HEAD + stopped("many") + STOP,
    "usage zero": begun(usage_of(0, 0)) + TEXT[0] + stopped(usage_of(0, 0)) + STOP,
    "totals on the way": START + stopped(usage_of(11, 50), None) + TEXT[0],
    "error": START + TEXT[0] + event("error", error={"type": "overloaded_error", "message": "no"}),
    "odd shapes": START
    + event("content_block_delta", delta=5)
    + event("content_block_delta", delta={"text": ["a"]})
    + event("content_block_start", content_block="x")
    + event("message_delta", delta=None)
    + event("message_start", message=[1])
    + b"data: [1]\n\ndata: {\n\ndata: \n\n"
    + STOP,
    "HTML": b"<!doctype html>\n<h1>Bad gateway</h1>\n\n",
    "nothing": b"",
}
