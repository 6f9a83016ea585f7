"""/v1/batches: create, list, get, cancel.

A batch is done at once, or once the longest `slow` among its requests has passed; it runs, and is
billed line by line, when someone next looks after that.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from otari_daemon.mock.bill import Bill
from otari_daemon.mock.endpoints.endpoint import read_json
from otari_daemon.mock.exchange import Sources
from otari_daemon.mock.frames import Request
from otari_daemon.mock.refusal import Refused
from otari_daemon.mock.resources.jobs import ENDPOINTS_IN_BATCHES, Job, read_jobs, run_job
from otari_daemon.mock.resources.reply import Reply, encode, listing
from otari_daemon.mock.resources.shelf import File, Shelf

MAX_BATCHES = 1_000
DAY_S = 86_400
NS_PER_MS = 1_000_000


class Wanted(Struct, frozen=True):
    """A request for a batch."""

    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: Annotated[dict[str, str], Meta(max_length=16)] | None = None


@dataclass(slots=True)
class _Batch:
    """One batch; `due_ns` is on the server's monotonic clock."""

    batch_id: str
    wanted: Wanted
    request: Request
    created: int
    jobs: list[Job]
    due_ns: int
    status: str = "in_progress"
    ended: int | None = None
    failed: int = 0
    output: str | None = None
    errors: str | None = None


_decoder = msgspec.json.Decoder(Wanted)


class Batches:
    """The batches, newest kept; their input and output lie on `shelf`."""

    def __init__(self, shelf: Shelf, bill: Bill, sources: Sources) -> None:
        self._shelf = shelf
        self._bill = bill
        self._sources = sources
        self._batches: OrderedDict[str, _Batch] = OrderedDict()

    def answer(self, request: Request, rest: list[str]) -> Reply:
        """Dispatch on the method and what follows the path."""
        match request.method, rest:
            case b"POST", []:
                return self._create(request)
            case b"GET", []:
                return listing([self._shown(batch) for batch in reversed(self._batches.values())])
            case b"GET", [batch_id]:
                return Reply(encode(self._shown(self._find(batch_id))))
            case b"POST", [batch_id, "cancel"]:
                return self._cancel(self._find(batch_id))
        raise Refused(405, "batches are created and canceled with POST and read with GET")

    def _create(self, request: Request) -> Reply:
        wanted = read_json(_decoder, request)
        if wanted.endpoint not in ENDPOINTS_IN_BATCHES:
            raise Refused(400, f"endpoint is one of {', '.join(ENDPOINTS_IN_BATCHES)}")
        file = self._shelf.find(wanted.input_file_id)
        if file is None:
            raise Refused(400, f"there is no file {wanted.input_file_id!r}")
        jobs = read_jobs(file.content, wanted.endpoint)
        wait_ms = max(job.wait_ms for job in jobs)
        batch = _Batch(
            batch_id=f"batch_mock_{next(self._sources.numbers)}",
            wanted=wanted,
            request=request,
            created=int(self._sources.now_s()),
            jobs=jobs,
            due_ns=self._sources.monotonic_ns() + wait_ms * NS_PER_MS,
        )
        self._batches[batch.batch_id] = batch
        if len(self._batches) > MAX_BATCHES:
            self._batches.popitem(last=False)
        return Reply(encode(self._shown(batch)))

    def _find(self, batch_id: str) -> _Batch:
        batch = self._batches.get(batch_id)
        if batch is None:
            raise Refused(404, f"there is no batch {batch_id!r}")
        return batch

    def _cancel(self, batch: _Batch) -> Reply:
        self._advance(batch)
        if batch.status != "in_progress":
            raise Refused(409, f"the batch is {batch.status} and cannot be canceled")
        batch.status, batch.ended = "cancelled", int(self._sources.now_s())
        return Reply(encode(self._shown(batch)))

    def _advance(self, batch: _Batch) -> None:
        """Run the batch if it is due."""
        if batch.status != "in_progress" or self._sources.monotonic_ns() < batch.due_ns:
            return
        done = [run_job(job, batch.request, self._bill, self._sources) for job in batch.jobs]
        batch.failed = sum(not result.ok for result in done)
        batch.output = self._put(batch, "output", [result.line for result in done if result.ok])
        batch.errors = self._put(batch, "error", [result.line for result in done if not result.ok])
        batch.status, batch.ended = "completed", int(self._sources.now_s())

    def _put(self, batch: _Batch, what: str, lines: list[bytes]) -> str | None:
        if not lines:
            return None
        number = next(self._sources.numbers)
        name = f"{batch.batch_id}_{what}.jsonl"
        created = int(self._sources.now_s())
        self._shelf.put(File(f"file-mock-{number}", name, "batch_output", created, b"".join(lines)))
        return f"file-mock-{number}"

    def _shown(self, batch: _Batch) -> dict[str, object]:
        """`batch` as OpenAI describes one, as far as it is by now."""
        self._advance(batch)
        done = len(batch.jobs) if batch.status == "completed" else 0
        return {
            "id": batch.batch_id,
            "object": "batch",
            "endpoint": batch.wanted.endpoint,
            "input_file_id": batch.wanted.input_file_id,
            "completion_window": batch.wanted.completion_window,
            "status": batch.status,
            "output_file_id": batch.output,
            "error_file_id": batch.errors,
            "created_at": batch.created,
            "in_progress_at": batch.created,
            "expires_at": batch.created + DAY_S,
            "completed_at": batch.ended if batch.status == "completed" else None,
            "cancelled_at": batch.ended if batch.status == "cancelled" else None,
            "request_counts": {
                "total": len(batch.jobs),
                "completed": done - batch.failed,
                "failed": batch.failed,
            },
            "metadata": batch.wanted.metadata,
        }
