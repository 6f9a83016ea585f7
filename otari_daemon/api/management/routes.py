"""What management there is on TCP, by path; who may reach it is `api.access`'s to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from otari_daemon.api import access
from otari_daemon.api.management.pricing import Price, Prices
from otari_daemon.api.management.usage import Usage, UsageSummary, UserUsage
from otari_daemon.config.schema import Config
from otari_daemon.config.views import shown
from otari_daemon.protocol import paths
from otari_daemon.protocol.messages import (
    BudgetCreate,
    BudgetUpdate,
    KeyCreate,
    KeyUpdate,
    ProviderInfo,
    UserCreate,
    UserUpdate,
)
from otari_daemon.rest.operations import Operations
from otari_daemon.rest.resources import Action, Collection, Member, Shown


def managed(do: Operations, config: Callable[[], Config]) -> Mapping[str, object]:
    """The resources, over operations and the configuration in force."""

    async def providers() -> tuple[ProviderInfo, ...]:
        return (await do.status()).providers

    async def aliases() -> list[dict[str, str]]:
        return [{"name": name, "target": to, "source": "config"} for name, to in config().aliases.items()]

    async def settings() -> dict[str, object]:
        return shown(config())

    return {
        paths.KEYS: Collection(KeyCreate, do.create_key, do.keys),
        paths.KEY: Member(do.key, KeyUpdate, do.update_key, do.delete_key),
        paths.KEY_ROTATE: Action(do.rotate_key),
        paths.USERS: Collection(UserCreate, do.create_user, do.users),
        paths.USER: Member(do.user, UserUpdate, do.update_user, do.delete_user),
        access.USER_USAGE: UserUsage(do),
        paths.BUDGETS: Collection(BudgetCreate, do.create_budget, do.budgets),
        paths.BUDGET: Member(do.budget, BudgetUpdate, do.update_budget, do.delete_budget),
        paths.PRICES: Prices(do),
        access.PRICE: Price(do),
        paths.USAGE: Usage(do),
        paths.USAGE_SUMMARY: UsageSummary(do),
        access.PROVIDERS: Shown(providers),
        access.ALIASES: Shown(aliases),
        access.SETTINGS: Shown(settings),
    }
