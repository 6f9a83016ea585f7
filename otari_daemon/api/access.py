"""Who may call what on the public edge: every route and method has its line here, or is not served."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from otari_daemon.protocol import paths

ME = "/v1/me"
MODEL = "/v1/models/{model:path}"
PRICE = "/v1/pricing/{id:path}"
"""A model, and `/history` behind it for all its versions: a model's name may hold slashes."""
USER_USAGE = paths.USER + "/usage"
PROVIDERS = "/v1/providers"
ALIASES = "/v1/aliases"
SETTINGS = "/v1/settings"


class Access(Enum):
    """What a caller must present."""

    PUBLIC = "nothing"
    KEY = "a virtual key"
    KEY_OR_MASTER = "a virtual key, which sees what is its own, or the master key"
    MASTER = "the master key"


INFERENCE = (
    *("/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/messages/count_tokens", "/v1/embeddings"),
    *("/v1/moderations", "/v1/rerank", "/v1/images/generations", "/v1/images/edits", "/v1/audio/speech"),
    *("/v1/audio/transcriptions", "/v1/audio/translations"),
)
"""What asks a provider: a key's own budgets pay."""

_HEALTH = {"GET": Access.PUBLIC}
_COLLECTION = {"GET": Access.MASTER, "POST": Access.MASTER}
_MEMBER = {"GET": Access.MASTER, "PATCH": Access.MASTER, "DELETE": Access.MASTER}
_SHOWN = {"GET": Access.MASTER}
_READ = {"GET": Access.KEY_OR_MASTER}

ACCESS: Final[Mapping[str, Mapping[str, Access]]] = MappingProxyType(
    {
        "/": {"GET": Access.PUBLIC},
        "/health": _HEALTH,
        "/health/liveness": _HEALTH,
        "/health/readiness": _HEALTH,
        **{path: {"POST": Access.KEY} for path in INFERENCE},
        ME: {"GET": Access.KEY},
        paths.MODELS: _READ,
        MODEL: _READ,
        paths.KEYS: _COLLECTION,
        paths.KEY: _MEMBER,
        paths.KEY_ROTATE: {"POST": Access.MASTER},
        paths.USERS: _COLLECTION,
        paths.USER: _MEMBER,
        USER_USAGE: _SHOWN,
        paths.BUDGETS: _COLLECTION,
        paths.BUDGET: _MEMBER,
        paths.PRICES: {"GET": Access.KEY_OR_MASTER, "POST": Access.MASTER},
        PRICE: {"GET": Access.KEY_OR_MASTER, "DELETE": Access.MASTER},
        paths.USAGE: _READ,
        paths.USAGE_SUMMARY: _READ,
        PROVIDERS: _SHOWN,
        ALIASES: _SHOWN,
        SETTINGS: _SHOWN,
    }
)
