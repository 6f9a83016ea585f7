"""How an API answers at a path, whatever it says: its name on the bill, its errors, its request ids."""

from typing import NamedTuple

from otari_daemon.mock.refusal import Wording, anthropic_error, openai_error


class Manner(NamedTuple):
    """`path` is what the bill names, and `id_header` carries the request's id back."""

    path: str
    wording: Wording
    id_header: bytes


def openai_manner(path: str) -> Manner:
    """OpenAI's."""
    return Manner(path, openai_error, b"x-request-id")


def anthropic_manner(path: str) -> Manner:
    """Anthropic's."""
    return Manner(path, anthropic_error, b"request-id")
