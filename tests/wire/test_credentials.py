"""Exactly one credential per request, from any of its three places."""

from __future__ import annotations

import pytest

from otari_daemon.api.credentials import CREDENTIAL_BYTES_MAX, credential
from otari_daemon.domain.errors import InvalidRequest, Unauthenticated

AUTH, RAW, OURS = b"authorization", b"x-api-key", b"otari-key"


@pytest.mark.parametrize(
    "headers",
    [
        [(AUTH, b"Bearer gw-1")],
        [(AUTH, b"bearer  gw-1 ")],
        [(RAW, b"gw-1")],
        [(OURS, b"gw-1")],
        [(OURS, b"Bearer gw-1")],
        [(AUTH, b"Bearer gw-1"), (RAW, b"gw-1"), (OURS, b"BEARER gw-1")],
        [(b"host", b"x"), (AUTH, b"Bearer gw-1"), (b"cookie", b"gw-2")],
    ],
)
def test_one_credential_is_taken_wherever_it_stands(headers: list[tuple[bytes, bytes]]) -> None:
    assert credential(headers) == b"gw-1"


@pytest.mark.parametrize(
    "headers",
    [
        [(AUTH, b"Bearer gw-1"), (RAW, b"gw-2")],
        [(AUTH, b"Bearer gw-1"), (AUTH, b"Bearer gw-2")],
        [(RAW, b"gw-1"), (OURS, b"gw-2")],
        [(RAW, b"gw-1"), (OURS, b"")],
    ],
)
def test_two_different_ones_are_refused(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(InvalidRequest, match="two different"):
        credential(headers)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"host", b"x")],
        [(AUTH, b"")],
        [(AUTH, b"gw-1")],
        [(AUTH, b"Basic Z3c6MQ==")],
        [(AUTH, b"Bearer ")],
        [(RAW, b"")],
        [(RAW, b"k" * (CREDENTIAL_BYTES_MAX + 1))],
    ],
)
def test_none_or_an_unusable_one_is_401(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(Unauthenticated):
        credential(headers)
