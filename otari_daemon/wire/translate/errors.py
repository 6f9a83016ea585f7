"""Error bodies of any wire, said in another; types that a wire does not have become its nearest."""

from __future__ import annotations

from typing import Any, NamedTuple

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.fields import string_or

_UNSAID = "the provider answered with an error it did not explain"

_TO_MESSAGES = {
    "server_error": "api_error",
    "insufficient_quota": "billing_error",
    "invalid_api_key": "authentication_error",
    "model_not_found": "not_found_error",
    "rate_limit_exceeded": "rate_limit_error",
    "requests": "rate_limit_error",
    "tokens": "rate_limit_error",
    "overloaded": "overloaded_error",
}
_MESSAGES_TYPES = frozenset(
    {
        "invalid_request_error",
        "authentication_error",
        "billing_error",
        "permission_error",
        "not_found_error",
        "rate_limit_error",
        "timeout_error",
        "api_error",
        "overloaded_error",
    }
)


class Told(NamedTuple):
    """What an error body says: a sentence, and the words for its kind and code as they were sent."""

    message: str
    type: str
    code: str | None
    param: str | None


def read_error(body: Any) -> Told:
    """Read an error body of any wire, of many a dialect of it, or of none."""
    stated = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(stated, str):
        return Told(stated or _UNSAID, "api_error", None, None)
    if not isinstance(stated, dict):
        return Told(_UNSAID, "api_error", None, None)
    message = string_or(stated.get("message")) or string_or(stated.get("detail"), _UNSAID)
    code, param = stated.get("code"), stated.get("param")
    return Told(
        message,
        string_or(stated.get("type"), "api_error"),
        code if isinstance(code, str) else None,
        param if isinstance(param, str) else None,
    )


def openai_error(body: Any) -> Body:
    """`{"error": {message, type, param, code}}` for a provider's error body."""
    told = read_error(body)
    return {
        "error": {"message": told.message, "type": told.type, "param": told.param, "code": told.code},
        "detail": told.message,
    }


def messages_error(body: Any) -> Body:
    """`{"type": "error", "error": {type, message}}`, in a type that Messages has."""
    told = read_error(body)
    kind = _TO_MESSAGES.get(told.code or "") or _TO_MESSAGES.get(told.type, told.type)
    if kind not in _MESSAGES_TYPES:
        kind = "api_error"
    return {"type": "error", "error": {"type": kind, "message": told.message}}
