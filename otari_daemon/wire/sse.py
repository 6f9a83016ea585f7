"""Server-sent events as bytes: where one ends and the next begins, however the input is cut.

Lines end at CR LF, LF or CR only; `str.splitlines` would also split at U+2028, which JSON may contain.
"""

from __future__ import annotations

import re

EVENT_BYTES_MAX = 1 << 20
"""A longer event is a broken upstream, not an answer."""

_BOUNDARY = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n|\r\n\n")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class EventTooLong(Exception):
    """An upstream event passed `EVENT_BYTES_MAX` without ending."""


class Splitter:
    """Cuts a byte stream into whole events, each with its terminator; keeps the rest for later."""

    __slots__ = ("rest",)

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take bytes as they came and give back the events they complete, byte for byte."""
        data = self.rest + chunk if self.rest else chunk
        if data.endswith(b"\n\n") and data.count(b"\n\n") == 1 and b"\r" not in data:
            self.rest = b""
            return [data]
        return self._cut(data)

    def _cut(self, data: bytes) -> list[bytes]:
        events, start = [], 0
        for boundary in _BOUNDARY.finditer(data):
            if boundary.end() == len(data) and data.endswith(b"\r"):
                break  # the next byte may be the LF of this CR
            events.append(data[start : boundary.end()])
            start = boundary.end()
        self.rest = data[start:]
        if len(self.rest) > EVENT_BYTES_MAX:
            raise EventTooLong
        return events


def data_of(event: bytes) -> bytes:
    """The joined `data` of one event, without field name and leading space; empty when it has none."""
    if event.startswith(b"data: ") and event.endswith(b"\n\n") and event.count(b"\n") == 2:
        return event[6:-2]
    found = []
    for line in _LINE_END.split(event.removeprefix(_BOM)):
        name, _, value = line.partition(b":")
        if name == b"data":
            found.append(value.removeprefix(b" "))
    return b"\n".join(found)


def frame(data: bytes) -> bytes:
    """One event carrying `data`, which must be a single line."""
    return b"data: " + data + b"\n\n"
