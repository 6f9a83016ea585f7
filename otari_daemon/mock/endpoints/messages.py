"""POST /v1/messages and /v1/messages/count_tokens: Anthropic's conversation, read into the chat's."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from otari_daemon.mock.answer import Usage, make_answer, no_answer
from otari_daemon.mock.ask import (
    Ask,
    Function,
    JsonSchema,
    Message,
    NamedChoice,
    ResponseFormat,
    Stops,
    Tool,
)
from otari_daemon.mock.endpoints.endpoint import Asked, Endpoint, Stamp, read_json
from otari_daemon.mock.frames import Request
from otari_daemon.mock.manner import anthropic_manner
from otari_daemon.mock.models import Model
from otari_daemon.mock.wires.messages import MessagesWire
from otari_daemon.mock.wires.plain import PlainWire

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}

_encode = msgspec.json.Encoder().encode


class Block(Struct, frozen=True):
    """One block of content; only text, and that of a tool's result, counts here."""

    type: str
    text: str = ""
    content: "str | list[Block] | None" = None


class Turn(Struct, frozen=True):
    """One message of the conversation."""

    role: str
    content: str | list[Block]


class OfferedTool(Struct, frozen=True):
    """One entry of `tools`; those without a schema are Anthropic's own, and never called."""

    name: str
    input_schema: dict[str, Any] | None = None


class Choice(Struct, frozen=True):
    """`tool_choice`."""

    type: str
    name: str = ""


class Format(Struct, frozen=True):
    """`output_config.format`; the JSON Schema itself is in `schema`."""

    type: str
    schema: dict[str, Any] | None = None


class OutputConfig(Struct, frozen=True):
    """`output_config`."""

    format: Format | None = None


class Counted(Struct, frozen=True):
    """The fields that make the prompt, and choose what answers it."""

    model: str
    messages: Annotated[list[Turn], Meta(min_length=1)]
    system: str | list[Block] | None = None
    tools: list[OfferedTool] | None = None
    tool_choice: Choice | None = None


class Wanted(Counted, frozen=True, kw_only=True):
    """A request for a message."""

    max_tokens: Annotated[int, Meta(ge=1)]
    stream: bool | None = False
    stop_sequences: Stops | None = None
    output_config: OutputConfig | None = None


_wanted = msgspec.json.Decoder(Wanted)
_counted = msgspec.json.Decoder(Counted)


def _read(request: Request) -> Asked:
    wanted = read_json(_wanted, request)
    ask = msgspec.structs.replace(
        _ask(wanted),
        max_tokens=wanted.max_tokens,
        stop=wanted.stop_sequences,
        response_format=_format(wanted.output_config),
    )
    return Asked(wanted.model, partial(_answer, ask), bool(wanted.stream))


def _answer(ask: Ask, model: Model, stamp: Stamp, text: str | None) -> MessagesWire:
    return MessagesWire(make_answer(ask, model, stamp.number, stamp.created, text))


def _read_count(request: Request) -> Asked:
    counted = read_json(_counted, request)
    return Asked(counted.model, partial(_answer_count, _ask(counted)))


def _answer_count(ask: Ask, _model: Model, stamp: Stamp, _text: str | None) -> PlainWire:
    """Counting costs nothing."""
    nothing = no_answer(stamp.number, stamp.created, ask.model, Usage(0, 0))
    return PlainWire(nothing, {"input_tokens": ask.prompt_tokens()})


def _ask(counted: Counted) -> Ask:
    """The same conversation as a chat has it; its tools count as a chat would send them."""
    system = [Message("system", _text(counted.system))] if counted.system else []
    turns = [message for turn in counted.messages for message in _messages(turn)]
    choice = counted.tool_choice
    return Ask(
        model=counted.model,
        messages=[*system, *turns],
        tools=Raw(_encode([_tool(tool) for tool in counted.tools])) if counted.tools else Raw(b"null"),
        tool_choice=_choice(choice) if choice is not None else None,
    )


def _messages(turn: Turn) -> Iterator[Message]:
    """The turn's tool results, each a message of its own, and its text."""
    if isinstance(turn.content, str):
        yield Message(turn.role, turn.content)
        return
    results = [block for block in turn.content if block.type == "tool_result"]
    yield from [Message("tool", _text(block.content)) for block in results]
    if len(results) < len(turn.content) or not results:
        yield Message(turn.role, _text(turn.content))


def _text(content: str | list[Block] | None) -> str:
    if isinstance(content, str):
        return content
    return "".join([block.text for block in content or () if block.type == "text"])


def _tool(tool: OfferedTool) -> Tool:
    if tool.input_schema is None:
        return Tool(tool.name)
    return Tool("function", Function(tool.name, tool.input_schema))


def _choice(choice: Choice) -> str | NamedChoice:
    if choice.type == "tool":
        return NamedChoice(Function(choice.name))
    return _CHOICES.get(choice.type, "auto")


def _format(config: OutputConfig | None) -> ResponseFormat | None:
    if config is None or config.format is None:
        return None
    return ResponseFormat(config.format.type, JsonSchema(config.format.schema))


MESSAGES = Endpoint(anthropic_manner("/v1/messages"), _read)
COUNT_TOKENS = Endpoint(anthropic_manner("/v1/messages/count_tokens"), _read_count)
