"""One request being answered: what was written, what was generated, and its one bill line."""

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass

from msgspec import Struct

from otari_daemon.mock.bill import Bill, BillLine, End
from otari_daemon.mock.connection import Connection
from otari_daemon.mock.frames import Request
from otari_daemon.mock.manner import Manner
from otari_daemon.mock.refusal import Decline
from otari_daemon.mock.wires.wire import Wire

MS_PER_S = 1_000


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a server's times and numbers come from; with the same ones it answers the same."""

    now_s: Callable[[], float]
    monotonic_ns: Callable[[], int]
    numbers: Iterator[int]


class Terms(Struct, frozen=True, gc=False):
    """How an answer is told and billed.

    `end` is what the bill says when it was written to its end; an answer that does not `execute`
    is refused before any work, so its prompt is not charged.
    """

    streamed: bool = False
    usage_wanted: bool = False
    end: End = "finished"
    executes: bool = True


class Exchange:
    """Writes one answer, counts it, and bills it once.

    The line is billed before the answer's last bytes are written, so that whoever has the whole
    answer finds it there.
    """

    def __init__(
        self,
        connection: Connection,
        request: Request,
        manner: Manner,
        wire: Wire,
        terms: Terms,
        bill: Bill,
        monotonic_ns: Callable[[], int],
        began_ns: int,
    ) -> None:
        self.connection = connection
        self.request = request
        self.wire = wire
        self.answer = wire.answer
        self.terms = terms
        self.tag = manner.id_header + b": req_mock_%d" % self.answer.number
        self._manner = manner
        self._bill = bill
        self._monotonic_ns = monotonic_ns
        self._began_ns = began_ns
        self._first_byte_ns: int | None = None
        self._generated = 0
        self._billed = False

    def generate(self, tokens: int) -> None:
        """Count `tokens` more completion tokens as made."""
        self._generated += tokens

    def wording(self, decline: Decline) -> bytes:
        """The body that declines, as the API asked words it."""
        return self._manner.wording(decline, self.answer.number)

    def write(self, data: bytes) -> None:
        """Write part of the answer."""
        if self._first_byte_ns is None:
            self._first_byte_ns = self._monotonic_ns()
        self.connection.write(data)

    async def send(self, data: bytes) -> None:
        """Write part of the answer and wait until the client's side has taken it."""
        self.write(data)
        await self.connection.taken()

    def last(self, data: bytes) -> None:
        """Bill, then write the end of the answer."""
        if self._first_byte_ns is None:
            self._first_byte_ns = self._monotonic_ns()
        self._close(self.terms.end)
        self.connection.write(data)

    def left(self) -> None:
        """The client has gone: bill what was made until now."""
        self._close("client_left")

    def over(self) -> None:
        """The answer is over; if it never came to its last bytes, something broke it."""
        self._close("fault")

    def _close(self, end: End) -> None:
        if self._billed:
            return
        self._billed = True
        ended_ns = self._monotonic_ns()
        usage = self.answer.usage
        made = self._generated if self.wire.talks else min(self._generated, usage.completion_tokens)
        self._bill.append(
            BillLine(
                request=self.answer.number,
                connection=self.connection.number,
                model=self.answer.model,
                prompt_tokens=usage.prompt_tokens if self.terms.executes else 0,
                cached_tokens=usage.cached_tokens if self.terms.executes else 0,
                completion_tokens=made,
                reasoning_tokens=min(usage.reasoning_tokens, made),
                streamed=self.terms.streamed,
                ended=end,
                request_id=self.request.header(b"x-request-id"),
                otari_request_id=self.request.header(b"otari-request-id"),
                began_ns=self._began_ns,
                first_byte_ns=self._first_byte_ns,
                ended_ns=ended_ns,
                client_left_ns=ended_ns if end == "client_left" else None,
                endpoint=self._manner.path,
                units=usage.units if self.terms.executes else 0,
            )
        )


class Playing:
    """An answer that takes time: a `Job` for its connection."""

    def __init__(self, exchange: Exchange, play: Callable[[Exchange], Coroutine[None, None, None]]) -> None:
        self._play = play
        self._exchange = exchange
        self.left = exchange.left
        self.over = exchange.over

    def run(self) -> Coroutine[None, None, None]:
        """Write the answer."""
        return self._play(self._exchange)
