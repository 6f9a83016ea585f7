"""Reading a request's fields: each refusal names the field and what would do."""

from __future__ import annotations

import re
from typing import Any

from otari_daemon.domain.errors import InvalidRequest

MODEL_CHARS_MAX = 200
OUTPUT_TOKENS_MAX = 10_000_000
CHOICES_MAX = 128

_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]*")
_STEERING = frozenset(
    {
        "api_key",
        "api_base",
        "base_url",
        "api_version",
        "client_args",
        "custom_headers",
        "default_headers",
        "extra_headers",
        "extra_query",
        "extra_body",
        "proxies",
        "proxy",
        "http_client",
        "organization",
        "host",
        "region",
        "headers",
        "forward_headers",
        "endpoint",
        "endpoint_url",
        "azure_endpoint",
        "proxy_url",
        "callbacks",
        "success_callback",
        "failure_callback",
        "chat_template",
        "custom_llm_provider",
    }
)
_STEERING_PREFIXES = ("aws_", "vertex_")


def refuse_steering(body: dict[str, Any]) -> None:
    """Refuse fields that would choose where a request goes or with whose credential."""
    for field in body:
        if field in _STEERING or field.startswith(_STEERING_PREFIXES):
            raise InvalidRequest(f"{field!r} is set by the gateway's operator, not in a request", param=field)


def model_of(body: dict[str, Any]) -> str:
    """The requested model's name, in the characters a name may have."""
    model = body.get("model")
    if not isinstance(model, str) or not model.strip():
        raise InvalidRequest("model is required, like 'provider:model'", param="model")
    if len(model) > MODEL_CHARS_MAX or not _MODEL.fullmatch(model) or ".." in model or "//" in model:
        raise InvalidRequest("model is not a usable name", param="model")
    return model


def flag(body: dict[str, Any], field: str) -> bool:
    """A boolean that is false when absent or null."""
    value = body.get(field)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise InvalidRequest(f"{field} must be true or false", param=field)
    return value


def positive(body: dict[str, Any], field: str, most: int) -> int | None:
    """A whole number from 1 to `most`, or None when absent or null."""
    value = body.get(field)
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= most:
        raise InvalidRequest(f"{field} must be a whole number from 1 to {most}", param=field)
    return value


def listed(body: dict[str, Any], field: str, most: int) -> list[Any]:
    """An array of at most `most` items; empty when absent or null."""
    value = body.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidRequest(f"{field} must be an array", param=field)
    if len(value) > most:
        raise InvalidRequest(f"{field} has more than {most} items", param=field)
    return value


def service_of(body: dict[str, Any]) -> str | None:
    """The service tier a caller asks for; admission judges whether it has a price."""
    asked = body.get("service_tier")
    if asked is not None and not isinstance(asked, str):
        raise InvalidRequest("service_tier must be a string", param="service_tier")
    return asked
