"""What the pipeline asks of a translation, and what a translation is told of its request."""

from __future__ import annotations

from typing import Any, Protocol

from otari_daemon.wire.dialect import Asked, Body

__all__ = ["Asked", "StreamTranslator", "Translation"]


class StreamTranslator(Protocol):
    """Follows one stream of the provider's events and says the same in the caller's."""

    @property
    def ended(self) -> bool:
        """Whether the caller has been told that the stream is over."""

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes as they came; give back the caller's events. Raises EventTooLong, UpstreamFailed."""

    def finish(self) -> bytes:
        """Take the input's end: what the caller is still owed; nothing if the provider broke off."""


class Translation(Protocol):
    """One direction: a caller's wire format over a provider's. Holds no state of any request."""

    def request(self, body: Body, model: str, output_limit: int | None) -> Body:
        """The provider's request, for `model` and at most `output_limit` tokens. Raises InvalidRequest."""

    def answer(self, body: Body, asked: Asked) -> Body:
        """The caller's answer for a provider's whole one. Raises UpstreamFailed for what is none."""

    def stream(self, asked: Asked) -> StreamTranslator:
        """A translator for one stream."""

    def error(self, body: Any) -> Body:
        """The caller's error body for a provider's, whatever that is."""
