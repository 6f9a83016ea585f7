"""POST /v1/moderations: a text is flagged for the categories it names."""

from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from otari_daemon.mock.answer import Usage, no_answer
from otari_daemon.mock.ask import Part
from otari_daemon.mock.endpoints.endpoint import Asked, Endpoint, Stamp, read_json
from otari_daemon.mock.frames import Request
from otari_daemon.mock.manner import openai_manner
from otari_daemon.mock.models import Model
from otari_daemon.mock.wires.plain import PlainWire

MAX_INPUTS = 1_024
CATEGORIES = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent",
    "self-harm", "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence",
    "violence/graphic",
)  # fmt: skip
HIGH, LOW = 0.99, 0.01


class Wanted(Struct, frozen=True):
    """A request for moderation; a list of parts is one input, in several media."""

    model: str
    input: str | Annotated[list[str | Part], Meta(min_length=1, max_length=MAX_INPUTS)]


_decoder = msgspec.json.Decoder(Wanted)


def _read(request: Request) -> Asked:
    wanted = read_json(_decoder, request)
    return Asked(wanted.model, partial(_answer, wanted))


def _answer(wanted: Wanted, _model: Model, stamp: Stamp, _text: str | None) -> PlainWire:
    """One unit, however much is looked at."""
    answer = no_answer(stamp.number, stamp.created, wanted.model, Usage(0, 0, units=1))
    results = [_result(text) for text in _texts(wanted)]
    return PlainWire(answer, {"id": f"modr-mock-{stamp.number}", "model": wanted.model, "results": results})


def _texts(wanted: Wanted) -> list[str]:
    if isinstance(wanted.input, str):
        return [wanted.input]
    parts = [one.text for one in wanted.input if isinstance(one, Part)]
    return [" ".join(parts)] if parts else [one for one in wanted.input if isinstance(one, str)]


def _result(text: str) -> dict[str, object]:
    named = {category: category in text.lower() for category in CATEGORIES}
    return {
        "flagged": any(named.values()),
        "categories": named,
        "category_scores": {category: HIGH if yes else LOW for category, yes in named.items()},
        "category_applied_input_types": {category: ["text"] for category in CATEGORIES},
    }


MODERATIONS = Endpoint(openai_manner("/v1/moderations"), _read)
