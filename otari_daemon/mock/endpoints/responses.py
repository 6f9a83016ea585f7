"""POST /v1/responses: input items and instructions, read into the chat's conversation."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from otari_daemon.mock.answer import make_answer
from otari_daemon.mock.ask import (
    Ask,
    Function,
    JsonSchema,
    Message,
    NamedChoice,
    Part,
    ResponseFormat,
    Tool,
)
from otari_daemon.mock.endpoints.endpoint import Asked, Endpoint, Stamp, read_json
from otari_daemon.mock.frames import Request
from otari_daemon.mock.manner import openai_manner
from otari_daemon.mock.models import Model
from otari_daemon.mock.wires.responses import Echoed, ResponsesWire

_encode = msgspec.json.Encoder().encode


class Item(Struct, frozen=True):
    """One item of `input`; only messages and the outputs of functions have text that counts."""

    type: str = "message"
    role: str = "user"
    content: str | list[Part] | None = None
    output: str | list[Part] | None = None


class OfferedTool(Struct, frozen=True):
    """One entry of `tools`; those that are not functions are never called."""

    type: str
    name: str = ""
    parameters: dict[str, Any] | None = None


class Choice(Struct, frozen=True):
    """`tool_choice` when it names a tool."""

    type: str
    name: str = ""


class Format(Struct, frozen=True):
    """`text.format`; the JSON Schema itself is in `schema`."""

    type: str
    schema: dict[str, Any] | None = None


class Text(Struct, frozen=True):
    """`text`."""

    format: Format | None = None


class Wanted(Struct, frozen=True):
    """The fields of a request for a response that change the mock's answer."""

    model: str
    input: str | Annotated[list[Item], Meta(min_length=1)]
    instructions: str | None = None
    stream: bool | None = False
    tools: list[OfferedTool] | None = None
    tool_choice: str | Choice | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    text: Text | None = None
    metadata: dict[str, str] | None = None


_decoder = msgspec.json.Decoder(Wanted)


def _read(request: Request) -> Asked:
    wanted = read_json(_decoder, request)
    return Asked(wanted.model, partial(_answer, wanted, _ask(wanted)), bool(wanted.stream))


def _answer(wanted: Wanted, ask: Ask, model: Model, stamp: Stamp, text: str | None) -> ResponsesWire:
    echoed = Echoed(
        wanted.instructions,
        wanted.max_output_tokens,
        wanted.tools or [],
        wanted.tool_choice or "auto",
        wanted.metadata or {},
    )
    return ResponsesWire(make_answer(ask, model, stamp.number, stamp.created, text), echoed)


def _ask(wanted: Wanted) -> Ask:
    """The same conversation as a chat has it; its tools count as a chat would send them."""
    instructions = [Message("system", wanted.instructions)] if wanted.instructions else []
    tools = [_tool(tool) for tool in wanted.tools or ()]
    return Ask(
        model=wanted.model,
        messages=[*instructions, *_messages(wanted.input)],
        tools=Raw(_encode(tools)) if tools else Raw(b"null"),
        tool_choice=_choice(wanted.tool_choice),
        max_completion_tokens=wanted.max_output_tokens,
        response_format=_format(wanted.text),
    )


def _messages(given: str | list[Item]) -> Iterator[Message]:
    if isinstance(given, str):
        yield Message("user", given)
        return
    for item in given:
        if item.type == "message":
            yield Message(item.role, item.content)
        elif item.type.endswith("_call_output"):
            yield Message("tool", item.output)


def _tool(tool: OfferedTool) -> Tool:
    function = Function(tool.name, tool.parameters) if tool.type == "function" else None
    return Tool(tool.type, function)


def _choice(choice: str | Choice | None) -> str | NamedChoice | None:
    if not isinstance(choice, Choice):
        return choice
    return NamedChoice(Function(choice.name)) if choice.type == "function" else "auto"


def _format(text: Text | None) -> ResponseFormat | None:
    if text is None or text.format is None:
        return None
    return ResponseFormat(text.format.type, JsonSchema(text.format.schema))


RESPONSES = Endpoint(openai_manner("/v1/responses"), _read)
