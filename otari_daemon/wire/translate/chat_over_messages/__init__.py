"""Chat Completions for callers, from a provider that speaks Messages."""

from __future__ import annotations

from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.base import Asked
from otari_daemon.wire.translate.chat_over_messages.answer import chat_answer
from otari_daemon.wire.translate.chat_over_messages.request import messages_request
from otari_daemon.wire.translate.chat_over_messages.stream import ChatFromMessages
from otari_daemon.wire.translate.errors import openai_error


class ChatOverMessages:
    """Serves Chat from Messages."""

    def request(self, body: Body, model: str, output_limit: int | None) -> Body:
        """The Messages request, whose `max_tokens` is the caller's limit or ours. Raises InvalidRequest."""
        return messages_request(body, model, output_limit)

    def answer(self, body: Body, asked: Asked) -> Body:
        """The Chat completion for a Messages answer. Raises UpstreamFailed."""
        return chat_answer(body, asked)

    def stream(self, asked: Asked) -> ChatFromMessages:
        """Chat chunks for Messages events; usage is shown to a caller who asked for it."""
        return ChatFromMessages(asked)

    def error(self, body: Any) -> Body:
        """OpenAI's error body."""
        return openai_error(body)
