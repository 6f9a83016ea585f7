"""Every end of a request explains itself: each reason, each code, and a request that is still running."""

from __future__ import annotations

import pytest

from otari_daemon.control.operations.verdicts import REFUSED, SETTLED, refused
from otari_daemon.control.plane import Ending
from otari_daemon.domain import errors
from otari_daemon.domain.errors import GatewayError
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.protocol.messages import KeyCreate
from tests.control.world import ACTOR, CHAT, WAIT_S, World
from tests.e2e.explained import in_words

SEEN = {
    Reason.USAGE: Consumption(Usage(input=100, cache_read=30, output=40, reasoning=5, requests=1)),
    Reason.REFUSED: Consumption(),
    Reason.UNSENT: Consumption(),
}
KINDS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, GatewayError)]
CODES = sorted({(kind.code, kind.status) for kind in KINDS})


@pytest.mark.parametrize("reason", [each for each in Reason if each is not Reason.CRASH])
async def test_every_way_a_request_ends_is_explained_in_money(world: World, reason: Reason) -> None:
    made = await world.ops.create_key(KeyCreate("ci", budget="5/day"), ACTOR, dry_run=False)
    await world.spend(made.key, 100)
    world.clock.ms += 5
    admission = await world.admit(made.key, 400)
    ending = Ending(
        reason, SEEN.get(reason, Consumption(generated_tokens=20)), 200, provider_ref="req_theirs"
    )
    assert await world.plane.settle(admission, ending).wait(WAIT_S)

    told = await world.ops.explain(admission.request_id)

    in_words(told)
    assert told.charge is not None
    assert (told.state, told.reason, told.why) == ("settled", reason.name.lower(), SETTLED[reason].why)
    assert told.net_usd == told.charge.cost_usd
    (ceiling,) = told.ceilings
    assert (ceiling.room_before_usd, ceiling.room_after_usd) == ("4.9999", "4.9995")
    assert told.provider_request_id == "req_theirs"


async def test_a_request_that_runs_is_explained(world: World) -> None:
    made = await world.ops.create_key(KeyCreate("ci", budget="5/day"), ACTOR, dry_run=False)
    admission = await world.admit(made.key, 400)

    told = await world.ops.explain(admission.request_id)

    in_words(told)
    assert (told.state, told.charge, told.net_usd) == ("open", None, None)
    await world.settle(admission, 1)


@pytest.mark.parametrize(("code", "status"), CODES)
async def test_every_code_is_explained(world: World, code: str, status: int) -> None:
    request_id, error = world.name_request(), GatewayError("it was not to be")
    error.code, error.status = code, status
    world.plane._notes.refusal(None, request_id, CHAT, error)

    told, (group,) = await world.ops.explain(request_id), await world.ops.refusals(None)

    in_words(told)
    assert told.refusal is not None
    assert (told.state, told.reason, told.refusal.message) == ("refused", code, "it was not to be")
    assert "nothing is charged" in told.why
    assert (group.why, group.advice) == tuple(refused(code, status))
    assert told.advice == group.advice


def test_every_code_we_raise_before_asking_a_provider_has_words_of_its_own() -> None:
    assert {code for code, _ in CODES} - REFUSED.keys() == {"upstream_error"}


@pytest.mark.parametrize(("status", "word"), [(418, "may not be made"), (599, "could not take it")])
def test_a_code_of_later_still_has_words(status: int, word: str) -> None:
    assert word in refused("a_code_of_later", status).why
