"""Forms, widths, colors, and words that must not reach a terminal."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from otari_cli.table import Column, draw
from otari_cli.text import clip, plain, plain_lines, width
from otari_daemon.protocol.messages import BudgetUse, Finding, HoldInfo, KeyInfo, VerifyReport
from tests.admin.fake_operations import FakeOperations
from tests.admin.samples import AT, GROUPED, REPORT, ROW
from tests.cli.conftest import Otari

HOSTILE = "\x1b[31mred\x1b]0;title\x07\x9b2J\u202eevil\x00\x7f\u2066\nend"
READS = (
    ("keys", "list"),
    ("users", "list"),
    ("budgets", "list"),
    ("usage",),
    ("usage", "--by", "key"),
    ("tail",),
    ("holds",),
    ("models",),
)


def _key(name: str) -> KeyInfo:
    use = BudgetUse("b_1", name, f"key:{name}", "5.00", "1.250000001", "0.10", "0.00", AT, None, "enforce")
    return KeyInfo("k_1", "gw-abcdefg", name, name, AT, AT, AT, True, "active", {}, ("a:" + name,), (use,))


@pytest.fixture
def crowded(operations: FakeOperations) -> None:
    """Rows whose names are as long as names get."""
    long = "a-rather-long-name-" * 8
    operations.keys_by_id["k_1"] = _key(long)
    operations.rows = [replace(ROW, key_name=long, model=long, user_id=long)]
    operations.held = [HoldInfo("req_2", 12_000, "0.412000001", "k_1", long, long, (long, long), True, 412)]
    operations.report = VerifyReport(False, 9, 2, 12, (Finding("hold 7", "balance", long),))


@pytest.mark.usefixtures("crowded")
@pytest.mark.parametrize("argv", READS)
def test_tables_fit_80_columns_and_use_200(
    otari: Otari, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    narrow = otari(*argv).out.splitlines()
    monkeypatch.setenv("COLUMNS", "200")
    wide = otari(*argv).out.splitlines()

    assert max(map(len, narrow), default=0) <= 80
    assert max(map(len, wide), default=0) <= 200
    if argv in (("keys", "list"), ("usage",), ("holds",), ("tail",)):
        assert max(map(len, wide)) > 150
        assert narrow[0].split()[0] == wide[0].split()[0]


@pytest.mark.usefixtures("crowded")
def test_a_pipe_gets_whole_words(otari: Otari) -> None:
    assert "…" not in otari("usage").out


@pytest.mark.parametrize("argv", READS)
@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "yaml"])
def test_every_read_takes_every_form(
    otari: Otari, operations: FakeOperations, argv: tuple[str, ...], form: str
) -> None:
    operations.keys_by_id["k_1"] = _key("ci")

    ran = otari(*argv, "-o", form)

    read: dict[str, Callable[[str], Any]] = {
        "json": json.loads,
        "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
        "csv": lambda text: list(csv.DictReader(io.StringIO(text))),
        "yaml": yaml.safe_load,
    }
    rows = read[form](ran.out)
    whole = argv[:2] == ("usage", "--by") and form in ("json", "yaml")  # a report is one thing
    assert (ran.code, type(rows or [])) == (0, dict if whole else list)
    assert whole or all(isinstance(row, dict) for row in rows or [])
    if argv == ("keys", "list"):
        assert rows[0]["key_name"] == "ci"


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "yaml"])
@pytest.mark.parametrize("argv", [*READS, ("keys", "show", "k_1")])
def test_escapes_never_reach_the_terminal(
    otari: Otari, operations: FakeOperations, argv: tuple[str, ...], form: str
) -> None:
    operations.keys_by_id["k_1"] = _key(HOSTILE)
    operations.rows = [replace(ROW, key_name=HOSTILE, model=HOSTILE, reason=HOSTILE)]
    operations.usage_sums = replace(REPORT, rows=(replace(GROUPED, group=(HOSTILE, HOSTILE)),))
    operations.held = [HoldInfo(HOSTILE, 1, "1", HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), True, 1)]

    ran = otari(*argv, "-o", form)

    assert not set(ran.out + ran.err) & set("\x1b\x9b\x07\x00\x7f\u202e\u2066")


def test_an_error_message_is_made_plain_too(otari: Otari) -> None:
    ran = otari("keys", "show", "x\u202e\x85y")

    assert ran.err == "otari: there is nothing called xy\n"


def test_csv_cells_are_no_formulas(otari: Otari, operations: FakeOperations) -> None:
    groups = (replace(GROUPED, group=(name, "")) for name in ("=HYPERLINK(1)", "ci"))
    operations.usage_sums = replace(REPORT, rows=tuple(groups))

    rows = list(csv.DictReader(io.StringIO(otari("usage", "--by", "key", "-o", "csv").out)))

    assert [row["key"] for row in rows] == ["'=HYPERLINK(1)", "ci"]


@given(st.text())
def test_plain_text_is_one_line_of_what_can_be_seen(text: str) -> None:
    shown = plain(text)

    assert plain(shown) == shown
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)
    assert not any(ord(char) < 32 and char not in "\t\n" for char in plain_lines(text))


@given(st.text(), st.integers(1, 20))
def test_clipped_text_fits(text: str, cells: int) -> None:
    assert width(clip(plain(text), cells)) <= cells


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=3), st.integers(30, 90))
def test_a_table_with_columns_that_give_way_fits(rows: list[tuple[str, str]], limit: int) -> None:
    columns = [
        Column[tuple[str, str]]("A", lambda row: row[0], shrinks=True),
        Column[tuple[str, str]]("B", lambda row: row[1], rank=1),
    ]

    assert all(width(line) <= limit for line in draw(columns, rows, limit, color=False))


def test_a_column_too_wide_leaves_its_room_to_those_after_it() -> None:
    columns = [
        Column[str]("NAME", lambda row: row),
        Column[str]("REQUEST", lambda row: "r" * 36, rank=1),
        Column[str]("IN", lambda row: "12", rank=2),
    ]

    assert draw(columns, ["ci"], 30, color=False) == ["NAME  IN", "ci    12"]
    assert draw(columns, ["ci"], 60, color=False)[0].split() == ["NAME", "REQUEST", "IN"]


def test_color_is_only_around_what_it_marks() -> None:
    columns = [Column[str]("STATUS", lambda row: row, color=lambda _: "red")]

    assert draw(columns, ["bad"], None, color=True) == ["STATUS", "\x1b[31mbad   \x1b[0m"]
    assert draw(columns, ["bad"], None, color=False) == ["STATUS", "bad"]
