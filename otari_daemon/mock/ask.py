"""A chat request as the mock reads it, and the prompt tokens it is charged for."""

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from otari_daemon.mock.refusal import Refused
from otari_daemon.mock.tokens import count_tokens

MAX_CHOICES = 128
MAX_OUTPUT_TOKENS = 1_000_000
MAX_STOPS = 16
TOKENS_PER_MESSAGE = 4

T = TypeVar("T")

_CALL = re.compile(r"call:([\w-]{1,64})")

_Count = Annotated[int, Meta(ge=1, le=MAX_CHOICES)]
_Ceiling = Annotated[int, Meta(ge=1)]
Stop = Annotated[str, Meta(min_length=1)]
Stops = Annotated[list[Stop], Meta(max_length=MAX_STOPS)]


class Part(Struct, frozen=True):
    """One part of a message's content; only text counts here."""

    type: str = "text"
    text: str = ""


class Message(Struct, frozen=True):
    """One message of the conversation."""

    role: str
    content: str | list[Part] | None = None

    def text(self) -> str:
        """Its text parts, joined."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content or ())


class Function(Struct, frozen=True):
    """A function the model may call; `parameters` is a JSON Schema."""

    name: str
    parameters: dict[str, Any] | None = None


class Tool(Struct, frozen=True):
    """One entry of `tools`; those that are not functions are never called."""

    type: str
    function: Function | None = None


class NamedChoice(Struct, frozen=True):
    """`tool_choice` when it names one function."""

    function: Function


class StreamOptions(Struct, frozen=True):
    """`stream_options`."""

    include_usage: bool | None = False


class JsonSchema(Struct, frozen=True):
    """`response_format.json_schema`; the JSON Schema itself is in `schema`."""

    schema: dict[str, Any] | None = None


class ResponseFormat(Struct, frozen=True):
    """`response_format`: text, json_object or json_schema."""

    type: str
    json_schema: JsonSchema | None = None


class Ask(Struct, frozen=True):
    """The fields of a chat completion request that change the mock's answer.

    The other conversations (messages, responses) are read into one of these too.
    """

    model: str
    messages: Annotated[list[Message], Meta(min_length=1)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    tools: Raw = Raw(b"null")
    tool_choice: str | NamedChoice | None = None
    n: _Count | None = 1
    max_tokens: _Ceiling | None = None
    max_completion_tokens: _Ceiling | None = None
    response_format: ResponseFormat | None = None
    stop: Stop | Stops | None = None

    @property
    def include_usage(self) -> bool:
        """Whether the stream is to end with a usage chunk."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    def ceiling(self) -> int:
        """The most tokens one choice may have."""
        asked = self.max_completion_tokens or self.max_tokens or MAX_OUTPUT_TOKENS
        return min(asked, MAX_OUTPUT_TOKENS)

    def stops(self) -> list[str]:
        """The texts that end the answer before they are said."""
        return [self.stop] if isinstance(self.stop, str) else self.stop or []

    def last_user_text(self) -> str:
        """What the user said last; empty if nothing."""
        return next((m.text() for m in reversed(self.messages) if m.role == "user"), "")

    def prompt_tokens(self) -> int:
        """The tokens of every message's text, four more per message, and those of `tools` as sent."""
        tools = bytes(self.tools)
        tokens = count_tokens(tools.decode()) if tools != b"null" else 0
        for message in self.messages:
            tokens += TOKENS_PER_MESSAGE + count_tokens(message.text())
        return tokens

    def called_function(self) -> Function | None:
        """The function to answer with: demanded by `tool_choice`, or by `call:<name>` in the text.

        The text demands nothing once a tool has answered, so that a tool loop ends.
        """
        functions = _functions(self.tools)
        if not functions or self.tool_choice == "none":
            return None
        if isinstance(self.tool_choice, NamedChoice):
            return _named(functions, self.tool_choice.function.name)
        asked = [functions[n] for n in _CALL.findall(self.last_user_text()) if n in functions]
        if self.tool_choice == "required":
            return asked[0] if asked else next(iter(functions.values()))
        return asked[0] if asked and self.messages[-1].role != "tool" else None


_ask_decoder = msgspec.json.Decoder(Ask)
_tools_decoder = msgspec.json.Decoder(list[Tool] | None)


def read_ask(body: bytes) -> Ask:
    """The request in `body`; `Refused` (400) if it is not one."""
    return decoded(_ask_decoder, body)


def decoded(decoder: "msgspec.json.Decoder[T]", body: bytes | Raw) -> T:
    """What `decoder` reads in `body`; `Refused` (400) if that is something else."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, f"the request body is not as this endpoint wants it: {error}") from error


def _functions(tools: Raw) -> dict[str, Function]:
    listed = decoded(_tools_decoder, tools) or ()
    return {tool.function.name: tool.function for tool in listed if tool.function is not None}


def _named(functions: dict[str, Function], name: str) -> Function:
    if name not in functions:
        raise Refused(400, f"tool_choice names {name!r}, which is not among tools")
    return functions[name]
