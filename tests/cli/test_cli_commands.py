"""What each command asks, prints and ends with."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from otari_daemon.protocol.messages import (
    UNSET,
    BudgetAssign,
    BudgetCreate,
    BudgetUpdate,
    Finding,
    KeyCreate,
    UserCreate,
    UserUpdate,
    VerifyReport,
)
from tests.admin.fake_operations import LEDGER_DOWN, ROW, SECRET, FakeOperations
from tests.cli.conftest import Otari


@pytest.fixture
def stocked(otari: Otari) -> Otari:
    """A daemon with a key, a user and a budget that the key is under."""
    otari("keys", "create", "ci", "--user", "ana")
    otari("users", "create", "ana")
    otari("budgets", "create", "team", "5/day")
    otari("budgets", "assign", "team", "key:ci")
    return otari


def test_a_new_keys_secret_is_alone_on_standard_output(otari: Otari, operations: FakeOperations) -> None:
    ran = otari(
        "keys", "create", "ci", "--budget", "5/day", "--model", "a:b", "--model", "c:*", "--user", "ana"
    )

    assert (ran.code, ran.out) == (0, SECRET + "\n")
    assert "not shown again" in ran.err
    assert SECRET not in ran.err
    assert operations.asked == [KeyCreate("ci", "ana", None, {}, ("a:b", "c:*"), "5/day")]


def test_a_new_key_as_json_is_the_whole_object(otari: Otari) -> None:
    made = json.loads(otari("keys", "create", "ci", "-o", "json").out)

    assert (made["key"], made["key_name"], made["id"]) == (SECRET, "ci", "k_1")


def test_a_dry_run_has_no_secret_and_says_so(otari: Otari, operations: FakeOperations) -> None:
    ran = otari("keys", "create", "ci", "--dry-run", "--reason", "a look")

    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "dry run, nothing changed: created ci (k_1)\n"
    [(_, actor, dry_run)] = operations.writes
    assert (actor.reason, dry_run, operations.keys_by_id) == ("a look", True, {})


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (("keys", "list"), 0, "ci"),
        (("keys", "show", "ci"), 0, "active"),
        (("keys", "show", "none"), 4, "there is nothing called none"),
        (("keys", "create", "ci"), 5, "there is a key named ci"),
        (("keys", "create", "x", "--budget", "nothing"), 2, "budget is neither"),
        (("keys", "create", "x", "--expires", "soon"), 2, "--expires must be a duration or a time"),
        (("keys", "revoke", "ci"), 2, "--yes"),
        (("keys", "revoke", "ci", "--yes"), 0, "revoked ci"),
        (("keys", "revoke", "ci", "--dry-run"), 0, "dry run, nothing changed: revoked ci"),
        (("keys", "rotate", "ci", "-y"), 0, SECRET),
        (("users", "list"), 0, "ana"),
        (("users", "show", "ana"), 0, "active"),
        (("users", "block", "ana", "--yes"), 0, "blocked ana"),
        (("users", "unblock", "ana"), 0, "unblocked ana"),
        (("users", "delete", "ana"), 2, "--yes"),
        (("users", "delete", "ana", "--yes"), 0, "deleted ana"),
        (("budgets", "list"), 0, "key:ci"),
        (("budgets", "show", "team"), 0, "$1.25"),
        (("budgets", "create", "x", "a/b"), 2, "the limit must be"),
        (("budgets", "assign", "team", "ci"), 2, "a holder is key:NAME"),
        (("budgets", "assign", "team", "global:x"), 2, "a holder is key:NAME"),
        (("budgets", "assign", "team", "key:"), 2, "a holder is key:NAME"),
        (("budgets", "unassign", "team", "key:ci", "--yes"), 0, "is not under team now"),
        (("budgets", "set", "team"), 2, "needs something to change"),
        (("budgets", "set", "team", "--limit", "8"), 0, "changed team"),
        (("budgets", "delete", "team", "--yes"), 5, "has holders"),
        (("budgets", "acknowledge", "team"), 0, "admits again"),
        (("pricing", "set", "up:a/b", "--input", "3", "--output", "15", "-o", "json"), 0, '"up:a/b"'),
        (("pricing", "list"), 0, "up:a/b"),
        (("pricing", "show", "up:a/b"), 0, "$15.00"),
        (("pricing", "history", "none"), 4, "not found"),
        (("pricing", "delete", "up:a/b", "--yes"), 0, "deleted all prices"),
        (("explain", "req_1"), 0, "$0.012471"),
        (("explain", "req_0"), 4, "not in the books"),
        (("explain", "--refused", "--since", "1h"), 0, "budget_exceeded"),
        (("explain",), 2, "takes a request id"),
        (("usage",), 0, "$0.0186"),
        (("usage", "--by", "key"), 0, "$0.0558"),
        (("usage", "--by", "key", "--spark"), 0, "$0.0558"),
        (("usage", "--by", "day", "--spark"), 2, "--spark"),
        (("usage", "--forecast"), 0, "$3.00"),
        (("usage", "cost:>cheap"), 2, "cost:"),
        (("usage", "--format", "focus"), 2, "csv, json or jsonl"),
        (("ledger", "rebuild"), 0, "built anew in 12ms"),
        (("usage", "--limit", "0"), 2, "--limit"),
        (("tail",), 0, "req_1"),
        (("tail", "-f", "-o", "csv"), 2, "table or jsonl"),
        (("holds",), 0, "req_2"),
        (("ledger", "verify"), 0, "ok: 9 holds and 2 balances in 12ms"),
        (("models",), 0, "mock:echo"),
        (("status",), 0, "127.0.0.1:8000"),
        (("version",), 0, "0.1.0"),
        (("--version",), 0, "otari 0.1.0"),
        (("chat", "hi"), 2, "OTARI_KEY"),
        (("keyz",), 2, "Did you mean 'keys'?"),
        (("keys", "list", "-o", "xml"), 2, "xml"),
    ],
)
def test_what_a_command_says_and_how_it_ends(
    stocked: Otari, argv: tuple[str, ...], code: int, says: str
) -> None:
    ran = stocked(*argv)

    assert (ran.code, says in ran.out + ran.err) == (code, True), ran
    if code:
        assert ran.out == ""
        assert ran.err.startswith("otari: ")


def test_what_is_asked_is_what_was_meant(stocked: Otari, operations: FakeOperations) -> None:
    stocked("users", "block", "ana", "--yes")
    stocked("budgets", "create", "week", "50.5/week@Europe/Oslo", "--mode", "shadow", "--pooled")
    stocked("budgets", "set", "team", "--limit", "8")
    stocked("budgets", "set", "team", "--limit", "8/30d", "--name", "crew")
    stocked("budgets", "assign", "team", "global")
    stocked("users", "create", "bob", "--alias", "Bob", "--budget", "1/day")

    assert operations.asked[-6:] == [
        UserUpdate(blocked=True),
        BudgetCreate("week", "50.5", "week", "Europe/Oslo", "shadow", "pooled"),
        BudgetUpdate(max_budget="8"),
        BudgetUpdate(name="crew", max_budget="8", per="30d", time_zone=None),
        BudgetAssign("global"),
        UserCreate("bob", alias="Bob", budget="1/day"),
    ]
    assert BudgetUpdate().per is UNSET


def test_usage_asks_for_a_window_and_a_key(otari: Otari, operations: FakeOperations) -> None:
    otari(
        "usage",
        "--since",
        "2026-11-01",
        "--until",
        "2026-11-02T00:00:00+02:00",
        "--key",
        "ci",
        "--limit",
        "5",
    )

    [query] = operations.queries
    assert (query.since, query.until) == ("2026-11-01T00:00:00.000Z", "2026-11-01T22:00:00.000Z")
    assert (query.key, query.limit) == ("ci", 5)


def test_usage_reads_as_many_pages_as_it_takes(otari: Otari, operations: FakeOperations) -> None:
    operations.rows = [replace(ROW, request_id=f"req_{n}") for n in range(2500)]

    ran = otari("usage", "--limit", "2200", "-o", "jsonl")

    assert [json.loads(line)["request_id"] for line in ran.out.splitlines()] == [
        f"req_{n}" for n in range(2200)
    ]
    assert [query.limit for query in operations.queries] == [1000, 1000, 200]


def test_lists_are_read_to_their_end(otari: Otari, operations: FakeOperations) -> None:
    otari("users", "create", "u0")
    operations.users_by_id |= {
        f"u{n}": replace(operations.users_by_id["u0"], user_id=f"u{n}") for n in range(1, 1500)
    }

    assert len(json.loads(otari("users", "list", "-o", "json").out)) == 1500


def test_books_that_are_off_end_in_1_and_name_the_row(otari: Otari, operations: FakeOperations) -> None:
    operations.report = VerifyReport(False, 9, 2, 12, (Finding("hold 7", "balance", "held 1, rows say 2"),))

    ran = otari("ledger", "verify")

    assert ran.code == 1
    assert "hold 7" in ran.out
    assert "1 finding:" in ran.err


def test_status_ends_in_1_when_the_ledger_cannot_be_written(otari: Otari, operations: FakeOperations) -> None:
    operations.state = replace(operations.state, ledger_available=False, ledger_backlog=3)

    ran = otari("status")

    assert ran.code == 1
    assert "UNAVAILABLE" in ran.out


def test_status_tells_of_the_last_audit_and_of_leaked_holds(otari: Otari, operations: FakeOperations) -> None:
    before = otari("status")
    operations.state = replace(operations.state, audits=3, audited_s_ago=5.0, hold_leaks=2)

    after = otari("status")

    assert (before.code, after.code) == (0, 0)
    assert "not audited yet" in before.out
    assert "audited 5" in after.out
    assert "2 holds LEAKED" in after.out


def test_a_daemon_that_cannot_is_a_failure(otari: Otari, operations: FakeOperations) -> None:
    operations.broken = LEDGER_DOWN

    assert otari("users", "create", "ana").code == 1
    assert otari("status").err == f"otari: {LEDGER_DOWN.message}\n"
