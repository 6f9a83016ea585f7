"""A transcript told while it is written: `transcript.text.delta` events, and one that has it all."""

from collections.abc import Iterator, Mapping

from msgspec import Raw

from otari_daemon.mock.answer import Answer
from otari_daemon.mock.tokens import split_tokens
from otari_daemon.mock.wires.plain import PlainWire, encode, state_input
from otari_daemon.mock.wires.wire import Event, Told


class TranscriptWire(PlainWire):
    """The text `said`; what it took is told at the end."""

    def __init__(self, answer: Answer, said: str, usage: Mapping[str, object]) -> None:
        super().__init__(answer, {"text": said}, usage, state_input)
        self._said = said

    def tell(self, usage: bytes | None, each: bytes | None = None) -> Told:
        """The deltas, and `transcript.text.done`."""
        done = {"type": "transcript.text.done", "text": self._said, **_stated(usage)}
        return Told(self._deltas(each), b"data: %b\n\n" % encode(done))

    def piece(self, text: str) -> bytes:
        """A delta."""
        return b"data: %b\n\n" % encode({"type": "transcript.text.delta", "delta": text})

    def _deltas(self, each: bytes | None) -> Iterator[Event]:
        """Tokens count where tokens are what is counted."""
        counted = 1 if self.answer.usage.completion_tokens else 0
        for piece in split_tokens(self._said):
            delta = {"type": "transcript.text.delta", "delta": piece, **_stated(each)}
            yield Event(b"data: %b\n\n" % encode(delta), counted)


def _stated(usage: bytes | None) -> dict[str, Raw]:
    return {} if usage is None else {"usage": Raw(usage)}
