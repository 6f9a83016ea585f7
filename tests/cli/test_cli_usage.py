"""`otari usage`: terms of a filter in any place, and its own commands beneath it."""

from __future__ import annotations

import pytest

from otari_daemon.protocol.messages import ReportQuery, Reprice, UsageQuery
from tests.admin.fake_operations import FakeOperations
from tests.cli.conftest import Otari


@pytest.mark.parametrize(
    "argv",
    [
        ("user:ana", "--by", "day", "model:gpt-*"),
        ("--by", "day", "user:ana", "model:gpt-*"),
        ("user:ana", "model:gpt-*", "--by=day"),
    ],
)
def test_terms_stand_before_between_and_after_options(
    otari: Otari, operations: FakeOperations, argv: tuple[str, ...]
) -> None:
    assert otari("usage", *argv).code == 0

    (asked,) = operations.asked
    assert isinstance(asked, ReportQuery)
    assert (asked.by, asked.where) == ("day", "user:ana model:gpt-*")


def test_terms_narrow_the_list_of_requests(otari: Otari, operations: FakeOperations) -> None:
    assert "req_1" in otari("usage", "status:>=400", "--user", "ana").out

    (asked,) = operations.queries
    assert isinstance(asked, UsageQuery)
    assert asked.where == "status:>=400 user:ana"


def test_a_first_word_that_is_a_command_is_no_term(otari: Otari, operations: FakeOperations) -> None:
    assert otari("usage", "reprice", "--since", "2026-11-01").code == 0

    (asked,) = operations.asked
    assert isinstance(asked, Reprice)
    assert asked.since is not None


def test_a_word_that_is_neither_a_term_nor_first_is_refused(otari: Otari, operations: FakeOperations) -> None:
    for argv in (("mood",), ("user:ana", "reprice"), ("--by", "key", "reprice")):
        ran = otari("usage", *argv)
        assert (ran.code, "a term reads field:value" in ran.err) == (2, True)
    assert (operations.asked, operations.writes) == ([], [])


def test_help_names_terms_and_commands(otari: Otari) -> None:
    shown = otari("usage", "--help").out

    assert "FILTER" in shown.splitlines()[0]
    assert "reprice" in shown
