"""Server-sent events as bytes: where one ends and the next begins, however the input is cut.

Lines end at CR LF, LF or CR only; `str.splitlines` would also split at U+2028, which JSON may contain.
"""

from __future__ import annotations

import re

EVENT_BYTES_MAX = 1 << 20
"""A longer event is a broken upstream, not an answer."""

_BOUNDARY = re.compile(rb"(?>\r\n?|\n)(?>\r\n?|\n)")
_LF_BOUNDARY = re.compile(rb"\n\n")  # the same where there is no CR, and found faster
_BOUNDARY_BYTES_MAX = 4
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class EventTooLong(Exception):
    """An upstream event, with its terminator, is longer than its bound."""


class Splitter:
    """Cuts a byte stream into whole events, each with its terminator; keeps the rest for later.

    What comes out depends on the bytes alone, not on how they were cut. At most `EVENT_BYTES_MAX` and
    one chunk are kept, or `event_bytes_max` where that is given.
    """

    __slots__ = ("_most", "rest")

    def __init__(self, event_bytes_max: int = EVENT_BYTES_MAX) -> None:
        self.rest = b""
        self._most = event_bytes_max

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take bytes as they came and give back the events they complete, byte for byte.

        Raises EventTooLong once all events before the long one have been given.
        """
        known = len(self.rest)
        data = self.rest + chunk if known else chunk
        if data.endswith(b"\n\n") and data.find(b"\n\n") == len(data) - 2 and b"\r" not in data:
            events, self.rest = [data], b""
            if len(data) > self._most:
                raise EventTooLong
            return events
        return self._cut(data, max(0, known - _BOUNDARY_BYTES_MAX + 1))

    def take_rest(self) -> bytes:
        """The last event at the input's end, with the blank line it lacks. Raises EventTooLong."""
        rest, self.rest = self.rest, b""
        if len(rest) > self._most:
            raise EventTooLong
        if not rest or _BOUNDARY.search(rest, max(0, len(rest) - _BOUNDARY_BYTES_MAX)):
            return rest
        return rest + (b"\n" if rest.endswith(b"\n") else b"\n\n")

    def _cut(self, data: bytes, unseen: int) -> list[bytes]:
        """Cut where events end; no event ends before `unseen`."""
        events, start = [], 0
        boundaries = _BOUNDARY if b"\r" in data else _LF_BOUNDARY
        for boundary in boundaries.finditer(data, unseen):
            end = boundary.end()
            if end == len(data) and data.endswith(b"\r"):
                break  # the next byte may be the LF of this CR
            if end - start > self._most:
                break
            events.append(data[start:end])
            start = end
        self.rest = data[start:]
        if len(self.rest) > self._most and not events:
            raise EventTooLong
        return events


def data_of(event: bytes) -> bytes:
    """The joined `data` of one event, without field name and leading space; empty when it has none."""
    if event.endswith(b"\n\n") and b"\r" not in event:  # most events: one line of data, perhaps a named one
        line = event[:-2]
        if line.startswith(b"event: "):
            line = line[line.find(b"\n") + 1 :]
        if line.startswith(b"data: ") and b"\n" not in line:
            return line[6:]
    found = []
    for line in _LINE_END.split(event.removeprefix(_BOM)):
        name, _, value = line.partition(b":")
        if name == b"data":
            found.append(value.removeprefix(b" "))
    return b"\n".join(found)


def frame(data: bytes) -> bytes:
    """One event carrying `data`, which must be a single line."""
    return b"data: " + data + b"\n\n"
