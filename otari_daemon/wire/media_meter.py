"""Metering the events of speech and transcription: deltas, and a last event that has the usage."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.wire.dialect import Reading
from otari_daemon.wire.plain_reading import reading_of
from otari_daemon.wire.sse import Splitter, data_of
from otari_daemon.wire.usage_format import UsageFormat


class _Event(msgspec.Struct):
    type: Any = None
    usage: Any = None
    delta: Any = None


_events = msgspec.json.Decoder(_Event)


class MediaMeter:
    """Passes events on as they come; the one that ends with `.done`, and all after it, wait for the books.

    `pieces` is what is charged by the piece where no usage is stated.
    """

    __slots__ = ("_deltas", "_done", "_format", "_kept", "_pieces", "_splitter", "_usage")

    ended = False

    def __init__(self, pieces: Usage, usage: UsageFormat) -> None:
        self._pieces = pieces
        self._format = usage
        self._splitter = Splitter()
        self._usage: Any = None
        self._deltas = 0
        self._done = False
        self._kept = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes as they came; give back the whole events to relay now. Raises EventTooLong."""
        passing = b""
        for event in self._splitter.feed(chunk):
            self._read(event)
            if self._done:
                self._kept += event
            else:
                passing += event
        return passing

    def finish(self) -> bytes:
        """Everything kept back, and an event that lacks its blank line, with that. Raises EventTooLong."""
        rest = self._splitter.take_rest()
        if rest:
            self._read(rest)
        kept, self._kept = self._kept + rest, b""
        return kept

    def reading(self) -> Reading:
        """Usage as last stated; our own count of a stream that has not come to its end is a cut one's."""
        counted = Consumption(None, self._deltas, pieces=self._pieces)
        read = reading_of(self._usage, self._format, counted, self._pieces)
        if self._done or read.reason is not Reason.ESTIMATED:
            return read
        return read._replace(reason=Reason.UPSTREAM_CUT)

    def generated(self) -> int:
        """Deltas so far: one token of text each."""
        return self._deltas

    def _read(self, event: bytes) -> None:
        try:
            said = _events.decode(data_of(event))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        if said.usage is not None:
            self._usage = said.usage
        if said.delta is not None:
            self._deltas += 1
        self._done = self._done or (isinstance(said.type, str) and said.type.endswith(".done"))
