"""OpenAI moderations: `POST /v1/moderations`. Most providers state no use, so requests are priced."""

from __future__ import annotations

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.intent import Intent, input_bound, presumed_tokens
from otari_daemon.wire.dialect import Body, Wire
from otari_daemon.wire.fields import model_of, refuse_steering
from otari_daemon.wire.plain import OpenAIErrors, PlainWire

INPUTS_MAX = 4096


class ModerationsDialect(OpenAIErrors):
    """Moderation of texts, or of one input in several media."""

    endpoint = "/v1/moderations"
    wires: tuple[Wire, ...] = (PlainWire("moderations", "/moderations"),)

    def read_intent(self, body: Body, body_bytes: int) -> Intent:
        """A prompt, which may name pictures."""
        refuse_steering(body)
        model = model_of(body)
        inputs, media = _inputs(body)
        return Intent(
            model=model,
            stream=False,
            input_max=input_bound(body_bytes, inputs, media),
            prompt_presumed=presumed_tokens(body_bytes),
            output_max=0,
            reach=frozenset({"moderations"}),
        )


def _inputs(body: Body) -> tuple[int, int]:
    """How many inputs there are, and how many of them are not text."""
    given = body.get("input")
    if isinstance(given, str):
        return 1, 0
    if not isinstance(given, list) or not given or not all(isinstance(one, str | dict) for one in given):
        raise InvalidRequest("input is required: a text, texts, or parts", param="input")
    if len(given) > INPUTS_MAX:
        raise InvalidRequest(f"input has more than {INPUTS_MAX} items", param="input")
    return len(given), sum(1 for one in given if isinstance(one, dict) and one.get("type") != "text")
