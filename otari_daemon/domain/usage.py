"""What a request consumed, in classes that never overlap."""

from __future__ import annotations

from typing import NamedTuple


class Usage(NamedTuple):
    """Units by the price they are charged at; every physical token is in exactly one class.

    `images`, `requests`, `tool_calls`, `seconds` of sound and `characters` of text are no tokens: they are
    for what is priced by the piece.
    """

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0
    images: int = 0
    requests: int = 0
    tool_calls: int = 0
    cache_write_1h: int = 0
    image_input: int = 0
    image_output: int = 0
    seconds: int = 0
    characters: int = 0

    @property
    def input_tokens(self) -> int:
        """All prompt tokens, whatever they cost."""
        return (
            self.input
            + self.cache_read
            + self.cache_write
            + self.cache_write_1h
            + self.audio_input
            + self.image_input
        )

    @property
    def output_tokens(self) -> int:
        """All generated tokens, whatever they cost."""
        return self.output + self.reasoning + self.audio_output + self.image_output


NOTHING = Usage()
UNITS_MAX = 1 << 31
"""More units than this in one request are a provider's mistake, not a measurement."""
