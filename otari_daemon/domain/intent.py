"""All that policy needs to know of a request, read once from its body."""

from __future__ import annotations

from typing import NamedTuple

from otari_daemon.domain.pricing import ONE_REQUEST
from otari_daemon.domain.usage import Usage

TOKENS_PER_MESSAGE = 16
"""More than any chat template adds around one message."""

REMOTE_MEDIA_TOKENS = 32_768
"""Held for each picture, sound or file that is named by address: its size is not known to us."""

BYTES_PER_TOKEN = 4
"""Of ordinary text, for counting what nobody else has counted. Never used for holds."""


CHAT = frozenset({"chat"})
EVENT_STREAM = b"text/event-stream"


class Intent(NamedTuple):
    """A request as admission sees it; token counts are upper bounds unless they say presumed.

    `service` is the provider's service tier that the caller asks for, if the caller does;
    `pieces` are the most pictures, seconds, characters and calls it can come to, `presumed` those it comes
    to if nobody says; `reach` are the wire formats in which a provider can be asked; `rounds` is how often it
    may read a whole context for the one request. An answer whose content type begins with `streams_as` is
    passed on as it comes.
    """

    model: str
    stream: bool
    input_max: int
    prompt_presumed: int
    output_max: int | None
    choices: int = 1
    shows_usage: bool = True
    service: str | None = None
    pieces: Usage = ONE_REQUEST
    reach: frozenset[str] = CHAT
    tags: str = ""
    presumed: Usage = ONE_REQUEST
    streams_as: bytes = EVENT_STREAM
    rounds: int = 1


class OutputLimit(NamedTuple):
    """A limit the caller did not set and the books need; `field` is what the provider calls it."""

    field: str
    tokens: int


def input_bound(body_bytes: int, messages: int, remote_media: int) -> int:
    """Bound the prompt's tokens: byte-level tokenizers never make more tokens than there are bytes."""
    return body_bytes + messages * TOKENS_PER_MESSAGE + remote_media * REMOTE_MEDIA_TOKENS


def presumed_tokens(text_bytes: int) -> int:
    """Estimate the tokens of ordinary text from its UTF-8 length."""
    return -(-text_bytes // BYTES_PER_TOKEN)
