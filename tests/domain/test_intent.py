"""Bounds on a prompt from its bytes, and our count where nobody else has counted."""

from __future__ import annotations

import pytest

from otari_daemon.domain.intent import (
    REMOTE_MEDIA_TOKENS,
    TOKENS_PER_MESSAGE,
    Intent,
    input_bound,
    presumed_tokens,
)


def test_a_prompt_has_at_most_a_token_per_byte_and_what_templates_and_media_add() -> None:
    assert (TOKENS_PER_MESSAGE, REMOTE_MEDIA_TOKENS) == (16, 32_768)
    assert input_bound(100, 0, 0) == 100
    assert input_bound(100, 3, 0) == 148
    assert input_bound(100, 3, 2) == 148 + 65_536


@pytest.mark.parametrize(("size", "tokens"), [(0, 0), (1, 1), (4, 1), (5, 2), (8, 2), (4_001, 1_001)])
def test_four_bytes_of_ordinary_text_are_a_token_and_a_rest_is_one_too(size: int, tokens: int) -> None:
    assert presumed_tokens(size) == tokens


def test_a_request_has_one_choice_and_sees_its_usage_unless_it_says_otherwise() -> None:
    intent = Intent("up:echo", False, 10, 5, None)

    assert (intent.choices, intent.shows_usage) == (1, True)
