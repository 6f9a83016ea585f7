"""The endpoints that answer a POST for a model and are billed: one file each, found by path."""

from otari_daemon.mock.endpoints.audio import TRANSCRIPTIONS, TRANSLATIONS
from otari_daemon.mock.endpoints.chat import CHAT_COMPLETIONS
from otari_daemon.mock.endpoints.embeddings import EMBEDDINGS
from otari_daemon.mock.endpoints.endpoint import Asked, Endpoint, Stamp
from otari_daemon.mock.endpoints.images import EDITS, GENERATIONS
from otari_daemon.mock.endpoints.messages import COUNT_TOKENS, MESSAGES
from otari_daemon.mock.endpoints.moderations import MODERATIONS
from otari_daemon.mock.endpoints.rerank import RERANK
from otari_daemon.mock.endpoints.responses import RESPONSES
from otari_daemon.mock.endpoints.speech import SPEECH

ENDPOINTS: dict[bytes, Endpoint] = {
    endpoint.manner.path.encode(): endpoint
    for endpoint in (
        CHAT_COMPLETIONS,
        MESSAGES,
        COUNT_TOKENS,
        RESPONSES,
        EMBEDDINGS,
        MODERATIONS,
        RERANK,
        GENERATIONS,
        EDITS,
        TRANSCRIPTIONS,
        TRANSLATIONS,
        SPEECH,
    )
}

__all__ = ["ENDPOINTS", "Asked", "Endpoint", "Stamp"]
