"""Answers that come in one piece: a JSON object, or bytes of another kind."""

from collections.abc import Callable, Iterator, Mapping
from itertools import repeat

import msgspec
from msgspec import Raw

from otari_daemon.mock.answer import Answer
from otari_daemon.mock.frames import JSON, SSE
from otari_daemon.mock.refusal import error_body
from otari_daemon.mock.wires.wire import Event, Stated, Told

encode = msgspec.json.Encoder().encode


def state_prompt(stated: Stated) -> bytes:
    """Usage where there is only a prompt: embeddings, rerank."""
    return encode({"prompt_tokens": stated.prompt, "total_tokens": stated.total})


def state_input(stated: Stated) -> bytes:
    """Usage in the words of OpenAI's newer APIs: images, audio."""
    return encode(
        {"input_tokens": stated.prompt, "output_tokens": stated.completion, "total_tokens": stated.total}
    )


class PlainWire:
    """The JSON object `body`, with `usage` as its member `member`.

    As a stream, which only a fault makes of it, it is one event.
    """

    talks = False
    media = JSON
    stream_media = SSE

    def __init__(
        self,
        answer: Answer,
        body: Mapping[str, object],
        usage: Mapping[str, object] | None = None,
        state: Callable[[Stated], bytes] = state_prompt,
        member: str = "usage",
    ) -> None:
        self.answer = answer
        self._body = body
        self._usage = usage
        self._member = member
        self.state = state

    def usage(self) -> bytes | None:
        """As given."""
        return None if self._usage is None else encode(self._usage)

    def whole(self, usage: bytes | None) -> bytes:
        """The object."""
        return encode(self._body if usage is None else {**self._body, self._member: Raw(usage)})

    def tell(self, usage: bytes | None, each: bytes | None = None) -> Told:
        """The object as an event."""
        stated = usage if usage is not None else each
        data = b"data: %b\n\n" % self.whole(stated)
        return Told(iter([Event(data, self.answer.usage.completion_tokens)]), b"")

    def usage_event(self, usage: bytes) -> bytes:
        """An event with that member alone."""
        return b"data: %b\n\n" % encode({self._member: Raw(usage)})

    def opening(self) -> bytes:
        """A comment."""
        return b": mock\n\n"

    def piece(self, text: str) -> bytes:
        """An event that says `text`."""
        return b"data: %b\n\n" % encode(text)

    def error_event(self, message: str) -> bytes:
        """OpenAI's error object."""
        return b"event: error\ndata: %b\n\n" % error_body(message, "server_error")


class BytesWire(PlainWire):
    """`piece` so many times over, which is not JSON; streamed in chunks of about `CHUNK` bytes."""

    CHUNK = 8 * 1024

    def __init__(self, answer: Answer, media: bytes, piece: bytes, times: int = 1) -> None:
        super().__init__(answer, {})
        self.media = self.stream_media = media
        self._piece = piece
        self._times = times

    def whole(self, usage: bytes | None) -> bytes:  # noqa: ARG002 - there is no place for it
        """All of it."""
        return self._piece * self._times

    def tell(self, usage: bytes | None, each: bytes | None = None) -> Told:  # noqa: ARG002
        """All of it, piece by piece, and nothing at its end."""
        return Told(self._chunks(), b"")

    def opening(self) -> bytes:
        """A first piece."""
        return self._piece

    def piece(self, text: str) -> bytes:  # noqa: ARG002 - it is not text
        """One more piece."""
        return self._piece

    def error_event(self, message: str) -> bytes:
        """What no player takes for sound."""
        return message.encode()

    def _chunks(self) -> Iterator[Event]:
        per_chunk = max(1, self.CHUNK // max(1, len(self._piece)))
        whole, rest = divmod(self._times, per_chunk)
        yield from repeat(Event(self._piece * per_chunk, 0), whole)
        if rest and self._piece:
            yield Event(self._piece * rest, 0)
