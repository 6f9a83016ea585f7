"""An estimate of tokens: near a real tokenizer's count, for text of every length and script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.token_count import COUNTED_CHARS_MAX, estimated_tokens

ENGLISH = (
    "hello there, how many tokens is this sentence? Could you please tell me what the weather will be like "
    "in Paris tomorrow, and whether I should take an umbrella with me? Thanks a lot!"
)
CHINESE = (
    "\u4eca\u5929\u5929\u6c14\u5f88\u597d\uff0c\u6211\u4eec\u53bb\u516c\u56ed\u6563\u6b65\u5427"
    "\u3002\u4eba\u5de5\u667a\u80fd\u6b63\u5728\u6539\u53d8\u4e16\u754c\uff0c\u8d8a\u6765\u8d8a"
    "\u591a\u7684\u516c\u53f8\u5f00\u59cb\u4f7f\u7528\u5927\u578b\u8bed\u8a00\u6a21\u578b\u6765"
    "\u5904\u7406\u6587\u672c\u3002\u8bf7\u7528\u7b80\u5355\u7684\u8bed\u8a00\u89e3\u91ca\u4e00"
    "\u4e0b\u91cf\u5b50\u529b\u5b66\u7684\u57fa\u672c\u539f\u7406\u3002\u4ed6\u8bf4\u4ed6\u660e"
    "\u5929\u4f1a\u6765\uff0c\u4f46\u662f\u6211\u4e0d\u592a\u76f8\u4fe1\u4ed6\u7684\u8bdd\u3002"
)


@pytest.mark.parametrize(
    ("text", "gemma"),
    [(ENGLISH, 39), (CHINESE, 51)],
    ids=["english", "chinese"],
)
def test_ordinary_text_is_near_the_count_of_a_real_vocabulary(text: str, gemma: int) -> None:
    assert 0.85 * gemma <= estimated_tokens(text) <= 1.15 * gemma


@given(st.text(max_size=300))
def test_a_text_has_no_fewer_tokens_than_one_and_no_more_than_bytes(text: str) -> None:
    assert bool(text) <= estimated_tokens(text) <= len(text.encode(errors="replace"))


@pytest.mark.parametrize("times", [500, 5000])
def test_a_long_text_is_taken_to_be_like_its_ends(times: int) -> None:
    text = ENGLISH * times

    assert len(text) > COUNTED_CHARS_MAX
    assert estimated_tokens(text) == pytest.approx(times * estimated_tokens(ENGLISH), rel=0.01)
