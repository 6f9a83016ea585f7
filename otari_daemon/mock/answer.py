"""The answer decided, before any of it is written: its tokens, and the usage that is true of it."""

from typing import Literal

import msgspec
from msgspec import Struct

from otari_daemon.mock.ask import Ask, Function
from otari_daemon.mock.models import Model
from otari_daemon.mock.schema import smallest
from otari_daemon.mock.tokens import count_tokens, lorem, split_tokens

Finish = Literal["stop", "length", "tool_calls"]


class Usage(Struct, frozen=True, gc=False):
    """Tokens as reported: cached ones are part of the prompt, reasoning ones of the completion.

    `units` are what an endpoint counts instead: images, searches, seconds, characters.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    units: int = 0


class Answer(Struct, frozen=True):
    """What one request is answered with; every choice says the same.

    `lead` tokens (reasoning, a called function's name) are generated before the first of
    `pieces`, which are the text's tokens, or those of the arguments when `tool` is called.
    `stopped_by` is the stop sequence that the text ended before.
    """

    number: int
    created: int
    model: str
    pieces: list[str]
    lead: int
    choices: int
    finish: Finish
    tool: str | None
    usage: Usage
    stopped_by: str | None = None

    @property
    def text(self) -> str:
        """The whole text, or the called function's arguments."""
        return "".join(self.pieces)


def make_answer(ask: Ask, model: Model, number: int, created: int, text: str | None) -> Answer:
    """The answer of `model` to `ask`, saying `text` if that is given; `Refused` if it cannot be."""
    function = ask.called_function()
    spoken = _pieces(ask, model, function, text)
    stopped_by = None
    if ask.stop and function is None:
        spoken, stopped_by = _stopped("".join(spoken), ask.stops())
    lead = model.reasoning + (count_tokens(function.name) if function else 0)
    total = min(lead + len(spoken), ask.ceiling())
    cut = total < lead + len(spoken)
    pieces = spoken[: max(0, total - lead)] if cut else spoken
    choices = ask.n or 1
    prompt_tokens = ask.prompt_tokens()
    return Answer(
        number=number,
        created=created,
        model=ask.model,
        pieces=pieces,
        lead=total - len(pieces),
        choices=choices,
        finish="length" if cut else "tool_calls" if function else "stop",
        tool=function.name if function else None,
        usage=Usage(
            prompt_tokens=prompt_tokens,
            completion_tokens=total * choices,
            cached_tokens=min(model.cached, prompt_tokens),
            reasoning_tokens=min(model.reasoning, total) * choices,
        ),
        stopped_by=None if cut else stopped_by,
    )


def no_answer(number: int, created: int, model: str, usage: Usage) -> Answer:
    """An answer that says nothing in tokens, from an endpoint that answers otherwise or refuses."""
    return Answer(number, created, model, [], 0, 1, "stop", None, usage)


def _stopped(text: str, stops: list[str]) -> tuple[list[str], str | None]:
    """The tokens of `text` before the first of `stops`, and that one."""
    found = [(at, stop) for stop in stops if (at := text.find(stop)) >= 0]
    end, stop = min(found, default=(len(text), None))
    return split_tokens(text[:end]), stop


def _pieces(ask: Ask, model: Model, function: Function | None, text: str | None) -> list[str]:
    if function is not None:
        return split_tokens(_json(smallest(function.parameters or {"type": "object"})))
    wanted = ask.response_format
    if wanted is not None and wanted.type == "json_schema" and wanted.json_schema is not None:
        return split_tokens(_json(smallest(wanted.json_schema.schema)))
    if text is None and model.lorem is not None:
        spoken = lorem(model.lorem)
    else:
        spoken = split_tokens(ask.last_user_text() if text is None else text)
    if wanted is not None and wanted.type == "json_object":
        return split_tokens(_json({"text": "".join(spoken)}))
    return spoken


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
