"""Pictures and files inside a body: data URLs taken apart and put together."""

from __future__ import annotations

from typing import NamedTuple

from otari_daemon.wire.translate.fields import refuse

IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""The kinds of picture that Messages takes as base64."""

_ASIDE = "must be a data URL with base64, like 'data:image/png;base64,...'"


class Data(NamedTuple):
    """The media type and the base64 text of a data URL."""

    media_type: str
    base64: str


def split_data_url(url: str, path: str) -> Data:
    """Take a data URL apart, parameters such as a charset aside. Raises InvalidRequest."""
    head, comma, base64 = url.partition(",")
    kind, *parameters = head.removeprefix("data:").split(";")
    if not head.startswith("data:") or not comma or "base64" not in parameters:
        refuse(path, _ASIDE)
    return Data(kind.strip().lower(), base64)


def data_url(media_type: str, base64: str) -> str:
    """A data URL of base64 text."""
    return f"data:{media_type};base64,{base64}"


def is_remote(url: str) -> bool:
    """Whether `url` names something that the provider would fetch."""
    return url.startswith(("https://", "http://"))
