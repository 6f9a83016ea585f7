"""Server-sent events read the slow way, a byte at a time, as the standard words it."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """One line and the terminator that ended it; empty at the input's end."""

    text: bytes
    end: bytes


def lines_of(data: bytes) -> list[Line]:
    """Cut at CR LF, LF or CR; what follows the last terminator is a line that nothing ended."""
    lines, text, at = [], bytearray(), 0
    while at < len(data):
        end = b"\r\n" if data[at : at + 2] == b"\r\n" else data[at : at + 1]
        if end in (b"\r\n", b"\n", b"\r"):
            lines.append(Line(bytes(text), end))
            text.clear()
            at += len(end)
        else:
            text += end
            at += 1
    if text:
        lines.append(Line(bytes(text), b""))
    return lines


def events_of(data: bytes) -> list[bytes]:
    """The bytes of each whole event with its blank line, and last what no blank line ended, if any.

    An event ends at the first blank line after any line; blank lines before it lead into it two by two.
    """
    events, event, terminators = [], bytearray(), 0
    for line in lines_of(data):
        event += line.text + line.end
        terminators = terminators + 1 if not line.text else 1
        if terminators == 2:
            events.append(bytes(event))
            event.clear()
            terminators = 0
    if event:
        events.append(bytes(event))
    return events


def data_of(event: bytes) -> bytes:
    """The `data` fields of one event, joined by line feeds."""
    found = []
    for line, _ in lines_of(event.removeprefix(b"\xef\xbb\xbf")):
        if line.startswith(b"data:"):
            value = line[5:]
            found.append(value[1:] if value[:1] == b" " else value)
        elif line == b"data":
            found.append(b"")
    return b"\n".join(found)
