"""Known providers as data. A provider that speaks OpenAI's format is one line here and no code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from otari_daemon.providers.speaking import AUDIO, JUDGEMENTS, PICTURES, RANKINGS, VECTORS, VOICE
from otari_daemon.wire import usage_anthropic, usage_openai
from otari_daemon.wire.usage_format import UsageFormat

CHAT: Mapping[str, UsageFormat] = {"chat": usage_openai.CHAT}
RESPONSES: Mapping[str, UsageFormat] = {**CHAT, "responses": usage_openai.RESPONSES}


class Kind(NamedTuple):
    """A type of provider: where it usually is, how it wants our credential, and what it speaks.

    `speaks` leads from each wire format it serves to how it states usage there. `headers` go with every
    request unless the caller's own stand in for them; `needs_limit`: it refuses requests that do not limit
    their output.
    """

    base_url: str | None
    credential_header: str = "authorization"
    credential_prefix: str = "Bearer "
    keyless: bool = False
    output_limit_field: str = "max_tokens"
    speaks: Mapping[str, UsageFormat] = CHAT
    headers: tuple[tuple[bytes, bytes], ...] = ()
    needs_limit: bool = False


ANTHROPIC = Kind(
    "https://api.anthropic.com/v1",
    credential_header="x-api-key",
    credential_prefix="",
    speaks={"messages": usage_anthropic.MESSAGES},
    headers=((b"anthropic-version", b"2023-06-01"),),
    needs_limit=True,
)

KINDS: dict[str, Kind] = {
    "openai": Kind(
        "https://api.openai.com/v1",
        output_limit_field="max_completion_tokens",
        speaks={**RESPONSES, **VECTORS, **JUDGEMENTS, **PICTURES, **VOICE, **AUDIO},
    ),
    "anthropic": ANTHROPIC,
    "anthropic-compatible": ANTHROPIC._replace(base_url=None, keyless=True),
    "cerebras": Kind("https://api.cerebras.ai/v1"),
    "cohere": Kind("https://api.cohere.ai/compatibility/v1", speaks={**CHAT, **VECTORS}),
    "dashscope": Kind("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", speaks={**CHAT, **VECTORS}),
    "deepinfra": Kind("https://api.deepinfra.com/v1/openai", speaks={**CHAT, **VECTORS, **PICTURES}),
    "deepseek": Kind("https://api.deepseek.com/v1", speaks={"chat": usage_openai.DEEPSEEK}),
    "fireworks": Kind("https://api.fireworks.ai/inference/v1", speaks={**RESPONSES, **VECTORS, **RANKINGS}),
    "gemini": Kind(
        "https://generativelanguage.googleapis.com/v1beta/openai",
        speaks={"chat": usage_openai.GEMINI, **VECTORS},
    ),
    "groq": Kind("https://api.groq.com/openai/v1", speaks={**RESPONSES, **VOICE, **AUDIO}),
    "huggingface": Kind("https://router.huggingface.co/v1", speaks=RESPONSES),
    "inception": Kind("https://api.inceptionlabs.ai/v1"),
    "jina": Kind("https://api.jina.ai/v1", speaks={**VECTORS, **RANKINGS}),
    "llamacpp": Kind("http://127.0.0.1:8080/v1", keyless=True, speaks={**RESPONSES, **VECTORS, **RANKINGS}),
    "llamafile": Kind("http://127.0.0.1:8080/v1", keyless=True, speaks={**CHAT, **VECTORS}),
    "lmstudio": Kind("http://127.0.0.1:1234/v1", keyless=True, speaks={**RESPONSES, **VECTORS}),
    "minimax": Kind("https://api.minimax.io/v1"),
    "mistral": Kind(
        "https://api.mistral.ai/v1", speaks={"chat": usage_openai.MISTRAL, **VECTORS, **JUDGEMENTS}
    ),
    "mock": Kind(
        None,
        keyless=True,
        speaks={
            **RESPONSES,
            "messages": usage_anthropic.MESSAGES,
            **VECTORS,
            **JUDGEMENTS,
            **RANKINGS,
            **PICTURES,
            **VOICE,
            **AUDIO,
        },
    ),
    "moonshot": Kind("https://api.moonshot.ai/v1"),
    "nebius": Kind("https://api.studio.nebius.ai/v1", speaks={**CHAT, **VECTORS, **PICTURES}),
    "ollama": Kind("http://127.0.0.1:11434/v1", keyless=True, speaks={**RESPONSES, **VECTORS}),
    "openai-compatible": Kind(None, keyless=True),
    "openrouter": Kind("https://openrouter.ai/api/v1", speaks={**RESPONSES, **VECTORS}),
    "perplexity": Kind("https://api.perplexity.ai"),
    "sambanova": Kind("https://api.sambanova.ai/v1"),
    "together": Kind(
        "https://api.together.xyz/v1", speaks={**CHAT, **VECTORS, **RANKINGS, **PICTURES, **VOICE}
    ),
    "vllm": Kind(
        "http://127.0.0.1:8000/v1", keyless=True, speaks={**RESPONSES, **VECTORS, **RANKINGS, **AUDIO}
    ),
    "voyage": Kind("https://api.voyageai.com/v1", speaks={**CHAT, **VECTORS}),
    "xai": Kind("https://api.x.ai/v1", speaks={**RESPONSES, "chat": usage_openai.XAI, **PICTURES}),
}


def credential_headers(kind: Kind, api_key: str | None) -> tuple[tuple[bytes, bytes], ...]:
    """The header that proves us to a provider; none without a key."""
    if not api_key:
        return ()
    return ((kind.credential_header.encode(), (kind.credential_prefix + api_key).encode()),)
