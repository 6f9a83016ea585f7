"""An answer that passes as bytes of its own kind, in which we have nothing to say."""

from __future__ import annotations

from otari_daemon.domain.errors import GatewayError
from otari_daemon.pipeline.replies import StreamReply


class BrokenOff(ConnectionAbortedError):
    """The provider broke off in the middle of bytes: so must the answer, for nothing in it can say so."""


class BytesReply(StreamReply):
    """Sound, say. It has no room for a comment or an error, so silence stays and a break is passed on."""

    @property
    def content_type(self) -> str:
        """The provider's own."""
        return (self._exchange.header(b"content-type") or b"application/octet-stream").decode("latin-1")

    def keep_alive(self, interval_s: float | None) -> BytesReply:  # noqa: ARG002 - there is no comment
        """Leave the stream as the provider made it."""
        return self

    def _tell(self, error: GatewayError) -> bytes:
        raise BrokenOff(error.message)
