"""Commands that look at whole stretches of the books: what they ask, print and end with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from otari_daemon.protocol.messages import BilledLine, BudgetSimulate, Reconcile, Reprice
from tests.admin.fake_operations import FakeOperations
from tests.cli.conftest import Otari


def bill(text: str) -> str:
    """An export in the current folder."""
    Path("bill.csv").write_text(text, encoding="utf-8")
    return "bill.csv"


def test_pricing_again_shows_first_and_changes_nothing(otari: Otari, operations: FakeOperations) -> None:
    ran = otari("usage", "reprice", "--model", "up:a")

    assert ran.code == 0
    assert "-$0.03" in ran.out
    assert "nothing was changed" in ran.err
    assert [(what, dry) for what, _, dry in operations.writes] == [("reprice", True)]
    assert operations.asked == [Reprice(model="up:a")]


def test_pricing_again_in_earnest_tells_what_is_left(otari: Otari, operations: FakeOperations) -> None:
    ran = otari("usage", "reprice", "--apply", "--yes", "--reason", "list price")

    assert ran.code == 7
    assert "--allow-debits" in ran.err
    [(_, actor, dry_run)] = operations.writes
    assert (actor.reason, dry_run) == ("list price", False)


def test_nobody_is_corrected_without_a_yes(otari: Otari, operations: FakeOperations) -> None:
    assert otari("usage", "reprice", "--apply").code == 2
    assert otari("reconcile", bill("request_id,cost\na,1\n"), "--provider", "up", "--apply").code == 2
    assert operations.writes == []


def test_usage_alone_still_lists_requests(otari: Otari) -> None:
    assert "req_1" in otari("usage", "--limit", "5").out
    assert "ci" in otari("usage", "--by", "key").out


def test_a_budget_is_tried(otari: Otari, operations: FakeOperations) -> None:
    ran = otari("budgets", "simulate", "15/week@Europe/Oslo", "key:ci-*", "--mode", "shadow", "--pooled")

    [asked] = operations.asked
    assert isinstance(asked, BudgetSimulate)
    assert (asked.holder, asked.max_budget, asked.per, asked.time_zone) == (
        "key:ci-*", "15", "week", "Europe/Oslo",
    )  # fmt: skip
    assert (asked.mode, asked.scope) == ("shadow", "pooled")
    assert ran.code == 0
    assert "1 (33.3%)" in ran.out
    assert "1 of 3 requests" in ran.err


def test_a_bill_is_read_exactly_and_compared_by_request(otari: Otari, operations: FakeOperations) -> None:
    ran = otari(
        *("reconcile", bill("request_id,cost_usd,model\na,0.0000000011,m\nb,1.2E-05,m\na,$0.5,m\n")),
        *("--provider", "up", "--tolerance", "0.01", "-o", "json"),
    )

    [asked] = operations.asked
    lines = (BilledLine("500000002", "a", "m"), BilledLine("12000", "b", "m"))
    assert asked == Reconcile("up", lines, "0.01", allow_debits=False)
    assert (ran.code, json.loads(ran.out)["differing"]) == (5, 1)


@pytest.mark.parametrize(
    ("text", "columns", "model", "day"),
    [
        ("start_time_iso,amount_value,line_item\n2026-11-22T00:00:00+00:00,1,gpt\n", (), "gpt", "2026-11-22"),
        ("\ufeffstart_time,amount_value,line_item\n1763769600,1,gpt\n", (), "gpt", "2025-11-22"),
        ("usage_date_utc,model,cost_usd\n2026-11-22,claude,1\n", (), "claude", "2026-11-22"),
        ("when,what,paid\n2026-11-22,x,1\n", ("day=when", "model=what", "cost=paid"), "x", "2026-11-22"),
    ],
)
def test_the_usual_exports_are_understood(
    otari: Otari, operations: FakeOperations, text: str, columns: tuple[str, ...], model: str, day: str
) -> None:
    named = [part for column in columns for part in ("--column", column)]

    otari("reconcile", bill(text), "--provider", "up", *named)

    assert operations.asked == [Reconcile("up", (BilledLine("1000000000", None, model, day),), "0")]


def test_a_long_bill_goes_piece_by_piece(otari: Otari, operations: FakeOperations) -> None:
    rows = "".join(f"r{number},0.001\n" for number in range(4_500))

    otari("reconcile", bill("request_id,cost\n" + rows), "--provider", "up")

    assert [len(asked.lines) for asked in operations.asked] == [2_000, 2_000, 500]  # type: ignore[attr-defined]


def test_a_correction_leaves_nothing_to_say(otari: Otari, operations: FakeOperations) -> None:
    ran = otari("reconcile", bill("request_id,cost\na,1\n"), "--provider", "up", "--apply", "--yes")

    assert (ran.code, [dry for _, _, dry in operations.writes]) == (0, [False])
    assert "1 correction made" in ran.err


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", 2, "no column with a cost"),
        ("model,day\na,b\n", 2, "no column with a cost"),
        ("cost\n1\n", 2, "neither requests"),
        ("request_id,cost\na,NaN\n", 1, "line 2 has no amount"),
        ("request_id,cost\na,1e999\n", 1, "line 2 has no amount"),
        ("request_id,cost\na,0.0000000000000000001\n", 1, "line 2 has no amount"),
        ("model,day,cost\na,soon,1\n", 1, "line 2 has no day"),
        ("request_id,cost\n,1\n", 1, "line 2 names neither"),
        ('request_id,cost\n"a,1\n', 1, "is not CSV"),
    ],
)
def test_a_file_that_is_no_bill_is_told_so(
    otari: Otari, operations: FakeOperations, text: str, code: int, said: str
) -> None:
    ran = otari("reconcile", bill(text), "--provider", "up")

    assert (ran.code, operations.asked) == (code, [])
    assert said in ran.err


def test_a_file_that_is_not_there_and_a_column_that_is_not(otari: Otari) -> None:
    assert otari("reconcile", "no.csv", "--provider", "up").code == 4
    file = bill("request_id,cost\na,1\n")
    assert otari("reconcile", file, "--provider", "up", "--column", "cost=price").code == 2
    assert otari("reconcile", file, "--provider", "up", "--column", "price=cost").code == 2


def test_the_proof_as_json(otari: Otari) -> None:
    assert json.loads(otari("ledger", "verify", "--json").out)["ok"] is True


def test_holds_of_one_key(otari: Otari) -> None:
    assert "req_2" in otari("holds", "--key", "ci").out
    assert otari("holds", "--key", "other").err == "nothing is held\n"
