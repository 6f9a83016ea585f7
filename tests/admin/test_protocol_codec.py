"""Messages and JSON: what goes out comes back, and each side forgives or refuses what it should."""

from __future__ import annotations

import json
import types
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otari_daemon.protocol import messages as m
from otari_daemon.protocol.codec import FieldError, accept, dump, read

MESSAGES: list[Any] = [value for value in vars(m).values() if is_dataclass(value) and isinstance(value, type)]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    bool: st.booleans(),
    int: st.integers(-(1 << 63) + 1, (1 << 63) - 1),
    float: NUMBERS,
    types.NoneType: st.none(),
    m.Unset: st.just(m.UNSET),
}
FEW = settings(max_examples=15)  # of each message


def _any(kind: Any) -> st.SearchStrategy[Any]:
    """Any value a field of this type may have; whole numbers fit a column."""
    if kind in MESSAGES:
        return st.builds(kind, **{field.name: _any(field.type) for field in fields(kind)})
    arguments = get_args(kind)
    match get_origin(kind):
        case origin if origin in (Union, types.UnionType):
            return st.one_of([_any(each) for each in arguments])
        case origin if origin is Literal:
            return st.sampled_from(arguments)
        case origin if origin is tuple:
            return st.lists(_any(arguments[0]), max_size=2).map(tuple)
        case origin if origin is dict:
            return st.dictionaries(TEXT, JSON, max_size=2)
    return SCALARS[kind]


@pytest.mark.parametrize("cls", MESSAGES)
@FEW
@given(data=st.data())
def test_what_goes_out_comes_back(cls: type[Any], data: st.DataObject) -> None:
    message = data.draw(_any(cls))
    sent = json.loads(json.dumps(dump(message)))

    assert read(cls, sent) == message
    assert accept(cls, sent) == message


@pytest.mark.parametrize("cls", MESSAGES)
@FEW
@given(data=st.data(), news=JSON)
def test_a_newer_peer_is_understood_and_a_stranger_field_is_refused(
    cls: type[Any], data: st.DataObject, news: Any
) -> None:
    message = data.draw(_any(cls))
    sent = dump(message) | {"added_later": news}

    assert read(cls, sent) == message
    with pytest.raises(FieldError) as refused:
        accept(cls, sent)
    assert refused.value.field == "added_later"


@pytest.mark.parametrize("cls", MESSAGES)
@FEW
@given(junk=JSON)
def test_junk_is_refused_by_name_or_is_a_message(cls: type[Any], junk: Any) -> None:
    for reader in (read, accept):
        with suppress(FieldError):
            assert isinstance(reader(cls, junk), cls)


def test_fields_added_since_version_1_are_not_missed() -> None:
    old = {"group": "ci", "requests": 1, "prompt_tokens": 2, "completion_tokens": 3, "cost_usd": "0.10"}
    row = {
        name: None if name != "stream" else False
        for name in ("api_key_id", "key_name", "user_id", "provider", "prompt_tokens", "completion_tokens",
                     "total_tokens", "cost", "cost_usd", "held_usd", "error_message", "stream")
    }  # fmt: skip
    words = dict.fromkeys(("request_id", "id", "timestamp", "model", "endpoint", "status", "reason"), "x")

    assert read(m.UsageSummaryRow, old).group == "ci"
    assert read(m.UsageRow, row | words).first_byte_ms is None


def test_a_word_added_later_is_read_but_not_accepted() -> None:
    use = m.BudgetUse("b", "n", "global", None, "0.00", "0.00", "0.00", None, None, "enforce")
    sent = dump(use) | {"mode": "dream"}

    assert dump(read(m.BudgetUse, sent))["mode"] == "dream"
    with pytest.raises(FieldError, match="mode must be one of enforce, shadow"):
        accept(m.BudgetUse, sent)


def test_what_a_change_does_not_mention_is_not_sent() -> None:
    assert dump(m.KeyUpdate(expires_at=None)) == {"expires_at": None}
    assert accept(m.KeyUpdate, {}) == m.KeyUpdate()
    assert accept(m.KeyUpdate, {"expires_at": None}).expires_at is None


def test_null_leaves_alone_what_cannot_be_empty() -> None:
    assert accept(m.KeyUpdate, {"is_active": None, "metadata": None}) == m.KeyUpdate()
    assert accept(m.BudgetUpdate, {"mode": None, "max_budget": None}) == m.BudgetUpdate(max_budget=None)


@pytest.mark.parametrize(
    ("name", "told"), [("", "''"), ("a\x1b", r"'a\x1b'"), ("x" * 999, "x" * 64), ("id", "id")]
)
def test_a_name_that_is_no_field_is_repeated_short_and_harmless(name: str, told: str) -> None:
    with pytest.raises(FieldError) as refused:
        accept(m.KeyUpdate, {name: 1})

    assert (refused.value.field, str(refused.value).split(" is not a field;")[0]) == (told, told)


@pytest.mark.parametrize(
    ("cls", "sent", "told"),
    [
        (m.UserCreate, {}, "user_id is missing"),
        (m.UserCreate, {"user_id": 1}, "user_id must be a string"),
        (m.UserCreate, {"user_id": "a", "blocked": 1}, "blocked must be true or false"),
        (m.UserCreate, {"user_id": "a", "metadata": []}, "metadata must be an object"),
        (m.UserCreate, {"user_id": "a", "metadata": None}, "metadata must be an object"),
        (m.KeyCreate, {"allowed_models": "a"}, "allowed_models must be a list"),
        (m.KeyUpdate, {"is_active": 1}, "is_active must be true or false"),
        (m.BudgetCreate, {"max_budget": []}, "max_budget must be a string or a number"),
        (m.BudgetCreate, {"max_budget": float("inf")}, "max_budget must be a string or a number"),
        (m.BudgetCreate, {"budget_duration_sec": 1.5}, "budget_duration_sec must be a whole number"),
        (m.BudgetCreate, {"budget_duration_sec": True}, "budget_duration_sec must be a whole number"),
        (m.BudgetCreate, {"budget_duration_sec": 1 << 63}, "budget_duration_sec is out of range"),
        (m.Event, {"cursor": "c", "kind": "request", "row": 1}, "row must be an object"),
        (m.UsagePage, {"rows": [{}]}, "rows[0].request_id is missing"),
        (m.KeyCreate, "text", "must be an object"),
    ],
)
def test_a_refusal_names_the_field(cls: type[Any], sent: Any, told: str) -> None:
    with pytest.raises(FieldError) as refused:
        accept(cls, sent)

    assert str(refused.value) == told
