"""Metering a Chat Completions stream: usage read from a copy of the bytes that pass."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.wire.chat_text import called_bytes, streamed_tokens, text_bytes, written_bytes
from otari_daemon.wire.dialect import Reading
from otari_daemon.wire.sse import Splitter, data_of
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat, is_hollow
from otari_daemon.wire.usage_openai import of_timings

DONE = b"data: [DONE]\n\n"


class _Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: list[Any] | None = None
    function_call: Any = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None
    x_groq: Any = None
    timings: Any = None
    service_tier: Any = None


_chunks = msgspec.json.Decoder(_Chunk)


class ChatMeter:
    """Passes content on at once, and keeps back the stream's end until the request is settled.

    The end is the usage chunk (`choices: []`) and `[DONE]`; a caller who did not ask for usage is not
    shown that chunk. A stream that breaks off after its finish reason is ended properly for the caller.
    """

    __slots__ = (
        "_absurd",
        "_bytes",
        "_deltas",
        "_done",
        "_failed",
        "_format",
        "_kept",
        "_service",
        "_shows_usage",
        "_splitter",
        "_stopped",
        "_usage",
    )

    def __init__(self, shows_usage: bool, usage: UsageFormat) -> None:
        self._shows_usage = shows_usage
        self._format = usage
        self._service: str | None = None
        self._splitter = Splitter()
        self._kept = b""
        self._usage: Usage | None = None
        self._absurd = False
        self._deltas = 0
        self._bytes = 0
        self._done = False
        self._stopped = False
        self._failed = False

    @property
    def ended(self) -> bool:
        """Whether `[DONE]` has been seen."""
        return self._done

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes as they came; give back the whole events to relay now. Raises EventTooLong."""
        events = self._splitter.feed(chunk)
        if len(events) == 1:
            return self._pass(events[0])
        return b"".join(map(self._pass, events))

    def finish(self) -> bytes:
        """Take the input's end: the kept bytes, with `[DONE]` added where only that is missing.

        Raises EventTooLong.
        """
        rest = self._splitter.take_rest()
        if rest and not self._done:
            self._kept = self._pass(rest) + self._kept
        if self._done or not self._stopped:
            return self._kept
        return self._kept + DONE

    def reading(self) -> Reading:
        """The provider's usage when it stated any that can be true, else our count."""
        counted = Consumption(None, self.generated(), self._deltas, self._service)
        usage = self._usage
        if self._absurd or (usage is not None and is_hollow(usage, self._bytes)):
            return Reading(counted, Reason.USAGE_INVALID)
        if usage is not None:
            return Reading(Consumption(usage, service=self._service), Reason.USAGE)
        return Reading(counted, Reason.UPSTREAM_CUT if self._failed else Reason.ESTIMATED)

    def generated(self) -> int:
        """Output tokens so far: at least one for every delta that said something, or had begun to."""
        begun = 1 if self._splitter.rest and not self._done else 0
        return begun + streamed_tokens(self._deltas, self._bytes)

    def _pass(self, event: bytes) -> bytes:
        if self._done:
            return b""
        data = data_of(event)
        if data == b"[DONE]":
            self._done = True
            self._kept += event
            return b""
        if not data:
            return event
        if self._read(data):
            if self._shows_usage:
                self._kept += event
            return b""
        return event

    def _read(self, data: bytes) -> bool:
        """Take note of one chunk; say whether it is the usage chunk that ends a stream."""
        try:
            chunk = _chunks.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            self._read_loosely(data)
            return False
        for choice in chunk.choices or ():
            if choice.finish_reason is not None:
                self._stopped = True
            if choice.delta is not None:
                self._count(choice.delta)
        if chunk.error is not None:
            self._failed = True
        if chunk.service_tier is not None and isinstance(chunk.service_tier, str):
            self._service = chunk.service_tier
        if chunk.usage is not None:
            self._note(chunk.usage)
            return not chunk.choices
        if chunk.x_groq is not None or chunk.timings is not None:
            self._note_elsewhere(chunk)
        return False

    def _note_elsewhere(self, chunk: _Chunk) -> None:
        """Usage beside its place: Groq's in the last chunk with a choice, llama.cpp's timings."""
        stated = chunk.x_groq.get("usage") if isinstance(chunk.x_groq, dict) else of_timings(chunk.timings)
        if stated is not None:
            self._note(stated)

    def _count(self, delta: _Delta) -> None:
        content = delta.content
        said = len(content) if content and content.isascii() else text_bytes(content)
        if delta.reasoning_content or delta.reasoning or delta.refusal:
            said += sum(map(text_bytes, (delta.reasoning_content, delta.reasoning, delta.refusal)))
        if delta.tool_calls is not None:
            said += called_bytes(delta.tool_calls)
        if delta.function_call is not None:
            said += called_bytes([{"": delta.function_call}])
        self._add(said)

    def _add(self, said: int) -> None:
        if said:
            self._deltas += 1
            self._bytes += said

    def _read_loosely(self, data: bytes) -> None:
        """A chunk of an unexpected shape: count what can be counted, and never too little."""
        try:
            loose = msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            self._add(len(data))
            return
        if not isinstance(loose, dict):
            return
        choices = loose.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                self._add(written_bytes(choice.get("delta")))
                self._stopped = self._stopped or choice.get("finish_reason") is not None
        if loose.get("usage") is not None:
            self._note(loose["usage"])

    def _note(self, stated: Any) -> None:
        """Take usage that can be true and does not shrink; one absurd statement spoils them all."""
        try:
            usage = self._format.read(stated)
        except AbsurdUsage:
            self._absurd = True
            return
        known = self._usage
        if known is not None and (
            usage.output_tokens < known.output_tokens or usage.input_tokens < known.input_tokens
        ):
            self._absurd = True
            return
        self._usage = usage
