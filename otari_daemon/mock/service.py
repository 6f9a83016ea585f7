"""What the mock answers to a request: its routes, and a chat request's way to an exchange."""

from collections.abc import Callable, Coroutine
from functools import partial

import msgspec

from otari_daemon.mock.answer import Answer, Usage, make_answer
from otari_daemon.mock.ask import Ask, read_ask
from otari_daemon.mock.bill import Bill
from otari_daemon.mock.connection import Connection
from otari_daemon.mock.deliver import (
    answer_after,
    answer_dripping,
    answer_streamed,
    answer_whole,
)
from otari_daemon.mock.exchange import Exchange, Playing, Sources, Terms
from otari_daemon.mock.faults import find_fault
from otari_daemon.mock.frames import Request, whole
from otari_daemon.mock.models import MODEL_IDS, Model, read_model
from otari_daemon.mock.refusal import Refused

CHAT = b"/v1/chat/completions"
MODELS = b"/v1/models"
BILL = b"/mock/bill"

Play = Callable[[Exchange], Coroutine[None, None, None]]


class Mock:
    """The provider: one per server, shared by its connections.

    `shows_bill` opens `GET /mock/bill`, which holds no prompt but everyone's correlation ids.
    """

    def __init__(self, bill: Bill, sources: Sources, *, shows_bill: bool) -> None:
        self._bill = bill
        self._sources = sources
        self._shows_bill = shows_bill

    def handle(self, connection: Connection, request: Request) -> Playing | None:
        """Answer `request` at once, or return what will."""
        path = request.target.partition(b"?")[0]
        if path == CHAT and request.method == b"POST":
            return self._chat(connection, request)
        try:
            connection.write(whole(200, self._look_up(request.method, path)))
        except Refused as refused:
            connection.write(whole(refused.status, refused.body))
        return None

    def _look_up(self, method: bytes, path: bytes) -> bytes:
        """The JSON behind a GET."""
        if path == BILL and self._shows_bill:
            found = self._bill.to_json()
        elif path == MODELS:
            listed = [_model_object(name) for name in MODEL_IDS]
            found = msgspec.json.encode({"object": "list", "data": listed})
        elif path.startswith(MODELS + b"/"):
            name = path[len(MODELS) + 1 :].decode("latin-1")
            read_model(name)
            found = msgspec.json.encode(_model_object(name))
        elif path == CHAT:
            raise Refused(405, "chat completions are asked for with POST")
        else:
            raise Refused(404, f"the mock has no {path.decode('latin-1')!r}; it has {_PATHS}")
        if method != b"GET":
            raise Refused(405, f"{path.decode('latin-1')} is read with GET")
        return found

    def _chat(self, connection: Connection, request: Request) -> Playing | None:
        number, created = next(self._sources.numbers), int(self._sources.now_s())
        clock = self._sources.monotonic_ns
        exchange = partial(
            Exchange, connection, request, bill=self._bill, monotonic_ns=clock, began_ns=clock()
        )
        name = ""
        try:
            ask = read_ask(request.body)
            name = ask.model
            answer, terms, play = _decide(ask, request, number, created)
        except Refused as refused:
            nothing = Answer(number, created, name, [], 0, 1, "stop", None, Usage(0, 0))
            x = exchange(answer=nothing, terms=Terms())
            x.last(whole(refused.status, refused.body, x.tag))
            return None
        x = exchange(answer=answer, terms=terms)
        if play is None:
            answer_whole(x)
            return None
        return Playing(x, play)


_PATHS = ", ".join(path.decode() for path in (CHAT, MODELS))


def _decide(ask: Ask, request: Request, number: int, created: int) -> tuple[Answer, Terms, Play | None]:
    """What to say and how to say it; no play means whole and at once."""
    model = read_model(ask.model)
    streamed = bool(ask.stream)
    if model.fault is None:
        answer = make_answer(ask, model, number, created, None)
        return answer, Terms(streamed, ask.include_usage), _pace(model, streamed)
    fault, argument = find_fault(*model.fault)
    says = None if fault.says is None else fault.says(request)
    answer = make_answer(ask, Model(lorem=fault.lorem), number, created, says)
    terms = Terms(streamed, ask.include_usage, fault.end, fault.executes)
    return answer, terms, lambda x: fault.play(x, argument)


def _pace(model: Model, streamed: bool) -> Play | None:
    if model.first_ms:
        return partial(answer_after, wait_ms=model.first_ms)
    if model.gap_ms is not None:
        return partial(answer_dripping, gap_ms=model.gap_ms)
    return answer_streamed if streamed else None


def _model_object(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "mock"}
