"""What is stored of a request keeps its meaning: reasons by number, ids by form, absence by zero."""

from __future__ import annotations

import pytest

from otari_daemon.domain.pricing import Price, Rates
from otari_daemon.domain.records import Facts, Outcome, Reason, request_id_of, rid_of
from otari_daemon.domain.usage import NOTHING

STORED = {
    "USAGE": 1, "ESTIMATED": 2, "USAGE_INVALID": 3, "CLIENT_CUT": 4, "UPSTREAM_CUT": 5, "REFUSED": 6,
    "UNSENT": 7, "AMBIGUOUS": 8, "CRASH": 9, "WITHHELD": 10,
}  # fmt: skip


def test_the_reasons_have_the_numbers_that_databases_have() -> None:
    assert {name: Reason[name].value for name in STORED} == STORED
    assert len(set(Reason)) == len(Reason.__members__), "a number is used twice"


@pytest.mark.parametrize("rid", [bytes(16), bytes(range(16)), b"\xff" * 16])
def test_a_request_id_is_its_holds_id_in_hexadecimal(rid: bytes) -> None:
    assert request_id_of(rid) == "req_" + rid.hex()
    assert rid_of(request_id_of(rid)) == rid


def test_what_is_not_known_of_a_request_is_zero() -> None:
    price = Price("up:echo", Rates.of(), 0, "test")
    facts = Facts("key", "user", 1, "chat", "up:echo", "up", False, price, 5)
    ended = Outcome(Reason.UNSENT, 1)

    assert (facts.input_max, facts.output_max) == (0, 0)
    assert ended[2:] == (NOTHING, 0, 0, 0, None, "")
