"""Which translation serves a caller's wire format from a provider's."""

from __future__ import annotations

from otari_daemon.wire.translate.base import Translation
from otari_daemon.wire.translate.chat_over_messages import ChatOverMessages
from otari_daemon.wire.translate.messages_over_chat import MessagesOverChat
from otari_daemon.wire.translate.responses_over_chat import ResponsesOverChat


def translation(asked: str, spoken: str, limit_field: str) -> Translation | None:
    """The translation from `asked` to `spoken` (chat, messages, responses); None where there is none.

    `limit_field` is what a Chat provider calls its limit of output tokens.
    """
    match asked, spoken:
        case "chat", "messages":
            return ChatOverMessages()
        case "messages", "chat":
            return MessagesOverChat(limit_field)
        case "responses", "chat":
            return ResponsesOverChat(limit_field)
    return None
