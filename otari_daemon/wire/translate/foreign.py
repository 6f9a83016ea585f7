"""Fields of the provider's wire that a caller of another may not put into a request.

They would pass the caller's own limits by, cost what was not held, or ask for what an answer in the
caller's wire cannot show.
"""

from __future__ import annotations

from otari_daemon.wire.translate.fields import Unsayable

_UNSHOWN = "asks for what an answer in this wire cannot show"
_ONE = "must be 1: an answer in this wire has one choice"

CHAT_ONLY = {
    "audio": Unsayable(_UNSHOWN),
    "best_of": Unsayable(_ONE, (1,)),
    "function_call": Unsayable("is the old way to call functions; use tools"),
    "functions": Unsayable("is the old way to call functions; use tools"),
    "logprobs": Unsayable(_UNSHOWN, (False,)),
    "max_completion_tokens": Unsayable("is not what this wire calls its limit"),
    "modalities": Unsayable(_UNSHOWN, (["text"],)),
    "n": Unsayable(_ONE, (1,)),
    "response_format": Unsayable("is not what this wire calls the format of an answer"),
    "stop": Unsayable("is not what this wire calls its stop sequences"),
    "web_search_options": Unsayable(_UNSHOWN),
}
"""Of Chat, in a request to Messages or Responses."""

_UNHELD = "costs what a request in this wire is not held for"

MESSAGES_ONLY = {
    "billing_policy": Unsayable("is set by the gateway's operator, not in a request"),
    "compaction": Unsayable(_UNHELD),
    "container": Unsayable(_UNHELD),
    "context_management": Unsayable(_UNHELD),
    "fallbacks": Unsayable(_UNHELD),
    "inference_geo": Unsayable(_UNHELD, ("global",)),
    "mcp_servers": Unsayable(_UNHELD, ([],)),
    "speed": Unsayable(_UNHELD, ("standard",)),
    "stop_sequences": Unsayable("is called stop in this wire"),
    "system": Unsayable("is a message of the system in this wire"),
    "thread": Unsayable(_UNHELD),
    "workspace_id": Unsayable("is set by the gateway's operator, not in a request"),
}
"""Of Messages, in a request to Chat."""
