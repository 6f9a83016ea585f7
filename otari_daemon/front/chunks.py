"""One strict reading of a chunked body, before the parser sees it."""

from __future__ import annotations

import re

from otari_daemon.front.refusals import BODY_TOO_LARGE, Refused, malformed

MAX_SIZE_LINE = 64
FRAMING_ALLOWANCE = 16 * 1024  # bytes of framing a body may have beyond its payload

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[\t -~]*)?\r\n")
_SIZE_LINE_START = re.compile(rb"[0-9A-Fa-f]{0,8}|[0-9A-Fa-f]{1,8}(?:;[\t -~]*)?\r?")

_BAD_SIZE = malformed("a chunk size must be 1 to 8 hexadecimal digits and end in CR LF")
_BAD_END = malformed("chunk data must end in CR LF")
_TRAILERS = malformed("a chunked body must end in an empty line; trailer fields are not read")
_TOO_MUCH_FRAMING = malformed("the body's chunks are too small; send larger ones")


class ChunkScanner:
    """Walks a chunked body however it is split; `payload` counts its data, `done` says it has ended.

    Sizes have at most 8 digits, a size line with its extension at most 64 bytes, and there are no trailers.
    """

    __slots__ = ("_end", "_framing", "_last", "_left", "_limit", "_line", "done", "payload")

    def __init__(self, limit: int) -> None:
        self.done = False
        self.payload = 0
        self._limit = limit
        self._framing = 0
        self._left = 0  # data bytes until the end of this chunk
        self._end = b""  # what must follow the data: CR LF, or what is left of it
        self._last = False
        self._line = b""  # the start of a size line

    def scan(self, data: bytes) -> int:
        """Return how many bytes of `data` belong to this body; raise Refused at the first wrong one."""
        at = 0
        while at < len(data) and not self.done:
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                self.payload += step
                at += step
            elif self._end:
                at += self._take_end(data, at)
            else:
                at += self._take_size(data, at)
        return at

    def _take_end(self, data: bytes, at: int) -> int:
        given = data[at : at + len(self._end)]
        if not self._end.startswith(given):
            raise Refused(_TRAILERS if self._last else _BAD_END)
        self._end = self._end[len(given) :]
        self.done = self._last and not self._end
        return len(given)

    def _take_size(self, data: bytes, at: int) -> int:
        before = len(self._line)
        newline = data.find(b"\n", at, at + MAX_SIZE_LINE)
        stop = newline + 1 if newline >= 0 else at + MAX_SIZE_LINE
        line = self._line + data[at:stop]
        match = _SIZE_LINE.fullmatch(line)
        if len(line) > MAX_SIZE_LINE or not (match or _SIZE_LINE_START.fullmatch(line)):
            raise Refused(_BAD_SIZE)
        self._line = line
        if match:
            self._begin_chunk(int(match[1], 16), len(line))
        return len(line) - before

    def _begin_chunk(self, size: int, line_bytes: int) -> None:
        if self.payload + size > self._limit:
            raise Refused(BODY_TOO_LARGE)
        self._framing += line_bytes + 2
        if self._framing > FRAMING_ALLOWANCE + self.payload + size:
            raise Refused(_TOO_MUCH_FRAMING)
        self._left = size
        self._end = b"\r\n"
        self._last = size == 0
        self._line = b""
