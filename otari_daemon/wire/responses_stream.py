"""Metering a stream of response events: usage read from a copy of the bytes that pass."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.intent import presumed_tokens
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.wire.chat_text import streamed_tokens, text_bytes
from otari_daemon.wire.dialect import Reading
from otari_daemon.wire.responses_items import charged_calls, items_of, written_bytes
from otari_daemon.wire.sse import Splitter, data_of
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat, is_hollow

EVENT_BYTES_MAX = 8 << 20
"""The first events and the last repeat the whole request, and the last the whole answer too."""

_LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})
_WHOLE_ITEM = "response.output_item.done"


class _Snapshot(msgspec.Struct):
    usage: Any = None
    output: Any = None
    service_tier: Any = None


class _Event(msgspec.Struct):
    type: Any = None
    delta: Any = None
    item: Any = None
    response: _Snapshot | None = None
    usage: Any = None


_events = msgspec.json.Decoder(_Event)


class ResponsesMeter:
    """Passes events on at once, and keeps back the last one, with all after it, until the request is settled.

    The last is the one that says how the response ended. What was generated is the larger of what the
    deltas said and what the finished items hold: some providers send only the one, some the other.
    """

    __slots__ = (
        "_absurd",
        "_calls",
        "_deltas",
        "_done",
        "_finished_bytes",
        "_format",
        "_kept",
        "_last",
        "_said_bytes",
        "_service",
        "_splitter",
        "_usage",
    )

    def __init__(self, usage: UsageFormat) -> None:
        self._format = usage
        self._splitter = Splitter(EVENT_BYTES_MAX)
        self._service: str | None = None
        self._usage: Usage | None = None
        self._absurd = False
        self._kept = b""
        self._last = ""
        self._done = False
        self._deltas = self._said_bytes = self._finished_bytes = self._calls = 0

    @property
    def ended(self) -> bool:
        """Whether `[DONE]` has come, which some providers send; others just stop."""
        return self._done

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes as they came; give back the whole events to pass on. Raises EventTooLong."""
        events = self._splitter.feed(chunk)
        if len(events) == 1:
            return self._pass(events[0])
        return b"".join(map(self._pass, events))

    def finish(self) -> bytes:
        """Take the input's end: the bytes kept back. Raises EventTooLong."""
        rest = self._splitter.take_rest()
        passed = self._pass(rest) if rest else b""
        return passed + self._kept

    def reading(self) -> Reading:
        """The provider's usage when it stated any that can be true, else our count."""
        usage = self._usage
        if usage is not None and not self._absurd and not is_hollow(usage, self._said()):
            stated = usage._replace(tool_calls=self._calls) if self._calls else usage
            return Reading(Consumption(stated, service=self._service), Reason.USAGE)
        counted = Consumption(None, self.generated(), self._deltas, self._service, tool_calls=self._calls)
        if self._absurd or usage is not None:
            return Reading(counted, Reason.USAGE_INVALID)
        whole = self._last and self._last != "response.failed"
        return Reading(counted, Reason.ESTIMATED if whole else Reason.UPSTREAM_CUT)

    def generated(self) -> int:
        """Output tokens so far: at least one for every delta that said something, or had begun to."""
        begun = 1 if self._splitter.rest and not self._last else 0
        streamed = streamed_tokens(self._deltas, self._said_bytes)
        return begun + max(streamed, presumed_tokens(self._finished_bytes))

    def _said(self) -> int:
        return max(self._said_bytes, self._finished_bytes)

    def _pass(self, event: bytes) -> bytes:
        if self._done:
            return b""
        data = data_of(event)
        if data == b"[DONE]":
            self._done = True
        elif data:
            self._read(data)
        if self._done or self._last:
            self._kept += event
            return b""
        return event

    def _read(self, data: bytes) -> None:
        """Take note of one event; what is no JSON counts as said, so that nothing is skipped."""
        try:
            event = _events.decode(data)
        except msgspec.ValidationError:
            return
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            self._add(len(data))
            return
        if event.delta is not None:
            self._add(text_bytes(event.delta))
        if event.usage is not None:
            self._note(event.usage)
        if event.type == _WHOLE_ITEM and isinstance(event.item, dict):
            self._finished_bytes += written_bytes(event.item)
            self._calls += charged_calls([event.item])
        if event.response is not None:
            self._snapshot(event.response)
        if isinstance(event.type, str) and event.type in _LAST:
            self._last = event.type

    def _snapshot(self, response: _Snapshot) -> None:
        if isinstance(response.service_tier, str):
            self._service = response.service_tier
        output = items_of(response.output)
        if output:
            self._finished_bytes = max(self._finished_bytes, sum(map(written_bytes, output)))
            self._calls = max(self._calls, charged_calls(output))
        if response.usage is not None:
            self._note(response.usage)

    def _add(self, said: int) -> None:
        if said:
            self._deltas += 1
            self._said_bytes += said

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
