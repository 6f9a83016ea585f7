"""What providers serve beside conversations: sets of formats, each with how its use is stated."""

from __future__ import annotations

from collections.abc import Mapping

from otari_daemon.wire import usage_plain
from otari_daemon.wire.usage_format import UsageFormat

VECTORS: Mapping[str, UsageFormat] = {"embeddings": usage_plain.PROMPT}
JUDGEMENTS: Mapping[str, UsageFormat] = {"moderations": usage_plain.PROMPT}
RANKINGS: Mapping[str, UsageFormat] = {"rerank": usage_plain.RANKING}
PICTURES: Mapping[str, UsageFormat] = {
    "images": usage_plain.PICTURES,
    "image_edits": usage_plain.PICTURES,
}
VOICE: Mapping[str, UsageFormat] = {"speech": usage_plain.MEDIA}
AUDIO: Mapping[str, UsageFormat] = {
    "transcriptions": usage_plain.MEDIA,
    "translations": usage_plain.MEDIA,
}
