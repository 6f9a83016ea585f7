"""Ranking documents, as Cohere and Jina serve it: `POST /v1/rerank`. Priced by the search or by tokens."""

from __future__ import annotations

from typing import Any

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.intent import TOKENS_PER_MESSAGE, Intent, presumed_tokens
from otari_daemon.domain.usage import Usage
from otari_daemon.wire.dialect import Body, Wire
from otari_daemon.wire.fields import listed, model_of, positive, refuse_steering
from otari_daemon.wire.plain import OpenAIErrors, PlainWire

DOCUMENTS_MAX = 10_000
TOKENS_PER_DOC_MAX = 1 << 20

DOCUMENTS_PER_SEARCH = 100
CHUNK_BYTES_MIN = 128
"""Longer documents are cut and each piece counts; Cohere cuts at 500 tokens less the query."""


class RerankDialect(OpenAIErrors):
    """Documents to be put in order by what they have to do with a query."""

    endpoint = "/v1/rerank"
    wires: tuple[Wire, ...] = (PlainWire("rerank", "/rerank"),)

    def read_intent(self, body: Body, body_bytes: int) -> Intent:
        """A prompt in which the query is read once with every document."""
        refuse_steering(body)
        model = model_of(body)
        query = _query(body)
        documents = len(_documents(body))
        positive(body, "top_n", DOCUMENTS_MAX)
        positive(body, "max_tokens_per_doc", TOKENS_PER_DOC_MAX)
        read = body_bytes + documents * len(query.encode(errors="replace"))
        return Intent(
            model=model,
            stream=False,
            input_max=read + documents * TOKENS_PER_MESSAGE,
            prompt_presumed=presumed_tokens(read),
            output_max=0,
            pieces=_searches(documents + body_bytes // CHUNK_BYTES_MIN),
            presumed=_searches(documents),
            reach=frozenset({"rerank"}),
        )


def _searches(documents: int) -> Usage:
    return Usage(requests=-(-documents // DOCUMENTS_PER_SEARCH))


def _query(body: Body) -> str:
    query = body.get("query")
    if not isinstance(query, str) or not query:
        raise InvalidRequest("query is required, a text", param="query")
    return query


def _documents(body: Body) -> list[Any]:
    documents = listed(body, "documents", DOCUMENTS_MAX)
    if not documents:
        raise InvalidRequest("documents must have at least one document", param="documents")
    if not all(isinstance(one, str | dict) for one in documents):
        raise InvalidRequest("documents must be texts, or objects with a text", param="documents")
    return documents
