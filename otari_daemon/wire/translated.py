"""Serving a dialect by way of another's wire.

What was used is read from what the provider wrote; what the caller gets is its translation.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from otari_daemon.domain.errors import UpstreamFailed
from otari_daemon.domain.intent import Intent, OutputLimit
from otari_daemon.wire.dialect import Asked, Body, Interpreter, Meter, Reading, Wire
from otari_daemon.wire.translate.base import StreamTranslator, Translation
from otari_daemon.wire.translate.table import translation
from otari_daemon.wire.usage_format import UsageFormat

_UNSAYABLE = (UpstreamFailed, msgspec.MsgspecError, ValueError, OverflowError, RecursionError)


class Translated(Interpreter):
    """The way from the dialect `asked` through `inner`, another dialect's own wire."""

    def __init__(self, asked: str, inner: Wire) -> None:
        self.speaks = inner.speaks
        self._asked = asked
        self._inner = inner

    def wire_for(self, asked: Asked, limit_field: str) -> Wire:
        """The wire for one request."""
        found = translation(self._asked, self.speaks, limit_field)
        assert found is not None, "there is a translation for every Translated"
        return TranslatedWire(self._inner, found, asked)


class TranslatedWire:
    """One request's way through another dialect's wire."""

    def __init__(self, inner: Wire, between: Translation, asked: Asked) -> None:
        self.speaks = inner.speaks
        self.path = inner.path
        self._inner = inner
        self._between = between
        self._asked = asked

    def outgoing(self, raw: bytes, body: Body, model: str, limit: OutputLimit | None) -> bytes:  # noqa: ARG002
        """The request as the provider's dialect says it. Raises InvalidRequest for what that cannot say."""
        said = self._between.request(body, model, limit.tokens if limit is not None else None)
        return self._inner.outgoing(msgspec.json.encode(said), said, model, None)

    def read_answer(self, answer: bytes, usage: UsageFormat, intent: Intent) -> Reading:
        """Usage by the provider's bytes; an answer that cannot be told to the caller is broken."""
        reading = self._inner.read_answer(answer, usage, intent)
        if reading.broken:
            return reading
        try:
            told = self._between.answer(msgspec.json.decode(answer), self._asked)
            return reading._replace(told=msgspec.json.encode(told))
        except _UNSAYABLE:
            return reading._replace(broken=True)

    def meter(self, intent: Intent, usage: UsageFormat) -> TranslatedMeter:
        """A meter of the provider's stream that gives the caller's."""
        return TranslatedMeter(self._inner.meter(intent, usage), self._between.stream(self._asked))


class TranslatedMeter(NamedTuple):
    """Meters the provider's events, and passes their translation. Translators keep the end for themselves.

    Raises UpstreamFailed where a stream cannot be told to the caller.
    """

    inner: Meter
    translator: StreamTranslator

    @property
    def ended(self) -> bool:
        """Whether either side of the translation is over."""
        return self.translator.ended or self.inner.ended

    def feed(self, chunk: bytes) -> bytes:
        """Take the provider's bytes; give back the caller's events. Raises EventTooLong, UpstreamFailed."""
        self.inner.feed(chunk)
        return self.translator.feed(chunk)

    def finish(self) -> bytes:
        """Take the input's end. Raises EventTooLong, UpstreamFailed."""
        self.inner.finish()
        return self.translator.finish()

    def reading(self) -> Reading:
        """What the provider has said of its use so far."""
        return self.inner.reading()

    def generated(self) -> int:
        """Output tokens counted so far."""
        return self.inner.generated()
