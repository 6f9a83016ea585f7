"""The routes of the operator's edge."""

from __future__ import annotations

import os
from collections.abc import Iterable

import falcon
import falcon.asgi
from falcon.asgi import Request, Response

from otari_daemon.admin import books, budgets, daemon, explain, ledger, media, pricing
from otari_daemon.admin.guard import Guard
from otari_daemon.admin.operations import Operations
from otari_daemon.admin.resources import Action, Collection, Member
from otari_daemon.domain.errors import GatewayError
from otari_daemon.protocol import paths
from otari_daemon.protocol.codec import FieldError
from otari_daemon.protocol.messages import (
    BudgetCreate,
    BudgetUpdate,
    KeyCreate,
    KeyUpdate,
    PriceSet,
    Reconcile,
    Reprice,
    UserCreate,
    UserUpdate,
)


def create_admin_app(operations: Operations, admin_uids: Iterable[int]) -> falcon.asgi.App[Request, Response]:
    """Build the application of the admin socket; root, the daemon's own user and `admin_uids` may use it.

    It needs `scope["otari.reader"]` with the peer's credentials, and answers 403 to everybody without.
    """
    app = falcon.asgi.App(middleware=[Guard({0, os.getuid(), *admin_uids})])
    app.add_error_handler(Exception, media.on_defect)
    app.add_error_handler(falcon.HTTPError, media.on_http_error)
    app.add_error_handler(FieldError, media.on_field_error)
    app.add_error_handler(GatewayError, media.on_gateway_error)
    for route, resource in {**_managed(operations), **_observed(operations)}.items():
        app.add_route(route, resource)
    return app


def _managed(do: Operations) -> dict[str, object]:
    """What can be made, changed and removed."""
    return {
        paths.KEYS: Collection(KeyCreate, do.create_key, do.keys),
        paths.KEY: Member(do.key, KeyUpdate, do.update_key, do.delete_key),
        paths.KEY_ROTATE: Action(do.rotate_key),
        paths.KEY_REVOKE: Action(do.revoke_key),
        paths.USERS: Collection(UserCreate, do.create_user, do.users),
        paths.USER: Member(do.user, UserUpdate, do.update_user, do.delete_user),
        paths.BUDGETS: Collection(BudgetCreate, do.create_budget, do.budgets),
        paths.BUDGET: Member(do.budget, BudgetUpdate, do.update_budget, do.delete_budget),
        paths.BUDGET_ASSIGNMENTS: ledger.Assignments(do),
        paths.BUDGET_ACKNOWLEDGE: Action(do.acknowledge_overage),
        paths.BUDGET_RAISES: budgets.Raises(do),
        paths.FREEZES: budgets.Freezes(do),
        paths.PRICES: Collection(PriceSet, do.set_price, do.prices),
        paths.PRICE: pricing.ModelPrice(do),
        paths.PRICE_HISTORY: pricing.PriceHistory(do),
        paths.PRICE_SUGGESTIONS: pricing.PriceSuggestions(do),
    }


def _observed(do: Operations) -> dict[str, object]:
    """What is looked at, and the daemon's own life."""
    return {
        paths.USAGE: ledger.Usage(do),
        paths.USAGE_SUMMARY: ledger.UsageSummary(do),
        paths.USAGE_REPRICE: books.Change(Reprice, do.reprice),
        paths.RECONCILE: books.Change(Reconcile, do.reconcile),
        paths.BUDGET_SIMULATE: books.Simulate(do),
        paths.EXPLAIN: explain.Explain(do),
        paths.REFUSALS: explain.Refusals(do),
        paths.WATCHED: explain.Watched(do),
        paths.HOLDS: ledger.Holds(do),
        paths.LEDGER_VERIFY: ledger.LedgerVerify(do),
        paths.STATUS: daemon.StatusResource(do),
        paths.MODELS: daemon.Models(do),
        paths.EVENTS: daemon.Events(do),
        paths.SHUTDOWN: daemon.Shutdown(do),
    }
