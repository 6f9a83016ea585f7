"""Admissions are linearizable; and the checker that says so can say otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.control.world import Entropy, HandClock, opened
from tests.e2e.machine import Machine
from tests.proofs.histories import recorded, recorded_over_http
from tests.proofs.linearizable import Call, Step, admitted, refused, released, unexplained


def call(began: int, ended: int, *steps: Step) -> Call:
    return Call(began, ended, steps)


def test_calls_that_overlap_may_have_happened_in_either_order() -> None:
    history = [call(0, 3, admitted(6)), call(1, 2, refused(6)), call(4, 5, refused(6))]

    assert unexplained(10, history) is None


def test_two_admissions_beyond_the_limit_have_no_order() -> None:
    assert unexplained(10, [call(0, 3, admitted(6)), call(1, 2, admitted(6))]) is not None


def test_a_refusal_with_room_has_no_order() -> None:
    early = call(0, 1, refused(6))

    assert unexplained(10, [early, call(2, 3, admitted(6))]) == early


def test_what_is_given_back_counts_only_once_it_may_have_happened() -> None:
    held, late = call(0, 1, admitted(10)), call(4, 5, released(10))

    assert unexplained(10, [held, call(2, 3, admitted(1)), late]) is not None
    assert unexplained(10, [held, call(2, 6, admitted(1)), late]) is None


def test_the_steps_of_one_call_keep_their_order() -> None:
    whole = (admitted(10), released(9))

    assert unexplained(10, [call(0, 3, *whole), call(1, 2, refused(5))]) is None
    assert unexplained(10, [call(0, 1, *whole), call(2, 3, refused(10))]) is None
    assert unexplained(10, [call(0, 1, *whole), call(2, 3, refused(9))]) is not None


async def test_eight_clients_of_the_control_plane_see_one_order(tmp_path: Path) -> None:
    async with opened(tmp_path / "lin.db", HandClock(), Entropy()) as world:
        histories = [await recorded(world, 800, seed) for seed in range(2)]

    assert all(history.sound for history in histories)
    assert all(history.refusals > 20 for history in histories)


async def test_a_forged_admission_in_a_real_history_is_found(tmp_path: Path) -> None:
    async with opened(tmp_path / "lin.db", HandClock(), Entropy()) as world:
        history = await recorded(world, 400, 3)

    refusal = next(at for at, call in enumerate(history.calls) if not call.steps[0].fitted)
    asked = history.calls[refusal].steps[0].asked
    forged = [*history.calls]
    forged[refusal] = history.calls[refusal]._replace(steps=(admitted(asked),))
    assert unexplained(history.limit, forged) is not None


@pytest.mark.e2e
@pytest.mark.slow
def test_eight_clients_over_http_see_one_order() -> None:
    machine = Machine()
    try:
        machine.start()
        history = recorded_over_http(machine, 400)
        machine.verified()
    finally:
        machine.stop()

    assert history.refusals > 20
    assert history.sound
