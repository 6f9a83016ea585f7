"""Keys, users, budgets, prices and refusals: what goes in comes out, as values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otari_daemon.domain.budgets import EVERYBODY, Assignment, Holder, HolderKind
from otari_daemon.domain.keys import VirtualKey
from otari_daemon.domain.money import Nano
from otari_daemon.domain.pricing import Price, Rates
from otari_daemon.domain.users import User
from otari_daemon.domain.windows import Calendar, Every
from otari_daemon.store import budgets, keys, prices, refusals, users
from otari_daemon.store.keys import KeyUse, StoredKey
from otari_daemon.store.refusals import Refusal
from otari_daemon.store.store import Store
from tests.ledger.support import INTEGRITY, NOW_MS, budget

ANN = User("ann", NOW_MS, "Ann", metadata={"team": "red", "deep": {"a": [1, None]}})
KEY = VirtualKey(
    "k1", b"\x01" * 32, "gw-abcdefg", "ci", "ann", NOW_MS, NOW_MS + 5, None, ("openai:*", "mock:echo")
)
ALICE, BOB = Holder(HolderKind.USER, "alice"), Holder(HolderKind.USER, "bob")


async def test_a_key_comes_back_as_it_was_stored(store: Store) -> None:
    unlimited = VirtualKey("k0", b"\x02" * 32, "gw-bcdefgh", "any", "ann", NOW_MS - 1)
    await store.write(users.insert, ANN)

    await store.write(keys.insert, KEY, {"a": 1})
    await store.write(keys.insert, unlimited, {})

    assert await store.read(keys.everything) == [
        StoredKey(unlimited, None, {}),
        StoredKey(KEY, None, {"a": 1}),
    ]
    assert await store.read(keys.one, "k1") == StoredKey(KEY, None, {"a": 1})
    assert await store.read(keys.one, "k2") is None


async def test_a_key_needs_its_user_and_a_digest_of_its_own(store: Store) -> None:
    with pytest.raises(INTEGRITY):
        await store.write(keys.insert, KEY, {})
    await store.write(users.insert, ANN)
    await store.write(keys.insert, KEY, {})

    with pytest.raises(INTEGRITY):
        await store.write(keys.insert, replace(KEY, id="k2"), {})


async def test_a_key_is_changed_used_rotated_revoked_and_deleted(store: Store) -> None:
    await store.write(users.insert, ANN)
    await store.write(keys.insert, KEY, {})
    changed = replace(KEY, name="new", expires_ms=None, models=None)

    assert await store.write(keys.update, changed, {"b": 2})
    await store.write(keys.touch, [KeyUse(NOW_MS + 9, "k1"), KeyUse(NOW_MS + 3, "k1"), KeyUse(1, "gone")])
    used = await store.read(keys.one, "k1")
    assert await store.write(keys.rotate, "k1", b"\x09" * 32, "gw-zzzzzzz")
    assert await store.write(keys.revoke, "k1", NOW_MS + 20)
    revoked_again = await store.write(keys.revoke, "k1", NOW_MS + 30)
    rotated = await store.read(keys.one, "k1")
    deleted = [await store.write(keys.delete, "k1"), await store.write(keys.delete, "k1")]

    assert used == StoredKey(changed, NOW_MS + 9, {"b": 2})
    expected = replace(changed, digest=b"\x09" * 32, prefix="gw-zzzzzzz", revoked_ms=NOW_MS + 20)
    assert rotated == StoredKey(expected, None, {"b": 2})
    assert (revoked_again, deleted) == (False, [True, False])
    assert not await store.write(keys.update, changed, {})


async def test_a_user_is_changed_deleted_and_brought_back(store: Store) -> None:
    await store.write(users.insert, ANN)
    blocked = replace(ANN, alias=None, blocked=True, metadata={})

    assert await store.write(users.update, blocked)
    found = await store.read(users.one, "ann")
    assert await store.write(users.delete, "ann", NOW_MS + 1)
    refused = [await store.write(users.delete, "ann", NOW_MS + 2), await store.write(users.update, blocked)]
    deleted = await store.read(users.everything)
    back = replace(ANN, created_ms=NOW_MS + 5)
    await store.write(users.insert, back)

    assert (found, deleted) == (blocked, [replace(blocked, deleted_ms=NOW_MS + 1)])
    assert refused == [False, False]
    assert await store.read(users.everything) == [back]
    assert await store.read(users.one, "bob") is None


async def test_a_living_user_is_not_created_again(store: Store) -> None:
    await store.write(users.insert, ANN)

    with pytest.raises(INTEGRITY):
        await store.write(users.insert, replace(ANN, alias="other"))

    assert await store.read(users.everything) == [ANN]


async def test_budgets_keep_their_limit_window_and_mode(store: Store) -> None:
    every = replace(budget("every", 5, Every(60_000, NOW_MS), enforced=False), created_ms=NOW_MS + 1)
    monthly = replace(
        budget("monthly", None, Calendar("month", "Europe/Berlin")), pooled=True, created_ms=NOW_MS + 2
    )
    await store.write(budgets.insert, every)
    await store.write(budgets.insert, monthly)
    changed = replace(every, name="other", limit=Nano(9), window=Calendar("week"), enforced=True)

    assert await store.write(budgets.update, changed)
    assert not await store.write(budgets.update, replace(changed, id="nope"))

    assert await store.read(budgets.everything) == [budget("all", 10_000), changed, monthly]


async def test_holders_get_an_account_each_and_a_pool_shares_one(store: Store) -> None:
    await store.write(budgets.insert, budget("each", 5))
    await store.write(budgets.insert, replace(budget("pool", 5), pooled=True))

    made = [
        await store.write(budgets.assign, budget_id, holder, account_id, NOW_MS)
        for budget_id, holder, account_id in (
            ("each", ALICE, 10),
            ("each", BOB, 11),
            ("pool", ALICE, 12),
            ("pool", BOB, 13),
            ("each", ALICE, 14),
        )
    ]
    nothing = await store.write(budgets.assign, "nope", ALICE, 15, NOW_MS)

    accounts = [assignment.account_id for assignment in made if assignment is not None]
    assert (accounts, nothing) == ([10, 11, 12, 12, 10], None)
    found = await store.read(budgets.assignments)
    assert Assignment("all", EVERYBODY, 1) in found
    assert set(found) == {*(each for each in made if each is not None), Assignment("all", EVERYBODY, 1)}


async def test_a_holder_that_comes_back_finds_its_account(store: Store) -> None:
    await store.write(budgets.insert, budget("each", 5))
    await store.write(budgets.assign, "each", ALICE, 10, NOW_MS)

    taken_off = [await store.write(budgets.unassign, "each", ALICE) for _ in range(2)]
    back = await store.write(budgets.assign, "each", ALICE, 11, NOW_MS)

    assert taken_off == [True, False]
    assert back == Assignment("each", ALICE, 10)


async def test_a_budget_is_not_deleted_while_it_is_assigned(store: Store) -> None:
    in_the_way = await store.write(budgets.delete, "all", NOW_MS)
    still_there = await store.read(budgets.everything)
    await store.write(budgets.unassign, "all", EVERYBODY)

    assert await store.write(budgets.delete, "all", NOW_MS) == []

    assert (in_the_way, len(still_there)) == ([EVERYBODY], 1)
    assert await store.read(budgets.everything) == []
    assert await store.write(budgets.assign, "all", EVERYBODY, 2, NOW_MS) is None


async def test_prices_are_kept_by_model_and_moment(store: Store) -> None:
    old = Price("openai:gpt", Rates.of(input=1, output=2), 0, "operator", 1_000, 500)
    new = Price("openai:gpt", Rates(range(15)), NOW_MS, "operator")
    for price in (new, replace(old, source="x"), old):
        await store.write(prices.put, price, NOW_MS)

    assert await store.read(prices.everything) == [old, new]
    assert await store.write(prices.delete, "openai:gpt", 0)
    assert not await store.write(prices.delete, "openai:gpt", 0)
    assert await store.read(prices.everything) == [new]


async def test_refusals_are_a_ring_read_newest_first(store: Store) -> None:
    made = [
        Refusal(NOW_MS + n, f"r{n}", None if n % 2 else "k", "budget_exceeded", "no room") for n in range(10)
    ]

    await store.write(refusals.add, made[:7], 5)
    await store.write(refusals.add, made[7:], 5)

    page = await store.read(refusals.latest, 3)
    rest = await store.read(refusals.latest, 10, page[-1][0])
    assert [refusal for _, refusal in page + rest] == made[:4:-1]


async def test_text_with_quotes_dollars_and_nul_is_only_text(store: Store) -> None:
    nasty = "'; DROP TABLE user; -- $(open('/tmp/x','w')) %s \x00 ü"

    await store.write(users.insert, User(nasty, NOW_MS, nasty))

    found = await store.read(users.one, nasty)
    assert found is not None
    assert found.id == found.alias
    assert found.id in (nasty, nasty.replace("\0", "\ufffd"))  # PostgreSQL's text has no NUL
