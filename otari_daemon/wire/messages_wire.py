"""Messages on both sides: bytes through, the model's name aside."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.intent import Intent, OutputLimit, presumed_tokens
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.wire.dialect import Body, Reading
from otari_daemon.wire.messages_stream import MessagesMeter
from otari_daemon.wire.messages_text import generated_tokens
from otari_daemon.wire.strict_json import replace_top_level
from otari_daemon.wire.usage_anthropic import service_of
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat, is_hollow


class _Answer(msgspec.Struct):
    content: Any = None
    usage: Any = None


_answers = msgspec.json.Decoder(_Answer)


class MessagesWire:
    """Asks a provider that speaks Messages in the caller's own bytes."""

    speaks = "messages"
    path = "/messages"

    def outgoing(self, raw: bytes, body: Body, model: str, limit: OutputLimit | None) -> bytes:
        """The caller's body for `model`; a limit goes into the wire's own field for it."""
        changes: dict[str, Any] = {} if body["model"] == model else {"model": model}
        if limit is not None:
            changes["max_tokens"] = limit.tokens
        return replace_top_level(raw, body, changes) if changes else raw

    def read_answer(self, answer: bytes, usage: UsageFormat, intent: Intent) -> Reading:  # noqa: ARG002 - a `Wire`
        """Usage of a whole answer; without believable usage, our own count of its content."""
        try:
            parsed = _answers.decode(answer)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return Reading(Consumption(None, presumed_tokens(len(answer))), Reason.ESTIMATED, broken=True)
        if parsed.content is None and parsed.usage is None:
            return Reading(Consumption(), Reason.REFUSED, broken=True)
        service = service_of(parsed.usage)
        counted = Consumption(None, generated_tokens(parsed.content), service=service)
        if parsed.usage is None:
            return Reading(counted, Reason.ESTIMATED)
        try:
            found = usage.read(parsed.usage)
        except AbsurdUsage:
            return Reading(counted, Reason.USAGE_INVALID)
        if is_hollow(found, counted.generated_tokens):
            return Reading(counted, Reason.USAGE_INVALID)
        return Reading(Consumption(found, service=service), Reason.USAGE)

    def meter(self, intent: Intent, usage: UsageFormat) -> MessagesMeter:  # noqa: ARG002 - a `Wire`
        """A meter for one stream."""
        return MessagesMeter(usage)
