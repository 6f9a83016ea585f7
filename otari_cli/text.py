"""Words from elsewhere, made fit for a terminal."""

from __future__ import annotations

import re
import unicodedata

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colors, cursor, screen
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC and other strings
    r"|\x1b[ -/]*[0-~]"
)
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE = (0x2028, 0x2029, 0xFEFF, *range(0xE0000, 0xE0080))
_DROPPED = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), *_BIDI, *_INVISIBLE, *range(0xD800, 0xE000)))
_ONE_LINE = _DROPPED | {0x09: " ", 0x0A: " "}
_LINES = {code: None for code in _DROPPED if code not in (0x09, 0x0A)}


def plain(text: str) -> str:
    """One line of text without escape sequences, control or bidirectional characters."""
    return text if text.isascii() and text.isprintable() else _SEQUENCE.sub("", text).translate(_ONE_LINE)


def plain_lines(text: str) -> str:
    """Like `plain`, with line ends and tabs kept; safe piece by piece, however a sequence is cut."""
    return text.translate(_LINES)


def width(text: str) -> int:
    """How many terminal cells plain text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def clip(text: str, cells: int) -> str:
    """Plain text in at most so many cells, an ellipsis in place of what is cut."""
    if width(text) <= cells:
        return text
    used, kept = 1, []
    for char in text:
        used += _cells(char)
        if used > cells:
            break
        kept.append(char)
    return "".join(kept) + "…"


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def dollars(amount: str | None, none: str = "") -> str:
    """A decimal amount with its sign in front, or the word for none."""
    if amount is None:
        return none
    return f"-${amount[1:]}" if amount.startswith("-") else f"${amount}"


def when(moment: str | None, none: str = "never") -> str:
    """An RFC 3339 time in UTC, to the second: `2026-11-22 14:03:11`."""
    return moment[:19].replace("T", " ") if moment else none


def lasting(ms: float | None) -> str:
    """A span for reading: `604ms`, `3.9s`, `4m10s`, `6d03h`."""
    if ms is None:
        return ""
    seconds = ms / 1000
    if seconds < 1:
        return f"{ms:.0f}ms"
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86_400)
    if hours < 1:
        return f"{minutes}m{int(seconds) % 60:02}s"
    return f"{hours}h{minutes % 60:02}m" if days < 1 else f"{days}d{hours % 24:02}h"


def counted(number: int, thing: str) -> str:
    """How many there are of a thing: `1 hold`, `2 holds`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def count(number: int | None) -> str:
    """A count for reading: `611`, `21.3k`, `1.9M`."""
    if number is None:
        return ""
    for floor, unit, name in ((10**9, 10**9, "G"), (10**6, 10**6, "M"), (10_000, 1_000, "k")):
        if number >= floor:
            return f"{number / unit:.1f}{name}"
    return str(number)
