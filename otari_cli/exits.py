"""What an exit code of `otari` means, and the errors that carry one.

CliError
├── Unreachable   no daemon answers
└── AdminError    the daemon said no, in a `Problem`
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; scripts rely on them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    CONFLICT = 5
    UNREACHABLE = 6
    PARTIAL = 7


class CliError(Exception):
    """An end with a reason: one line, what to do about it, and the exit code."""

    def __init__(self, message: str, *, hint: str | None = None, exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


class Unreachable(CliError):
    """Nothing answers where the daemon should be."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint, exit_code=Exit.UNREACHABLE)


class AdminError(CliError):
    """The daemon's own refusal: `code` is the one it raised, `status` the HTTP status it came with."""

    def __init__(self, code: str, message: str, *, status: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint, exit_code=exit_of(status, code))
        self.code = code
        self.status = status


class ReaderGone(Exception):
    """Whoever read our standard output has closed it; there is nobody left to tell."""


_BY_STATUS = {
    400: Exit.USAGE,
    401: Exit.REFUSED,
    402: Exit.REFUSED,
    403: Exit.REFUSED,
    404: Exit.NOT_FOUND,
    409: Exit.CONFLICT,
    422: Exit.USAGE,
    429: Exit.REFUSED,
}


def exit_of(status: int, code: str = "") -> Exit:
    """The exit code for an HTTP status; a route the daemon lacks is a failure, not a missing thing."""
    if code == "unknown_route":
        return Exit.FAILED
    return _BY_STATUS.get(status, Exit.FAILED)
