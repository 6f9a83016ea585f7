"""What all stream translators share: events out of bytes, and one way to end."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.errors import UpstreamFailed
from otari_daemon.wire.dialect import Body
from otari_daemon.wire.sse import Splitter, data_of, frame
from otari_daemon.wire.translate.fields import unreadable

ANSWER_CHARS_MAX = 16 << 20
"""What a translator keeps of one answer to say it again at its end; a longer one is a broken upstream."""

DONE = b"data: [DONE]\n\n"

_decode = msgspec.json.decode
_encode = msgspec.json.encode


def plain_event(body: Body) -> bytes:
    """An event that has only data, as Chat sends them."""
    return frame(_encode(body))


def named_event(body: Body) -> bytes:
    """An event under the name its `type` says, as Messages and Responses send them."""
    name: str = body["type"]
    return b"event: " + name.encode() + b"\n" + frame(_encode(body))


class EventTranslator:
    """Feeds whole events to `_take`; what `_say` collects is what the caller gets.

    Output depends on the bytes alone, not on how they were cut. `_stopped` says that the provider has given
    a reason to stop, after which a missing end is made up.
    """

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._said: list[bytes] = []
        self._kept = 0
        self._failure: UpstreamFailed | None = None
        self._stopped = False
        self._over = False

    @property
    def ended(self) -> bool:
        """Whether the caller has been told that the stream is over."""
        return self._over

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes as they came; give back the caller's events. Raises EventTooLong, UpstreamFailed."""
        self._fail_late()
        try:
            for event in self._splitter.feed(chunk):
                self._read(data_of(event))
        except UpstreamFailed as error:
            if not self._said:
                raise
            self._failure = error
        return self._spoken()

    def finish(self) -> bytes:
        """Take the input's end. Raises EventTooLong, UpstreamFailed."""
        self._fail_late()
        rest = self._splitter.take_rest()
        if rest:
            self._read(data_of(rest))
        if self._stopped and not self._over:
            self._end()
        return self._spoken()

    def _take(self, event: Body) -> None:
        """Take one event of the provider."""
        raise NotImplementedError

    def _end(self) -> None:
        """Say the end of the answer and set `_over`."""
        raise NotImplementedError

    def _ping(self) -> None:
        """Say something that means nothing, so that the caller sees the stream is alive."""
        self._say(b": keepalive\n\n")

    def _say(self, event: bytes) -> None:
        self._said.append(event)

    def _keep(self, text: str) -> str:
        """Count text that is kept until the end. Raises UpstreamFailed beyond the bound."""
        self._kept += len(text)
        if self._kept > ANSWER_CHARS_MAX:
            raise unreadable("stream, longer than any answer,")
        return text

    def _fail_late(self) -> None:
        """Raise what was found wrong after events that had to be given first."""
        if self._failure is not None:
            raise self._failure

    def _read(self, data: bytes) -> None:
        if self._over:
            return
        if not data:
            self._ping()
        elif data == b"[DONE]":
            self._end()
        else:
            self._take(_object_of(data))

    def _spoken(self) -> bytes:
        said = b"".join(self._said)
        self._said.clear()
        return said


def _object_of(data: bytes) -> Body:
    try:
        event: Any = _decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise unreadable("stream") from None
    if not isinstance(event, dict):
        raise unreadable("stream")
    return event
