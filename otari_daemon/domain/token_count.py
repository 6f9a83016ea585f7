"""How many tokens a text has, about: for charging what no provider has counted. Never used for holds.

A piece is what tokenizers agree on best: up to seven letters of a word with the space before it, two
digits, one or two signs, three letters of another alphabet, two characters of a script without spaces.
Against a real vocabulary (Gemma's, 262,144 entries) that came to 1.02 to 1.08 of the truth for English,
0.98 for Python, 0.87 for YAML, 0.88 and 0.97 for Chinese and Japanese, 1.05 for German; too little for
long numbers (0.6), too much for alphabets that vocabularies differ in (Korean 1.4, Russian 2.3).
"""

from __future__ import annotations

import re

COUNTED_CHARS_MAX = 64 << 10
"""Of a longer text, so many characters are counted, half at each end; the rest is taken to be like them."""

_PIECE = re.compile(
    r" ?[A-Za-z_\u00c0-\u024f]{1,7}|[0-9]{1,2}|\s+| ?[\u0370-\u1fff]{1,3}"
    r"|[!-/:-@\[-^`{-~]{1,2}|[^\x00-\x7f]{1,2}|[\x00-\x7f]"
)


def estimated_tokens(text: str) -> int:
    """Estimate a text's tokens; at least one, unless it is empty."""
    if len(text) <= COUNTED_CHARS_MAX:
        return _pieces(text)
    half = COUNTED_CHARS_MAX // 2
    counted = _pieces(text[:half]) + _pieces(text[-half:])
    return -(-counted * len(text) // COUNTED_CHARS_MAX)


def _pieces(text: str) -> int:
    return sum(1 for _ in _PIECE.finditer(text))
