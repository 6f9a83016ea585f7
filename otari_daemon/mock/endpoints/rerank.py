"""POST /v1/rerank: documents by the words they share with the query.

Counted in searches, and told as Cohere does; the model `tokens` counts tokens, and tells as Jina does.
"""

import re
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from otari_daemon.mock.answer import Usage, no_answer
from otari_daemon.mock.endpoints.endpoint import Asked, Endpoint, Stamp, read_json
from otari_daemon.mock.frames import Request
from otari_daemon.mock.manner import openai_manner
from otari_daemon.mock.models import Model
from otari_daemon.mock.tokens import count_tokens
from otari_daemon.mock.wires.plain import PlainWire, encode
from otari_daemon.mock.wires.wire import Stated

MAX_DOCUMENTS = 1_000
DOCUMENTS_PER_SEARCH = 100

_WORD = re.compile(r"\w+")


class Document(Struct, frozen=True):
    """A document with fields; only its text counts."""

    text: str


class Wanted(Struct, frozen=True):
    """A request to rank."""

    model: str
    query: str
    documents: Annotated[list[str | Document], Meta(min_length=1, max_length=MAX_DOCUMENTS)]
    top_n: Annotated[int, Meta(ge=1)] | None = None
    return_documents: bool | None = False


_decoder = msgspec.json.Decoder(Wanted)


def _read(request: Request) -> Asked:
    wanted = read_json(_decoder, request)
    return Asked(wanted.model, partial(_answer, wanted))


def _answer(wanted: Wanted, model: Model, stamp: Stamp, _text: str | None) -> PlainWire:
    texts = [one if isinstance(one, str) else one.text for one in wanted.documents]
    body = {
        "id": f"rerank-mock-{stamp.number}",
        "object": "list",
        "model": wanted.model,
        "results": _results(wanted, texts),
    }
    if model.by_tokens:
        tokens = len(texts) * count_tokens(wanted.query) + sum(map(count_tokens, texts))
        answer = no_answer(stamp.number, stamp.created, wanted.model, Usage(tokens, 0))
        return PlainWire(answer, body, {"prompt_tokens": tokens, "total_tokens": tokens})
    searches = -(-len(texts) // DOCUMENTS_PER_SEARCH)
    answer = no_answer(stamp.number, stamp.created, wanted.model, Usage(0, 0, units=searches))
    meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": searches}}
    return PlainWire(answer, body, meta, _state_meta, "meta")


def _state_meta(stated: Stated) -> bytes:
    return encode({"billed_units": {"search_units": stated.prompt}})


def _results(wanted: Wanted, texts: list[str]) -> list[dict[str, object]]:
    """The best first, and of equals the earlier."""
    query = _words(wanted.query)
    scored = sorted((-_alikeness(query, _words(text)), index) for index, text in enumerate(texts))
    best = scored[: wanted.top_n or len(scored)]
    results: list[dict[str, object]] = [{"index": at, "relevance_score": -score} for score, at in best]
    if wanted.return_documents:
        return [
            {**result, "document": {"text": texts[at]}} for result, (_, at) in zip(results, best, strict=True)
        ]
    return results


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def _alikeness(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of all words that both have, 0 to 1."""
    return len(one & other) / max(1, len(one | other))


RERANK = Endpoint(openai_manner("/v1/rerank"), _read)
