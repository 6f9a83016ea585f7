"""What a resource answers: at once, whole, and unbilled."""

from typing import NamedTuple, Protocol

import msgspec

from otari_daemon.mock.frames import JSON, Request

encode = msgspec.json.Encoder().encode


class Reply(NamedTuple):
    """A body of 200."""

    body: bytes
    media: bytes = JSON


class Resource(Protocol):
    """Everything below one path."""

    def answer(self, request: Request, rest: list[str]) -> Reply:
        """Answer for `rest`, the segments after the path; `Refused` for what is not there."""


def listing(data: list[object]) -> Reply:
    """All there is, in one page."""
    ids = [one["id"] for one in data if isinstance(one, dict)]
    edges = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
    return Reply(encode({"object": "list", "data": data, "has_more": False, **edges}))
