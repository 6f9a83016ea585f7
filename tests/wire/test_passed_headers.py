"""Which of a client's headers go on to a provider, and in what form."""

from __future__ import annotations

import pytest

from otari_daemon.api.passing import VALUE_BYTES_MAX, passed_headers
from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.providers.registry import KINDS, credential_headers
from otari_daemon.providers.upstream import Place

VERSION, BETA = b"anthropic-version", b"anthropic-beta"


def test_the_version_and_the_betas_go_on_and_nothing_else() -> None:
    sent = [(VERSION, b"2026-10-21"), (BETA, b"a,b"), (BETA, b"c"), (b"x-api-key", b"gw-1"), (b"host", b"x")]

    assert passed_headers(sent) == ((VERSION, b"2026-10-21"), (BETA, b"a,b,c"))
    assert passed_headers([(b"x-api-key", b"gw-1"), (BETA, b"")]) == ()


@pytest.mark.parametrize(
    "headers",
    [
        [(BETA, b"a\r\nx-api-key: mine")],
        [(BETA, b"caf\xc3\xa9")],
        [(BETA, b"a\0")],
        [(BETA, b"x" * (VALUE_BYTES_MAX + 1))],
        [(BETA, b"x" * 600), (BETA, b"x" * 600)],
        [(VERSION, b"1"), (VERSION, b"2")],
    ],
)
def test_what_could_be_more_than_a_word_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(InvalidRequest):
        passed_headers(headers)


def test_a_request_brings_its_own_for_a_default_but_not_for_what_the_operator_set() -> None:
    place = Place(
        "c", "anthropic", "http://x", headers=((BETA, b"ours"),), defaults=((VERSION, b"2023-06-01"),)
    )

    alone, brought = (
        dict(place.fixed_headers),
        place.headers_with(((VERSION, b"2026-10-21"), (BETA, b"theirs"))),
    )

    assert (alone[VERSION], alone[BETA]) == (b"2023-06-01", b"ours")
    assert [value for name, value in brought if name in (VERSION, BETA)] == [b"2026-10-21", b"ours"]


def test_anthropics_credential_has_a_header_of_its_own() -> None:
    assert credential_headers(KINDS["anthropic"], "k") == ((b"x-api-key", b"k"),)
