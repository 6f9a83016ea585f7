"""The filter language: what its terms hold for, and what cannot be meant."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.protocol.codec import FieldError
from otari_daemon.protocol.filters import look_at, look_at_refusal, matches, parse_filter
from tests.admin.fake_operations import REFUSAL, ROW

TAGGED = replace(ROW, tags={"team": "search", "pr": "812"})


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("key:ci user:ana", True),
        ("key:k_1", True),
        ("key:c", False),
        ("model:gpt-*", True),
        ("model:other,gpt-5.6", True),
        ("!model:gpt-*", False),
        ("status:200", True),
        ("status:>=400", False),
        ("!status:>=400", True),
        ("cost:>0.01", True),
        ("cost:>$0.0186", False),
        ("cost:>=0.0186", True),
        ("cost:<0.018600001", True),
        ("in:21300 out:<=611 tokens:>21000", True),
        ("took:>3.8s took:<3901ms took:<1m", True),
        ("tag:team=search", True),
        ("tag:team", True),
        ("tag:pr=8*", True),
        ("tag:run", False),
        ("!tag:team=search,team=infra", False),
        ('user:"ana"', True),
        ("user:ana status:500", False),
    ],
)
def test_a_filter_holds_for_what_it_says(text: str, holds: bool) -> None:
    assert parse_filter(text).holds(look_at(TAGGED)) is holds


@pytest.mark.parametrize(
    ("text", "holds"), [("status:403", True), ("key:ci reason:budget_*", True), ("cost:>0", False)]
)
def test_a_refusal_has_no_cost_to_compare(text: str, holds: bool) -> None:
    assert parse_filter(text).holds(look_at_refusal(REFUSAL)) is holds


@pytest.mark.parametrize(
    "text",
    [
        "mood:good",
        "alice",
        "status:ok",
        "status:>4.5",
        "cost:>1e3",
        "cost:>1s",
        "tokens:>$3",
        "model:a,,b",
        "model:*a*b*c*d*",
        'user:"ana',
        "user:a " * 33,
        "user:" + "a" * 1000,
    ],
)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(FieldError, match="where"):
        parse_filter(text)


@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_a_pattern_matches_as_the_regular_expression_it_stands_for(pattern: str, text: str) -> None:
    import re

    assert matches(pattern, text) == bool(re.fullmatch(pattern.replace("*", ".*"), text))
