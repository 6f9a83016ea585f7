"""OpenAI's usage object: disjoint classes, or absurd."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.usage import UNITS_MAX, Usage
from otari_daemon.wire.usage_format import AbsurdUsage, is_hollow
from otari_daemon.wire.usage_openai import normalize


def stated(prompt: Any, completion: Any, total: Any = None, **details: Any) -> dict[str, Any]:
    """A usage object; `details` are `cached`, `heard`, `thought`, `spoke`."""
    made: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": completion}
    if total is not None:
        made["total_tokens"] = total
    read = {"cached_tokens": details.get("cached"), "audio_tokens": details.get("heard")}
    wrote = {"reasoning_tokens": details.get("thought"), "audio_tokens": details.get("spoke")}
    return {**made, "prompt_tokens_details": read, "completion_tokens_details": wrote}


@pytest.mark.parametrize(
    ("usage", "classes"),
    [
        (stated(10, 5, 15), Usage(input=10, output=5)),
        ({"prompt_tokens": 10, "completion_tokens": 5}, Usage(input=10, output=5)),
        ({"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 10}, Usage(input=10)),
        (stated(10, 5, 15, cached=10), Usage(cache_read=10, output=5)),
        (stated(10, 5, 15, cached=4, heard=3), Usage(input=3, cache_read=4, audio_input=3, output=5)),
        (stated(10, 5, 15, thought=3), Usage(input=10, output=2, reasoning=3)),
        (stated(10, 5, 18, thought=3), Usage(input=10, output=5, reasoning=3)),
        (stated(10, 5, 65, thought=50), Usage(input=10, output=5, reasoning=50)),
        (stated(10, 5, None, thought=50), Usage(input=10, output=5, reasoning=50)),
        (stated(10, 5, None, thought=5), Usage(input=10, reasoning=5)),
        (stated(10, 5, 15, thought=2, spoke=3), Usage(input=10, reasoning=2, audio_output=3)),
        ({**stated(10, 5, 15), "prompt_tokens_details": None, "more": "x"}, Usage(input=10, output=5)),
        (stated(UNITS_MAX, 0, UNITS_MAX), Usage(input=UNITS_MAX)),
    ],
)
def test_tokens_go_into_the_class_they_are_charged_at(usage: Any, classes: Any) -> None:
    assert normalize(usage) == classes._replace(requests=1)


ODD_COUNTS = [-1, -(2**63), 2**63, UNITS_MAX + 1, 1.0, 1.5, float("nan"), float("inf"), True, "10", [], {}]


@pytest.mark.parametrize("odd", ODD_COUNTS, ids=repr)
@pytest.mark.parametrize("place", ["prompt", "completion", "total", "cached", "heard", "thought", "spoke"])
def test_a_count_that_cannot_be_is_absurd_wherever_it_stands(odd: Any, place: str) -> None:
    fields = {"prompt": 10, "completion": 5, "total": 15, "cached": 1, "thought": 1}

    with pytest.raises(AbsurdUsage):
        normalize(stated(**{**fields, place: odd}))


@pytest.mark.parametrize(
    "usage",
    [
        *(None, [], "many", 5, {}, {"prompt_tokens": 5}, {"completion_tokens": 5}, {"total_tokens": 5}),
        stated(None, 5, 5),
        stated(10, 5, 16),
        stated(10, 5, 14),
        stated(10, 5, 0),
        stated(10, 5, 15, cached=11),
        stated(10, 5, 15, cached=6, heard=5),
        stated(10, 5, 15, thought=6),
        stated(10, 5, 15, thought=3, spoke=3),
        {**stated(10, 5, 15), "prompt_tokens_details": "x"},
        {**stated(10, 5, 15), "completion_tokens_details": 5},
    ],
    ids=repr,
)
def test_usage_that_contradicts_itself_is_absurd(usage: Any) -> None:
    with pytest.raises(AbsurdUsage):
        normalize(usage)


counts = st.integers(0, 10**6)


@given(counts, counts, counts, counts, counts, counts, st.booleans(), st.booleans())
def test_no_token_is_lost_or_counted_twice(
    plain: int, cached: int, heard: int, text: int, thought: int, spoke: int, beside: bool, totaled: bool
) -> None:
    prompt, inside = plain + cached + heard, text + spoke + (0 if beside else thought)
    total = prompt + text + spoke + thought if totaled or beside else None

    usage = normalize(stated(prompt, inside, total, cached=cached, heard=heard, thought=thought, spoke=spoke))

    assert usage == Usage(plain, cached, 0, text, thought, heard, spoke, requests=1)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = [
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "prompt_tokens_details",
    "completion_tokens_details",
]


@given(st.dictionaries(st.sampled_from(NAMES), json_like) | json_like)
def test_whatever_a_provider_says_is_usage_or_absurd(said: Any) -> None:
    try:
        usage = normalize(said)
    except AbsurdUsage:
        return
    assert min(usage) >= 0
    assert max(usage) <= 2 * UNITS_MAX


@pytest.mark.parametrize(
    ("usage", "said", "hollow"),
    [
        (Usage(input=1, output=1), 100, False),
        (Usage(cache_read=1, reasoning=1), 100, False),
        (Usage(input=1), 0, False),
        (Usage(input=1), 1, True),
        (Usage(output=1), 1, True),
        (Usage(), 0, True),
    ],
)
def test_usage_that_denies_a_prompt_or_the_answer_is_hollow(usage: Any, said: Any, hollow: bool) -> None:
    assert is_hollow(usage, said) is hollow
