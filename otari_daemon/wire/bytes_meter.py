"""Metering an answer that says nothing of its use: bytes that pass, and what was asked for."""

from __future__ import annotations

from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.wire.dialect import Reading


class BytesMeter:
    """Passes bytes on at once, all but the last one: that waits until the request is settled."""

    __slots__ = ("_kept", "_pieces")

    ended = False

    def __init__(self, pieces: Usage) -> None:
        self._pieces = pieces
        self._kept = b""

    def feed(self, chunk: bytes) -> bytes:
        """Everything that has come, but its last byte."""
        passing = self._kept + chunk[:-1]
        self._kept = chunk[-1:]
        return passing

    def finish(self) -> bytes:
        """The last byte."""
        kept, self._kept = self._kept, b""
        return kept

    def reading(self) -> Reading:
        """Charged by what was asked for, however much of it came."""
        return Reading(Consumption(pieces=self._pieces), Reason.ESTIMATED)

    def generated(self) -> int:
        """No tokens that we could count."""
        return 0
