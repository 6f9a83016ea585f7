"""The requests of a batch: lines of JSON, each asked of its endpoint and billed like any other."""

from typing import NamedTuple

import msgspec
from msgspec import Raw, Struct

from otari_daemon.mock.ask import MAX_OUTPUT_TOKENS, decoded
from otari_daemon.mock.bill import Bill, BillLine
from otari_daemon.mock.endpoints import ENDPOINTS, Asked, Endpoint, Stamp
from otari_daemon.mock.exchange import Sources
from otari_daemon.mock.frames import Request
from otari_daemon.mock.models import Model, read_model
from otari_daemon.mock.refusal import Refused
from otari_daemon.mock.wires.wire import Wire

MAX_JOBS = 10_000
ENDPOINTS_IN_BATCHES = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/moderations")

_encode = msgspec.json.Encoder().encode


class Line(Struct, frozen=True):
    """One line of a batch's input."""

    custom_id: str
    body: Raw
    url: str
    method: str = "POST"


class Job(NamedTuple):
    """One request, how long its model takes, and how many tokens of its own it says."""

    custom_id: str
    endpoint: Endpoint
    body: bytes
    wait_ms: int
    tokens: int


class Result(NamedTuple):
    """One line of a batch's output, or of its errors."""

    line: bytes
    ok: bool


_decoder = msgspec.json.Decoder(Line)


def read_jobs(content: bytes, endpoint: str) -> list[Job]:
    """The requests in `content`, all for `endpoint`; `Refused` (400) if they are not."""
    lines = [line for line in content.splitlines() if line]
    if not 1 <= len(lines) <= MAX_JOBS:
        raise Refused(400, f"a batch has 1 to {MAX_JOBS} requests, not {len(lines)}")
    jobs = [_job(decoded(_decoder, line), endpoint) for line in lines]
    if sum(job.tokens for job in jobs) > MAX_OUTPUT_TOKENS:
        raise Refused(400, f"the requests of a batch say at most {MAX_OUTPUT_TOKENS} tokens together")
    return jobs


def _job(line: Line, endpoint: str) -> Job:
    if line.url != endpoint:
        raise Refused(
            400, f"the request {line.custom_id!r} is for {line.url!r}, and the batch for {endpoint!r}"
        )
    found, body = ENDPOINTS[endpoint.encode()], bytes(line.body)
    try:
        model = read_model(_asked(found, body).model)
    except Refused:
        model = Model()  # it is refused in its turn
    tokens = (model.lorem or 0) + model.reasoning
    return Job(line.custom_id, found, body, model.first_ms, tokens)


def _asked(endpoint: Endpoint, body: bytes) -> Asked:
    return endpoint.read(Request(b"POST", endpoint.manner.path.encode(), [], body))


def run_job(job: Job, request: Request, bill: Bill, sources: Sources) -> Result:
    """Answer one request of the batch that `request` asked for, and bill it."""
    stamp = Stamp(next(sources.numbers), int(sources.now_s()))
    began_ns = sources.monotonic_ns()
    try:
        asked = _asked(job.endpoint, job.body)
        wire = asked.answer(_faultless(read_model(asked.model)), stamp, None)
    except Refused as refused:
        body = job.endpoint.manner.wording(refused.decline, stamp.number)
        return _result(job, stamp, refused.status, body)
    bill.append(_bill_line(job, request, wire, began_ns, sources.monotonic_ns()))
    return _result(job, stamp, 200, wire.whole(wire.usage()))


def _faultless(model: Model) -> Model:
    """A fault has no connection to spoil here, so its request fails."""
    if model.fault is not None:
        raise Refused(500, "mock: failed within a batch")
    return model


def _result(job: Job, stamp: Stamp, status: int, body: bytes) -> Result:
    answered = {
        "status_code": status,
        "request_id": f"req_mock_{stamp.number}",
        "body": Raw(body),
    }
    line = {"id": f"batch_req_mock_{stamp.number}", "custom_id": job.custom_id, "response": answered}
    return Result(_encode({**line, "error": None}) + b"\n", status < 400)


def _bill_line(job: Job, request: Request, wire: Wire, began_ns: int, ended_ns: int) -> BillLine:
    """The batch's own request ids, since its client gave the lines none; no connection is theirs."""
    usage = wire.answer.usage
    return BillLine(
        request=wire.answer.number,
        connection=0,
        model=wire.answer.model,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        completion_tokens=usage.completion_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        streamed=False,
        ended="finished",
        request_id=request.header(b"x-request-id"),
        otari_request_id=request.header(b"otari-request-id"),
        began_ns=began_ns,
        first_byte_ns=ended_ns,
        ended_ns=ended_ns,
        client_left_ns=None,
        endpoint=job.endpoint.manner.path,
        units=usage.units,
    )
