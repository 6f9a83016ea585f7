"""Classes of use, and what they sum to."""

from __future__ import annotations

from otari_daemon.domain.usage import NOTHING, UNITS_MAX, Usage

EACH = Usage(1, 20, 300, 4_000, 50_000, 600_000, 7_000_000, 80_000_000, 900_000_000, 10_000_000_000)


def test_prompt_tokens_are_those_of_four_classes_and_generated_ones_of_three() -> None:
    assert EACH.input_tokens == 600_321
    assert EACH.output_tokens == 7_054_000


def test_nothing_is_nothing_of_every_class() -> None:
    assert Usage(*[0] * len(Usage._fields)) == NOTHING
    assert (NOTHING.input_tokens, NOTHING.output_tokens) == (0, 0)


def test_a_request_beyond_two_thousand_million_units_is_not_believed() -> None:
    assert UNITS_MAX == 2_147_483_648
