"""What the mock answers to a request: its routes, and an endpoint's way to an exchange."""

from collections.abc import Callable, Coroutine
from functools import partial
from urllib.parse import unquote_to_bytes

from otari_daemon.mock.answer import Usage, no_answer
from otari_daemon.mock.bill import Bill
from otari_daemon.mock.connection import Connection
from otari_daemon.mock.deliver import (
    answer_after,
    answer_dripping,
    answer_streamed,
    answer_whole,
)
from otari_daemon.mock.endpoints import ENDPOINTS, Asked, Endpoint, Stamp
from otari_daemon.mock.exchange import Exchange, Playing, Sources, Terms
from otari_daemon.mock.faults import find_fault
from otari_daemon.mock.frames import Request, whole
from otari_daemon.mock.models import Model, read_model
from otari_daemon.mock.refusal import Refused
from otari_daemon.mock.resources.batches import Batches
from otari_daemon.mock.resources.files import Files
from otari_daemon.mock.resources.models import Models
from otari_daemon.mock.resources.reply import Reply, Resource
from otari_daemon.mock.resources.shelf import Shelf
from otari_daemon.mock.wires.plain import PlainWire
from otari_daemon.mock.wires.wire import Wire

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
        shelf = Shelf()
        self._resources: dict[str, Resource] = {
            "models": Models(),
            "files": Files(shelf, sources.now_s, sources.numbers.__next__),
            "batches": Batches(shelf, bill, sources),
        }

    def handle(self, connection: Connection, request: Request) -> Playing | None:
        """Answer `request` at once, or return what will."""
        path = request.target.partition(b"?")[0]
        endpoint = ENDPOINTS.get(path)
        if endpoint is not None and request.method == b"POST":
            return self._ask(connection, request, endpoint)
        try:
            if endpoint is not None:
                raise Refused(405, f"{endpoint.manner.path} is asked with POST")
            reply = self._look_up(request, path)
        except Refused as refused:
            connection.write(whole(refused.status, refused.body))
        else:
            connection.write(whole(200, reply.body, media=reply.media))
        return None

    def _look_up(self, request: Request, path: bytes) -> Reply:
        """What a resource says, or the bill."""
        if path == BILL and self._shows_bill and request.method == b"GET":
            return Reply(self._bill.to_json())
        segments = [unquote_to_bytes(part).decode("utf-8", "replace") for part in path.split(b"/") if part]
        resource = self._resources.get(segments[1]) if segments[:1] == ["v1"] and segments[1:] else None
        if resource is None:
            raise Refused(404, f"the mock has no {path.decode('latin-1')!r}; it has {_PATHS}")
        return resource.answer(request, segments[2:])

    def _ask(self, connection: Connection, request: Request, endpoint: Endpoint) -> Playing | None:
        stamp = Stamp(next(self._sources.numbers), int(self._sources.now_s()))
        clock = self._sources.monotonic_ns
        exchange = partial(
            Exchange,
            connection,
            request,
            endpoint.manner,
            bill=self._bill,
            monotonic_ns=clock,
            began_ns=clock(),
        )
        name = ""
        try:
            asked = endpoint.read(request)
            name = asked.model
            wire, terms, play = _decide(asked, request, stamp)
        except Refused as refused:
            nothing = no_answer(stamp.number, stamp.created, name, Usage(0, 0))
            x = exchange(wire=PlainWire(nothing, {}), terms=Terms())
            x.last(whole(refused.status, x.wording(refused.decline), x.tag))
            return None
        x = exchange(wire=wire, terms=terms)
        if play is None:
            answer_whole(x)
            return None
        return Playing(x, play)


_PATHS = ", ".join([*[path.decode() for path in ENDPOINTS], "/v1/models", "/v1/files", "/v1/batches"])


def _decide(asked: Asked, request: Request, stamp: Stamp) -> tuple[Wire, Terms, Play | None]:
    """What to say and how to say it; no play means whole and at once."""
    model = read_model(asked.model)
    if model.fault is None:
        wire = asked.answer(model, stamp, None)
        return wire, Terms(asked.streamed, asked.usage_wanted), _pace(model, asked.streamed)
    fault, argument = find_fault(*model.fault)
    says = None if fault.says is None else fault.says(request)
    wire = asked.answer(Model(lorem=fault.lorem), stamp, says)
    terms = Terms(asked.streamed, asked.usage_wanted, fault.end, fault.executes)
    return wire, terms, lambda x: fault.play(x, argument)


def _pace(model: Model, streamed: bool) -> Play | None:
    if model.first_ms:
        return partial(answer_after, wait_ms=model.first_ms)
    if model.gap_ms is not None:
        return partial(answer_dripping, gap_ms=model.gap_ms)
    return answer_streamed if streamed else None
