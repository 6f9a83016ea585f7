"""Keys have the shape the contract promises, and a mistyped one is noticed without a look-up."""

from __future__ import annotations

import hashlib
import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.keys import RANDOM_BYTES, VirtualKey, digest, mint, shown_prefix, well_formed

ALPHABET = string.ascii_letters + string.digits + "-_"
TOKEN = mint(bytes(range(RANDOM_BYTES)))
entropy = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


@given(entropy)
def test_a_minted_key_has_the_shape_of_the_contract(random: bytes) -> None:
    token = mint(random)

    assert re.fullmatch(r"gw-[A-Za-z0-9_-]{64}", token)
    assert well_formed(token)


@given(entropy, entropy)
def test_different_randomness_makes_different_keys(one: bytes, other: bytes) -> None:
    same = one[:43] == other[:43] and one[43] >> 4 == other[43] >> 4  # 58 characters carry 348 bits

    assert (mint(one) == mint(other)) == same


@pytest.mark.parametrize("size", [0, RANDOM_BYTES - 1, RANDOM_BYTES + 1])
def test_a_wrong_number_of_random_bytes_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="random bytes"):
        mint(bytes(size))


def test_any_one_wrong_character_is_noticed() -> None:
    """All 64 x 63 of them: the checksum is linear, so one token stands for every other."""
    for position in range(3, len(TOKEN)):
        for character in ALPHABET:
            typed = TOKEN[:position] + character + TOKEN[position + 1 :]
            assert well_formed(typed) == (typed == TOKEN)


@given(entropy, st.integers(3, 65))
def test_two_neighbors_swapped_are_noticed(random: bytes, at: int) -> None:
    token = mint(random)
    swapped = token[:at] + token[at + 1] + token[at] + token[at + 2 :]

    assert well_formed(swapped) == (swapped == token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "gw-",
        TOKEN[3:],
        TOKEN[:-1],
        TOKEN + "A",
        TOKEN + "\n",
        " " + TOKEN,
        "GW-" + TOKEN[3:],
        "sk-" + TOKEN[3:],
    ],
)
def test_other_shapes_are_not_ours(token: str) -> None:
    assert not well_formed(token)


@given(st.text(max_size=80))
def test_any_text_can_be_asked_about(text: str) -> None:
    assert well_formed(text) in (True, False)
    assert not well_formed("gw-" + "\ud800" * 64)


def test_what_is_stored_is_the_sha_256_of_the_whole_token() -> None:
    assert digest(TOKEN.encode()) == hashlib.sha256(TOKEN.encode()).digest()
    assert shown_prefix(TOKEN) == TOKEN[:10]


def key(**fields: Any) -> VirtualKey:
    return VirtualKey("k_1", b"", "gw-", "ci", "u_1", 0, **fields)


@pytest.mark.parametrize(
    ("fields", "now_ms", "refusal"),
    [
        ({}, 10**15, None),
        ({"expires_ms": 100}, 99, None),
        ({"expires_ms": 100}, 100, "expired"),
        ({"revoked_ms": 100}, 0, "revoked"),
        ({"revoked_ms": 100, "expires_ms": 1}, 200, "revoked"),
    ],
)
def test_a_key_is_refused_when_revoked_and_from_its_expiry_on(
    fields: Any, now_ms: int, refusal: str | None
) -> None:
    assert key(**fields).refusal(now_ms) == refusal


@pytest.mark.parametrize(
    ("models", "model", "allowed"),
    [
        (None, "openai:gpt-5", True),
        ((), "openai:gpt-5", False),
        (("openai:gpt-5",), "openai:gpt-5", True),
        (("openai:gpt-5",), "openai:gpt-5-mini", False),
        (("openai:gpt-5",), "OPENAI:gpt-5", False),
        (("openai:*",), "openai:gpt-5", True),
        (("openai:*",), "openai2:gpt-5", False),
        (("openai:gpt-5*",), "openai:gpt-5-mini", True),
        (("openai:gpt-5*",), "openai:gpt-4", False),
        (("other:x", "openai:*"), "openai:gpt-5", True),
        (("*",), "anything:at-all", True),
        (("openai:gpt.5",), "openai:gpt-5", False),
        (("openai:[a-z]*",), "openai:gpt-5", False),
    ],
)
def test_patterns_match_whole_names_or_a_prefix(models: Any, model: str, allowed: bool) -> None:
    assert key(models=models).may_name(model) is allowed


def test_a_key_made_today_is_the_key_made_from_the_same_bytes_by_any_release() -> None:
    assert RANDOM_BYTES == 44
    assert mint(bytes(44)) == "gw-" + "A" * 58 + "C059GR"
    assert mint(bytes(range(44))) == "gw-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKiBebVW6"
