"""Metering a Messages stream: usage read from a copy of the bytes that pass."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.wire.chat_text import streamed_tokens
from otari_daemon.wire.dialect import Reading
from otari_daemon.wire.messages_text import block_bytes, delta_bytes
from otari_daemon.wire.sse import Splitter, data_of
from otari_daemon.wire.usage_anthropic import service_of
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat, is_hollow, later

STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class _Event(msgspec.Struct):
    type: Any = None
    message: Any = None
    usage: Any = None
    delta: Any = None
    content_block: Any = None
    error: Any = None


_events = msgspec.json.Decoder(_Event)


class MessagesMeter:
    """Passes content on at once, and keeps back the stream's end until the request is settled.

    The end begins with the `message_delta` that says why the model stopped, and what it used. Usage that was
    stated before is of the prompt, and of an output that went on. A stream that breaks off after its stop
    reason is ended properly for the caller.
    """

    __slots__ = (
        "_absurd",
        "_bytes",
        "_deltas",
        "_done",
        "_failed",
        "_format",
        "_kept",
        "_splitter",
        "_stated",
        "_stopped",
        "_totalled",
        "_usage",
    )

    def __init__(self, usage: UsageFormat) -> None:
        self._format = usage
        self._splitter = Splitter()
        self._kept = b""
        self._stated: Any = None
        self._usage: Usage | None = None
        self._totalled = False
        self._absurd = False
        self._deltas = 0
        self._bytes = 0
        self._done = False
        self._stopped = False
        self._failed = False

    @property
    def ended(self) -> bool:
        """Whether `message_stop` has been seen."""
        return self._done

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes as they came; give back the whole events to relay now. Raises EventTooLong."""
        return b"".join(map(self._pass, self._splitter.feed(chunk)))

    def finish(self) -> bytes:
        """Take the input's end: the kept bytes, with `message_stop` added where only that is missing.

        Raises EventTooLong.
        """
        rest = self._splitter.take_rest()
        passed = self._pass(rest) if rest else b""
        kept = passed + self._kept
        return kept + STOP if self._stopped and not self._done else kept

    def reading(self) -> Reading:
        """The provider's totals when it stated any that can be true, else our count."""
        usage, service = self._usage, service_of(self._stated)
        if self._absurd:
            return Reading(self._counted(None, service), Reason.USAGE_INVALID)
        if usage is not None and self._totalled and self._stopped:
            if is_hollow(usage, self._bytes):
                return Reading(self._counted(None, service), Reason.USAGE_INVALID)
            return Reading(Consumption(usage, service=service), Reason.USAGE)
        reason = Reason.UPSTREAM_CUT if self._failed else Reason.ESTIMATED
        return Reading(self._counted(usage, service), reason)

    def generated(self) -> int:
        """Output tokens so far: at least one for every delta that said something, or had begun to."""
        begun = 1 if self._splitter.rest and not self._done else 0
        return begun + streamed_tokens(self._deltas, self._bytes)

    def _counted(self, begun: Usage | None, service: str | None) -> Consumption:
        """Our count of the output, beside what the provider said of the prompt as it `begun`."""
        generated = self.generated()
        if begun is None or not begun.input_tokens:
            return Consumption(None, generated, self._deltas, service)
        prompted = begun._replace(output=0, reasoning=0)
        least = max(self._deltas, begun.output_tokens if self._totalled else 0)
        return Consumption(None, generated, least, service, prompted=prompted)

    def _pass(self, event: bytes) -> bytes:
        if self._done:
            return b""
        data = data_of(event)
        if data:
            self._read(data)
        if not self._stopped and not self._done:
            return event
        self._kept += event
        return b""

    def _read(self, data: bytes) -> None:
        try:
            event = _events.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            self._add(len(data))
            return
        kind = event.type
        if kind == "content_block_delta":
            self._add(delta_bytes(event.delta))
        elif kind == "content_block_start":
            self._add(_opening_bytes(event.content_block))
        elif kind == "message_start" and isinstance(event.message, dict):
            self._note(event.message.get("usage"))
        elif kind == "message_delta":
            self._stopped = self._stopped or _gives_reason(event.delta)
            self._totalled = self._totalled or event.usage is not None
        elif kind == "message_stop":
            self._done = True
        self._failed = self._failed or event.error is not None
        if event.usage is not None:
            self._note(event.usage)

    def _add(self, said: int) -> None:
        if said:
            self._deltas += 1
            self._bytes += said

    def _note(self, stated: Any) -> None:
        """Take usage that can be true and does not shrink; one absurd statement spoils them all."""
        if stated is None:
            return
        self._stated = later(self._stated, stated)
        try:
            usage = self._format.read(self._stated)
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


def _gives_reason(delta: Any) -> bool:
    return isinstance(delta, dict) and delta.get("stop_reason") is not None


def _opening_bytes(block: Any) -> int:
    """What a block says as it opens; the empty input that calls open with is nothing yet."""
    if isinstance(block, dict) and block.get("input") == {}:
        return block_bytes({**block, "input": None})
    return block_bytes(block)
