"""Limits on the command line: set, changed, left to the configuration, shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otari_daemon.protocol.messages import InFlight, KeyCreate, KeyUpdate, LimitUse, UserCreate, UserUpdate
from tests.admin.fake_operations import FakeOperations
from tests.cli.conftest import Otari

USES = (LimitUse("key:ci", "rpm", 60, 41, "own"), LimitUse("global", "tpm", 200_000, 88_410, "config"))


def test_limits_are_given_to_new_keys_and_users(otari: Otari, operations: FakeOperations) -> None:
    otari("keys", "create", "ci", "--rpm", "60", "--tpm", "100000", "--max-parallel", "4")
    otari("users", "create", "ana", "--rpm", "5")

    assert operations.asked == [
        KeyCreate("ci", rpm=60, tpm=100_000, max_parallel=4),
        UserCreate("ana", rpm=5),
    ]


def test_an_update_mentions_only_what_is_given_and_default_takes_a_limit_off(
    otari: Otari, operations: FakeOperations
) -> None:
    otari("keys", "create", "ci")
    otari("users", "create", "ana")

    assert otari("keys", "update", "ci", "--rpm", "60", "--tpm", "default").code == 0
    assert otari("users", "update", "ana", "--max-parallel", "2").err == "updated ana\n"

    assert operations.asked[2:] == [KeyUpdate(rpm=60, tpm=None), UserUpdate(max_parallel=2)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "nothing to change: give --rpm, --tpm or --max-parallel"),
        (("--max-parallel", "0"), "--max-parallel must be a whole number from 1 on, or 'default'"),
        (("--rpm", "many"), "--rpm must be a whole number"),
        (("--rpm", "9" * 19), "--rpm must be a whole number"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(
    otari: Otari, operations: FakeOperations, options: tuple[str, ...], said: str
) -> None:
    otari("keys", "create", "ci")

    ran = otari("keys", "update", "ci", *options)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert len(operations.writes) == 1


def test_show_tells_how_limits_stand(otari: Otari, operations: FakeOperations) -> None:
    otari("keys", "create", "ci")
    operations.keys_by_id["k_1"] = replace(operations.keys_by_id["k_1"], limits=USES)

    shown = otari("keys", "show", "ci").out.splitlines()

    assert [line.split() for line in shown[-3:]] == [
        ["LIMIT", "HOLDER", "USED", "OF", "SET"],
        ["rpm", "key:ci", "41", "60", "own"],
        ["tpm", "global", "88.4k", "200.0k", "config"],
    ]


def test_status_names_the_busiest(otari: Otari, operations: FakeOperations) -> None:
    assert "busiest    nobody" in otari("status").out

    operations.state = replace(operations.state, busiest=(InFlight("user:ana", 3), InFlight("key:ci", 2)))

    assert "busiest    user:ana 3, key:ci 2" in otari("status").out
