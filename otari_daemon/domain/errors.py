"""Everything a caller can be told has gone wrong.

GatewayError
├── InvalidRequest          400 invalid_request
│   ├── InvalidField        422 invalid_request, naming the field (management bodies)
│   └── TooLarge            413 body_too_large
├── Unauthenticated         401 invalid_api_key
├── UnpricedModel           402 unpriced_model
├── Forbidden               403
│   ├── UserBlocked             user_blocked
│   ├── Frozen                  frozen
│   ├── ModelNotAllowed         model_not_allowed
│   └── BudgetExceeded          budget_exceeded
├── NotFound                404 not_found
├── Conflict                409 conflict
│   ├── KeyInUse                idempotency_key_in_use
│   └── AlreadyCompleted        already_completed, with what the first request used
├── KeyReused               422 idempotency_key_reused
├── KeysExhausted           429 idempotency_keys_exhausted
├── RateLimited             429 rate_limit_exceeded
│   └── BudgetBusy              a budget's room is held by others
├── Overloaded              503 overloaded
│   └── LedgerUnavailable       ledger_unavailable
├── ManagementOff           503 management_off
└── UpstreamFailed          502, 504 or the provider's own status
"""

from __future__ import annotations

from typing import ClassVar

from otari_daemon.domain.idempotency import Completed
from otari_daemon.domain.limits import Standing


class GatewayError(Exception):
    """A refusal or failure with a name: `message` is public, lower case, and says the way out."""

    status: int = 500
    code: str = "internal_error"
    type: ClassVar[str] = "api_error"
    retry_after_s: int | None = None
    retryable: bool = False

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class InvalidRequest(GatewayError):
    """The request cannot be understood or may not be made."""

    status, code, type = 400, "invalid_request", "invalid_request_error"


class InvalidField(InvalidRequest):
    """A management body has a field that is wrong; `param` names it."""

    status = 422


class TooLarge(InvalidRequest):
    """An upload is over the limit for its endpoint."""

    status, code = 413, "body_too_large"


class Unauthenticated(GatewayError):
    """No usable credential; the message is the same for unknown, revoked and expired ones."""

    status, code, type = 401, "invalid_api_key", "authentication_error"


class UnpricedModel(GatewayError):
    """A model whose use could not be billed."""

    status, code, type = 402, "unpriced_model", "invalid_request_error"


class Forbidden(GatewayError):
    """A known caller who may not do this."""

    status, code, type = 403, "forbidden", "permission_error"


class UserBlocked(Forbidden):
    """The key's user is blocked by an operator."""

    code = "user_blocked"


class Frozen(Forbidden):
    """An operator has stopped the key or its user for a while."""

    code = "frozen"


class ModelNotAllowed(Forbidden):
    """The key or its user may not use this model."""

    code = "model_not_allowed"


class BudgetExceeded(Forbidden):
    """A budget has no room for the most this request could cost; `budget` is its name, if it is one's."""

    code = "budget_exceeded"

    def __init__(self, message: str, *, param: str | None = None, budget: str | None = None) -> None:
        super().__init__(message, param=param)
        self.budget = budget


class NotFound(GatewayError):
    """Nothing of that name here."""

    status, code, type = 404, "not_found", "not_found_error"


class Conflict(GatewayError):
    """The change does not fit what is there now."""

    status, code, type = 409, "conflict", "invalid_request_error"


class KeyInUse(Conflict):
    """A request with the same idempotency key is still running."""

    code, retryable, retry_after_s = "idempotency_key_in_use", True, 1


class AlreadyCompleted(Conflict):
    """The request with the same idempotency key has ended, and its answer cannot be given again."""

    code = "already_completed"

    def __init__(self, message: str, *, completed: Completed) -> None:
        super().__init__(message)
        self.completed = completed


class KeyReused(GatewayError):
    """An idempotency key came with another body than before."""

    status, code, type = 422, "idempotency_key_reused", "invalid_request_error"


class KeysExhausted(GatewayError):
    """A virtual key has used as many idempotency keys as are remembered for it."""

    status, code, type = 429, "idempotency_keys_exhausted", "rate_limit_error"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(GatewayError):
    """A limit on requests, tokens or concurrency. Ours has a name, `limit`, and `standing` tells of it."""

    status, code, type, retryable = 429, "rate_limit_exceeded", "rate_limit_error", True

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: int,
        retry_after_ms: int | None = None,
        standing: Standing | None = None,
        limit: str | None = None,
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.retry_after_ms = retry_after_ms
        self.standing = standing
        self.limit = limit


class BudgetBusy(RateLimited):
    """The room of a budget, named `budget`, stayed held by requests in flight for as long as was waited."""

    def __init__(self, message: str, *, retry_after_s: int, budget: str) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.budget = budget


class Overloaded(GatewayError):
    """We cannot take this now; the same request may succeed later."""

    status, code, type, retryable = 503, "overloaded", "overloaded_error", True

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class LedgerUnavailable(Overloaded):
    """The books cannot be written, so nothing billable is admitted."""

    code = "ledger_unavailable"


class ManagementOff(GatewayError):
    """Management over TCP, without a master key to prove who one is."""

    status, code, type = 503, "management_off", "permission_error"


class UpstreamFailed(GatewayError):
    """The provider refused, broke off or did not answer; `status` is what the caller gets."""

    code, retryable = "upstream_error", True

    def __init__(self, message: str, *, status: int, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        if code is not None:
            self.code = code
        self.retryable = status >= 500


class ReaderLeft(Exception):
    """The client closed its connection; nobody is left to answer."""
