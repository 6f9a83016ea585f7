"""OpenAI Responses for callers, from a provider that speaks Chat Completions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.base import Asked
from otari_daemon.wire.translate.errors import openai_error
from otari_daemon.wire.translate.responses_over_chat.answer import responses_answer
from otari_daemon.wire.translate.responses_over_chat.request import chat_request
from otari_daemon.wire.translate.responses_over_chat.stream import ResponsesFromChat


@dataclass(frozen=True, slots=True)
class ResponsesOverChat:
    """Serves Responses from Chat; `limit_field` is what the provider calls its limit of output tokens."""

    limit_field: str

    def request(self, body: Body, model: str, output_limit: int | None) -> Body:
        """The Chat request; a streamed one asks for usage. Raises InvalidRequest."""
        return chat_request(body, model, output_limit, self.limit_field)

    def answer(self, body: Body, asked: Asked) -> Body:
        """The Responses answer for a Chat completion. Raises UpstreamFailed."""
        return responses_answer(body, asked)

    def stream(self, asked: Asked) -> ResponsesFromChat:
        """Responses events for Chat chunks."""
        return ResponsesFromChat(asked)

    def error(self, body: Any) -> Body:
        """OpenAI's error body."""
        return openai_error(body)
