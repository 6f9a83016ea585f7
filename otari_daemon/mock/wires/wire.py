"""What every wire can do with an answer: write it whole, tell it as a stream, and misstate it."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from otari_daemon.mock.answer import Answer


class Event(NamedTuple):
    """One piece of a stream, and how many completion tokens it makes known."""

    data: bytes
    tokens: int


class Told(NamedTuple):
    """A streamed answer: what is said, and what marks its end (nothing, if the wire has no mark)."""

    events: Iterator[Event]
    end: bytes


class Stated(NamedTuple):
    """Usage as someone claims it, so numbers or whatever else they say."""

    prompt: object
    completion: object
    total: object
    cached: object = 0
    thought: object = 0


class Wire(Protocol):
    """One answer on one wire. `usage` is always JSON, and None leaves it out.

    A wire that `talks` makes tokens for as long as it is read; another makes those of its answer.
    """

    answer: Answer
    talks: bool
    media: bytes
    stream_media: bytes

    def usage(self) -> bytes | None:
        """The honest usage, if the wire states any."""

    def state(self, stated: Stated) -> bytes:
        """A usage object that says `stated`."""

    def whole(self, usage: bytes | None) -> bytes:
        """The body of an answer that is not streamed."""

    def tell(self, usage: bytes | None, each: bytes | None = None) -> Told:
        """The answer as a stream; every event states `each` too, where that is given."""

    def usage_event(self, usage: bytes) -> bytes:
        """An event that says nothing but the usage."""

    def opening(self) -> bytes:
        """What a stream says before its first token."""

    def piece(self, text: str) -> bytes:
        """One more token of the stream."""

    def error_event(self, message: str) -> bytes:
        """The event that ends a stream which failed."""
