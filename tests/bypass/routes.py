"""Every route of the public edge, and how it is kept from being a way around the books.

A new route fails `test_q16_every_billable_route` until it stands here: as free, because nothing it does can
cost anything, or as billable, with a body to be charged for. A billable route is then tried by Q16.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.bypass.world import chat, words

FREE = frozenset(
    (
        *("/", "/health", "/health/liveness", "/health/readiness", "/v1/models", "/v1/models/{model:path}"),
        *("/v1/me", "/v1/usage", "/v1/usage/summary", "/v1/users/{id}/usage"),
        *("/v1/keys", "/v1/keys/{id}", "/v1/keys/{id}/rotate", "/v1/users", "/v1/users/{id}"),
        *("/v1/budgets", "/v1/budgets/{id}", "/v1/pricing", "/v1/pricing/{id:path}"),
        *("/v1/providers", "/v1/aliases", "/v1/settings", "/v1/messages/count_tokens"),
    )
)


class Billable(NamedTuple):
    """A route that costs money: what to post there, which the mock answers and bills.

    With a `file`, that and the body's members go as a form.
    """

    path: str
    body: dict[str, Any]
    file: str | None = None

    def sent(self) -> tuple[bytes, dict[str, str]]:
        """The body as bytes, and its headers."""
        if self.file is None:
            return json.dumps(self.body).encode(), {}
        parts = [f'name="{name}"\r\n\r\n{value}' for name, value in self.body.items()]
        parts.append(f'name="{self.file}"; filename="a"\r\n\r\n{"x" * 50_000}')
        form = "".join(f"--bound\r\nContent-Disposition: form-data; {part}\r\n" for part in parts)
        return f"{form}--bound--\r\n".encode(), {"Content-Type": "multipart/form-data; boundary=bound"}


BILLABLE = (
    Billable("/v1/chat/completions", chat("up:echo", words(500))),
    Billable("/v1/embeddings", {"model": "up:echo", "input": words(500)}),
    Billable("/v1/moderations", {"model": "judge:echo", "input": words(500)}),
    Billable("/v1/rerank", {"model": "search:echo", "query": "fish", "documents": ["a fish"] * 150}),
    Billable("/v1/images/generations", {"model": "paint:echo", "prompt": words(50), "n": 3}),
    Billable("/v1/audio/speech", {"model": "voice:echo", "input": words(50), "voice": "alloy"}),
    Billable("/v1/audio/transcriptions", {"model": "ear:echo"}, "file"),
    Billable("/v1/audio/translations", {"model": "ear:echo"}, "file"),
    Billable("/v1/images/edits", {"model": "paint:echo", "prompt": words(50), "n": 3}, "image"),
    Billable("/v1/responses", {"model": "up:echo", "input": words(500)}),
    Billable("/v1/messages", chat("up:echo", words(500), max_tokens=1000)),
)

TEXT: dict[str, Any] = {"model": "up:echo", "input": "hello", "prompt": "hello", "query": "hello"}
ELSEWHERE: dict[str, dict[str, Any]] = {
    "/v1/completions": TEXT,
    "/v1/responses/resp_1": TEXT,
    "/v1/responses/resp_1/cancel": TEXT,
    "/v1/responses/compact": TEXT,
    "/v1/messages/batches": {"requests": []},
    "/v1/videos": TEXT,
    "/v1/realtime": TEXT,
    "/v1/realtime/sessions": TEXT,
    "/v1/files": TEXT,
    "/v1/batches": TEXT,
    "/v1/fine_tuning/jobs": TEXT,
    "/v1/assistants": TEXT,
    "/v1/threads/runs": TEXT,
    "/v1/search": TEXT,
    "/v1/tools": TEXT,
    "/v1/web_search": TEXT,
    "/v1/code_execution": TEXT,
    "/v1/mcp": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search"}},
    "/mcp": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search"}},
    "/v1/up/chat/completions": chat("up:echo", "hello"),
    "/up/v1/chat/completions": chat("up:echo", "hello"),
    "/openai/v1/chat/completions": chat("up:echo", "hello"),
    "/v1/chat/completions/": chat("up:echo", "hello"),
    "/chat/completions": chat("up:echo", "hello"),
}
"""Where providers and other gateways serve what costs money."""

TOOLS = ("/v1/search", "/v1/tools", "/v1/web_search", "/v1/code_execution", "/v1/mcp", "/mcp")
RESUMED = ("/v1/responses/resp_1", "/v1/responses/resp_1/cancel", "/v1/responses/compact")
