"""What a provider's failure becomes: our status and code, and nothing of its or our secrets."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.records import Reason
from otari_daemon.pipeline.failures import MESSAGE_CHARS_MAX, Failure, of_status, of_transport
from otari_daemon.providers.http1.errors import FailureKind, UpstreamError

KEY = "custom-credential-7f3a"
SENT = ((b"authorization", f"Bearer {KEY}".encode()), (b"x-tenant", b"7"))


def failed(status: int, message: str = "no", retry_after: bytes | None = None) -> Failure:
    return of_status(status, retry_after, json.dumps({"error": {"message": message}}).encode(), SENT)


@pytest.mark.parametrize(
    ("status", "answered", "code"),
    [
        (400, 400, "upstream_rejected"),
        (422, 400, "upstream_rejected"),
        (404, 404, "model_not_found"),
        (401, 502, "upstream_credentials"),
        (403, 502, "upstream_credentials"),
        (402, 502, "upstream_billing"),
        (429, 429, "upstream_rate_limited"),
        (408, 504, "upstream_timeout"),
        (504, 504, "upstream_timeout"),
        *((status, 502, "upstream_error") for status in (301, 307, 405, 409, 413, 418, 500, 502, 503, 529)),
    ],
)
def test_a_providers_status_becomes_ours(status: int, answered: int, code: str) -> None:
    error, reason = failed(status)

    assert (error.status, error.code, reason) == (answered, code, Reason.REFUSED)


@pytest.mark.parametrize("status", [400, 422, 429])
def test_a_provider_out_of_money_is_the_operators_matter(status: int) -> None:
    error = failed(status, "You exceeded your quota: insufficient_quota, see billing").error

    assert (error.status, error.code) == (502, "upstream_billing")


@pytest.mark.parametrize("status", [400, 404, 422])
def test_the_callers_faults_are_told_in_the_providers_words(status: int) -> None:
    assert failed(status, "temperature must be below 2").error.message == "temperature must be below 2"


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_other_faults_are_told_in_ours(status: int) -> None:
    assert "tell-tale" not in failed(status, "tell-tale").error.message


SECRETS = [
    *(
        KEY,
        "sk-proj-abcdefgh12345678",
        "sk-ant-api03-XXXX",
        "Bearer abc.def.ghi",
        "gsk_abcdefghij",
        "org-abcdefgh",
    ),
    *(
        "https://internal.example/v1?key=abc",
        "http://10.0.0.7:8000/x",
        "10.0.0.7:8000",
        "AIza-SyabcdefghijklmnopqrsT",
    ),
    *("/srv/vllm/engine.py", "/root/.config/key", "req_0123456789abcdef", "a" * 40, "gw-" + "A" * 64),
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "key {} is bad", "({}).", "'{}'", "{}\n{}"])
def test_no_secret_address_or_path_of_a_provider_is_passed_on(secret: str, around: str) -> None:
    message = failed(400, around.replace("{}", secret)).error.message

    assert secret not in message
    assert "[redacted]" in message


def test_short_header_values_are_words_like_others() -> None:
    assert failed(400, "7 is not a number").error.message == "7 is not a number"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_message_is_short_and_has_no_control_characters(text: str) -> None:
    message = failed(400, text).error.message

    assert 0 < len(message) <= MESSAGE_CHARS_MAX
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in message)
    assert "\u202e" not in message


@given(st.sampled_from([400, 404, 429, 500]), st.binary(max_size=200))
def test_no_body_of_an_error_is_an_error_of_ours(status: int, body: bytes) -> None:
    assert of_status(status, None, body, SENT).error.status >= 400


@pytest.mark.parametrize(
    ("said", "waits_s"),
    [
        (None, 1),
        (b"7", 7),
        (b"0", 1),
        (b"99999", 3600),
        (b"9" * 20, 1),
        (b"-1", 1),
        (b"soon", 1),
        (b"1.5", 1),
    ],
)
def test_a_provider_that_is_asked_too_often_says_when_to_come_back(said: bytes | None, waits_s: int) -> None:
    error = failed(429, retry_after=said).error

    assert error.retry_after_s == waits_s
    assert error.retryable


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FailureKind.CONNECT, 502),
        (FailureKind.DNS, 502),
        (FailureKind.TLS, 502),
        (FailureKind.RESET, 502),
        (FailureKind.PROTOCOL, 502),
        (FailureKind.CONNECT_TIMEOUT, 504),
        (FailureKind.FIRST_BYTE_TIMEOUT, 504),
        (FailureKind.IDLE_TIMEOUT, 504),
        (FailureKind.TOTAL_TIMEOUT, 504),
        (FailureKind.POOL_FULL, 503),
    ],
)
@pytest.mark.parametrize(
    ("sent", "answering", "reason"),
    [(False, False, Reason.UNSENT), (True, False, Reason.AMBIGUOUS), (True, True, Reason.UPSTREAM_CUT)],
)
def test_a_failed_connection_settles_by_what_had_been_sent(
    kind: FailureKind, status: int, sent: bool, answering: bool, reason: Reason
) -> None:
    error, settles = of_transport(UpstreamError(kind, "x", sent=sent), answering)

    assert (error.status, settles) == (status, reason)
    assert error.retryable
