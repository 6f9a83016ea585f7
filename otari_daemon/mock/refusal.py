"""A request the mock declines, in OpenAI's error shape."""

import msgspec


class Refused(Exception):
    """The request cannot be answered: an HTTP status and what to do about it."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, "invalid_request_error", code)


def error_body(message: str, kind: str, code: str | None = None) -> bytes:
    """OpenAI's error object as JSON."""
    error = {"message": message, "type": kind, "param": None, "code": code}
    return msgspec.json.encode({"error": error})
