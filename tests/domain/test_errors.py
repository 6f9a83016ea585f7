"""What each error tells HTTP clients and SDKs: the table at the head of the module, and who may retry."""

from __future__ import annotations

import pytest

from otari_daemon.domain import errors
from otari_daemon.domain.errors import GatewayError
from otari_daemon.domain.limits import Standing

PLAIN = {
    errors.GatewayError: (500, "internal_error", False),
    errors.InvalidRequest: (400, "invalid_request", False),
    errors.InvalidField: (422, "invalid_request", False),
    errors.Unauthenticated: (401, "invalid_api_key", False),
    errors.UnpricedModel: (402, "unpriced_model", False),
    errors.Forbidden: (403, "forbidden", False),
    errors.UserBlocked: (403, "user_blocked", False),
    errors.ModelNotAllowed: (403, "model_not_allowed", False),
    errors.BudgetExceeded: (403, "budget_exceeded", False),
    errors.NotFound: (404, "not_found", False),
    errors.Conflict: (409, "conflict", False),
    errors.Overloaded: (503, "overloaded", True),
    errors.LedgerUnavailable: (503, "ledger_unavailable", True),
}


@pytest.mark.parametrize("kind", PLAIN, ids=lambda kind: kind.__name__)
def test_status_code_and_whether_to_retry(kind: type[GatewayError]) -> None:
    error = kind("what and the way out")

    assert (error.status, error.code, error.retryable) == PLAIN[kind]
    assert (error.message, str(error), error.param if kind is GatewayError else None) == (
        "what and the way out",
        "what and the way out",
        None,
    )


def test_a_refusal_may_name_a_field_and_a_budget() -> None:
    refused = errors.BudgetExceeded("no room", param="model", budget="ci")

    assert (refused.param, refused.budget) == ("model", "ci")
    assert errors.InvalidRequest("bad", param="n").param == "n"
    assert errors.InvalidRequest("bad").retry_after_s is None


def test_a_limit_says_when_to_come_back_and_how_it_stands() -> None:
    standing = Standing(10, 0, 1_700_000_000)
    limited = errors.RateLimited("slow down", retry_after_s=7, standing=standing)

    assert (limited.status, limited.code, limited.retryable) == (429, "rate_limit_exceeded", True)
    assert (limited.retry_after_s, limited.standing, limited.message) == (7, standing, "slow down")


@pytest.mark.parametrize("kind", [errors.Overloaded, errors.LedgerUnavailable])
def test_overload_asks_to_come_back_in_a_second_unless_it_knows_better(kind: type[errors.Overloaded]) -> None:
    assert kind("full").retry_after_s == 1
    assert kind("full", retry_after_s=9).retry_after_s == 9


@pytest.mark.parametrize(("status", "retryable"), [(400, False), (499, False), (500, True), (502, True)])
def test_a_providers_failure_is_worth_repeating_only_if_it_was_not_the_callers(
    status: int, retryable: bool
) -> None:
    plain, named = (
        errors.UpstreamFailed("no", status=status),
        errors.UpstreamFailed("no", status=status, code="x"),
    )

    assert (plain.status, plain.code, plain.retryable) == (status, "upstream_error", retryable)
    assert (named.status, named.code, named.retryable) == (status, "x", retryable)
    assert (plain.message, errors.UpstreamFailed.retryable) == ("no", True)
