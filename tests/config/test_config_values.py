"""Scalars to typed values: exact prices, strict kinds, and words for what was expected."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.config.document import Kind, Scalar
from otari_daemon.config.problems import NOWHERE
from otari_daemon.config.values import Matches, Mismatch, Range, convert
from otari_daemon.domain.money import Pico

NUMBER, TEXT, BOOL, NULL, UNTYPED = Kind.NUMBER, Kind.TEXT, Kind.BOOL, Kind.NULL, Kind.UNTYPED
UTC = dt.UTC


def read(base: Any, text: str, kind: Kind, *limits: object) -> object:
    """Convert one scalar."""
    return convert(base, limits, Scalar(text, kind, NOWHERE))


@pytest.mark.parametrize(
    ("base", "text", "kind", "value"),
    [
        (int, "8000", NUMBER, 8000),
        (int, "-1", NUMBER, -1),
        (int, " 7 ", UNTYPED, 7),
        (float, "2", NUMBER, 2.0),
        (float, "0.5", UNTYPED, 0.5),
        (bool, "True", BOOL, True),
        (bool, "off", UNTYPED, False),
        (bool, "1", UNTYPED, True),
        (str, "NO", TEXT, "NO"),
        (str, "5", UNTYPED, "5"),
        (Literal["debug", "info"], "INFO", TEXT, "info"),
        (dt.datetime, "2026-01-31", TEXT, dt.datetime(2026, 1, 31, tzinfo=UTC)),
        (dt.datetime, "2026-01-31T12:00:00Z", TEXT, dt.datetime(2026, 1, 31, 12, tzinfo=UTC)),
        (dt.datetime, "2026-01-31T01:00+02:00", TEXT, dt.datetime(2026, 1, 30, 23, tzinfo=UTC)),
    ],
)
def test_a_value_of_the_right_kind_is_read(base: Any, text: str, kind: Kind, value: object) -> None:
    read_value = read(base, text, kind)

    assert read_value == value
    assert type(read_value) is type(value)


@pytest.mark.parametrize(
    ("base", "text", "kind"),
    [
        (int, "8000", TEXT),
        (int, "010", NUMBER),
        (int, "8.0", NUMBER),
        (int, "1e3", NUMBER),
        (int, "1" * 5000, NUMBER),
        (int, "٣", UNTYPED),
        (int, "", UNTYPED),
        (float, "inf", UNTYPED),
        (float, "nan", UNTYPED),
        (float, "-1", NUMBER),
        (bool, "1", NUMBER),
        (bool, "yes", TEXT),
        (bool, "maybe", UNTYPED),
        (str, "true", BOOL),
        (str, "5", NUMBER),
        (str, "", NULL),
        (Literal["debug", "info"], "loud", TEXT),
        (dt.datetime, "tomorrow", TEXT),
        (dt.datetime, "0001-01-01T00:00+23:00", TEXT),
    ],
)
def test_a_value_of_another_kind_is_refused(base: Any, text: str, kind: Kind) -> None:
    with pytest.raises(Mismatch):
        read(base, text, kind)


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine's clock be fourteen hours ahead of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Etc/GMT-14")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_a_moment_without_an_offset_is_utc_wherever_the_machine_is() -> None:
    assert read(dt.datetime, "2026-01-31T12:00", TEXT) == dt.datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_bounds_hold_at_both_ends_and_are_told() -> None:
    assert read(int, "1", NUMBER, Range(1, 5)) == 1
    assert read(int, "5", NUMBER, Range(1, 5)) == 5
    for text in ("0", "6"):
        with pytest.raises(Mismatch, match="a whole number from 1 to 5"):
            read(int, text, NUMBER, Range(1, 5))


def test_a_pattern_must_match_the_whole_text() -> None:
    with pytest.raises(Mismatch, match="letters"):
        read(str, "abc\n", TEXT, Matches("[a-z]+", "letters"))


@given(st.integers(0, 10**12))
def test_a_price_is_read_to_the_last_pico(pico: int) -> None:
    text = f"{pico // 10**6}.{pico % 10**6:06d}"

    assert read(Pico, text, NUMBER) == pico


@pytest.mark.parametrize(
    ("text", "pico"),
    [("1", 1_000_000), ("0.1", 100_000), ("0.07", 70_000), ("2.50", 2_500_000), ("0.000001", 1)],
)
def test_a_dollar_per_million_is_a_million_pico_per_token(text: str, pico: int) -> None:
    assert read(Pico, text, NUMBER) == pico
    assert read(Pico, text, TEXT) == pico


@pytest.mark.parametrize(
    "text",
    ["-1", "0.0000001", "1000000.000001", "1e-3", "1_000", "12:30", "inf", ".nan", "", "true", "9" * 400],
)
def test_a_price_otari_could_not_keep_exactly_is_refused(text: str) -> None:
    with pytest.raises(Mismatch, match="dollars per million tokens"):
        read(Pico, text, UNTYPED)
