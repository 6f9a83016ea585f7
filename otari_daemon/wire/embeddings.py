"""OpenAI embeddings: `POST /v1/embeddings`."""

from __future__ import annotations

from typing import Any

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.intent import Intent, input_bound, presumed_tokens
from otari_daemon.domain.token_count import estimated_tokens
from otari_daemon.wire.dialect import Body, Wire
from otari_daemon.wire.fields import model_of, positive, refuse_steering
from otari_daemon.wire.plain import OpenAIErrors, PlainWire
from otari_daemon.wire.strict_json import decode

INPUTS_MAX = 4096
DIMENSIONS_MAX = 1 << 16


class EmbeddingsDialect(OpenAIErrors):
    """Embeddings as callers ask for them: texts, or tokens."""

    endpoint = "/v1/embeddings"
    wires: tuple[Wire, ...] = (PlainWire("embeddings", "/embeddings"),)

    def read_intent(self, body: Body, body_bytes: int) -> Intent:
        """A prompt of one or more inputs; nothing is generated."""
        refuse_steering(body)
        model = model_of(body)
        inputs = _inputs(body)
        positive(body, "dimensions", DIMENSIONS_MAX)
        if body.get("encoding_format") not in (None, "float", "base64"):
            raise InvalidRequest("encoding_format must be float or base64", param="encoding_format")
        return Intent(
            model=model,
            stream=False,
            input_max=input_bound(body_bytes, len(inputs), 0),
            prompt_presumed=presumed_tokens(body_bytes),
            output_max=0,
            reach=frozenset({"embeddings"}),
        )

    def prompt_tokens(self, raw: bytes) -> int:
        """Tokens as they were sent, and an estimate of texts."""
        return sum(
            estimated_tokens(one) if isinstance(one, str) else len(one) for one in _inputs(decode(raw))
        )


def _inputs(body: Body) -> list[str | list[Any]]:
    """The inputs, each a text or a list of tokens; one of either may stand by itself."""
    given = body.get("input")
    if isinstance(given, str) and given:
        return [given]
    if not isinstance(given, list) or not given:
        raise InvalidRequest("input is required: a text, texts, or arrays of tokens", param="input")
    if all(type(one) is int for one in given):
        return [given]
    if len(given) > INPUTS_MAX:
        raise InvalidRequest(f"input has more than {INPUTS_MAX} items", param="input")
    if all(isinstance(one, str) for one in given) or all(_is_tokens(one) for one in given):
        return given
    raise InvalidRequest("input mixes texts and tokens; send one kind", param="input")


def _is_tokens(value: Any) -> bool:
    return isinstance(value, list) and all(type(one) is int for one in value)
