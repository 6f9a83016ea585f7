"""Whatever a provider says is usage within bounds, or absurd; never negative, never counted twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.usage import UNITS_MAX, Usage
from otari_daemon.providers.registry import KINDS
from otari_daemon.wire import usage_anthropic, usage_cohere, usage_gemini, usage_openai
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat, later

FORMATS: list[UsageFormat] = [
    *{id(usage): usage for kind in KINDS.values() for usage in kind.speaks.values()}.values(),
    usage_openai.RESPONSES,
    usage_anthropic.MESSAGES,
    usage_gemini.GENERATE,
    usage_cohere.CHAT,
]
FIELDS = (
    *("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "cached_tokens"),
    *("completion_tokens_details", "reasoning_tokens", "audio_tokens", "prompt_audio_seconds"),
    *("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details"),
    *("cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation", "server_tool_use"),
    *("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "web_search_requests"),
    *("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount"),
    *("promptTokensDetails", "cacheTokensDetails", "modality", "tokenCount"),
    *("billed_units", "tokens", "search_units", "prompt_cache_hit_tokens"),
)
leaf = st.none() | st.booleans() | st.integers(-5, 50) | st.integers() | st.floats() | st.text(max_size=3)
said = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=8),
    max_leaves=20,
)
few = st.integers(0, 10**6)


@pytest.mark.parametrize("form", FORMATS, ids=range(len(FORMATS)))
@given(stated=said)
def test_whatever_is_said_is_usage_or_absurd(form: UsageFormat, stated: Any) -> None:
    try:
        usage = form.read(stated)
    except AbsurdUsage:
        return
    assert min(usage) >= 0
    assert max(usage) <= 3 * UNITS_MAX


@given(few, few, few, few, few, few)
def test_anthropics_prompt_is_the_sum_of_what_stands_beside_it(
    fresh: int, read: int, brief: int, long: int, unsaid: int, said: int
) -> None:
    stated = {
        "input_tokens": fresh,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": brief + long + unsaid,
        "cache_creation": {"ephemeral_5m_input_tokens": brief, "ephemeral_1h_input_tokens": long},
        "output_tokens": said,
    }

    usage = usage_anthropic.normalize(stated)

    assert usage == Usage(fresh, read, brief + unsaid, said, requests=1, cache_write_1h=long)


@given(few, few, few, few, few, few)
def test_geminis_classes_sum_to_its_total(
    text: int, seen: int, cached: int, said: int, thought: int, unnamed: int
) -> None:
    prompt = text + seen + cached
    stated = {
        "promptTokenCount": prompt,
        "cachedContentTokenCount": cached,
        "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": seen}],
        "candidatesTokenCount": said,
        "thoughtsTokenCount": thought,
        "totalTokenCount": prompt + said + thought + unnamed,
    }

    usage = usage_gemini.normalize(stated)

    assert usage.input_tokens + usage.output_tokens == stated["totalTokenCount"]
    assert (usage.image_input, usage.reasoning) == (seen, thought + unnamed)


@pytest.mark.parametrize(
    ("form", "stated"),
    [
        (usage_openai.CHAT, {"prompt_tokens": 20, "completion_tokens": 198, "total_tokens": 623}),
        (usage_openai.GEMINI, {"prompt_tokens": 20, "completion_tokens": 198, "total_tokens": 200}),
        (usage_openai.XAI, {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 15}),
        (usage_openai.MISTRAL, {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 15}),
        (usage_openai.MISTRAL, {"prompt_tokens": 9, "completion_tokens": 5, "prompt_audio_seconds": -1}),
        (usage_openai.DEEPSEEK, {"prompt_tokens": 9, "completion_tokens": 5, "prompt_cache_hit_tokens": 10}),
        (usage_anthropic.MESSAGES, {"input_tokens": 5}),
        (
            usage_anthropic.MESSAGES,
            {
                "input_tokens": 5,
                "output_tokens": 1,
                "cache_creation_input_tokens": 5,
                "cache_creation": {"ephemeral_1h_input_tokens": 6},
            },
        ),
        (usage_gemini.GENERATE, {"promptTokenCount": 9, "candidatesTokenCount": 5, "totalTokenCount": 13}),
        (usage_gemini.GENERATE, {"promptTokenCount": 9, "cachedContentTokenCount": 10}),
        (usage_cohere.CHAT, {"billed_units": {}, "tokens": {}}),
        (usage_cohere.CHAT, {"billed_units": {"input_tokens": 1.5}}),
    ],
)
def test_what_contradicts_itself_is_absurd(form: UsageFormat, stated: Any) -> None:
    with pytest.raises(AbsurdUsage):
        form.read(stated)


def test_a_later_statement_replaces_and_never_adds() -> None:
    assert later({"a": 3, "b": 1}, {"a": 5, "b": None}) == {"a": 5, "b": 1}
    assert later(None, {"a": 5}) == {"a": 5}
    assert later({"a": 5}, "nothing") == "nothing"


def test_anthropics_summaries_are_paid_beside_the_totals() -> None:
    sums = {"type": "compaction", "input_tokens": 100, "cache_read_input_tokens": 20, "output_tokens": 30}
    turn = {"type": "message", "input_tokens": 5, "output_tokens": 7}

    usage = usage_anthropic.normalize({"input_tokens": 5, "output_tokens": 7, "iterations": [sums, turn]})

    assert usage == Usage(input=105, cache_read=20, output=37, requests=1)
    with pytest.raises(AbsurdUsage):
        usage_anthropic.normalize({"input_tokens": 5, "output_tokens": 7, "iterations": [sums] * 257})
