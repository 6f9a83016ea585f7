"""Where each question is asked."""

from __future__ import annotations

from urllib.parse import quote

PROTOCOL_VERSION = "1"
PROTOCOL_HEADER = "Otari-Protocol"
CURSOR_HEADER = "Otari-Next-Cursor"
HOST = "otari"
"""What a client of the admin socket puts into `Host`."""

KEYS = "/v1/keys"
KEY = "/v1/keys/{id}"
KEY_ROTATE = "/v1/keys/{id}/rotate"
KEY_REVOKE = "/v1/keys/{id}/revoke"
USERS = "/v1/users"
USER = "/v1/users/{id}"
BUDGETS = "/v1/budgets"
BUDGET = "/v1/budgets/{id}"
BUDGET_ASSIGNMENTS = "/v1/budgets/{id}/assignments"
BUDGET_ACKNOWLEDGE = "/v1/budgets/{id}/acknowledge"
BUDGET_RAISES = "/v1/budgets/{id}/raises"
USAGE = "/v1/usage"
USAGE_SUMMARY = "/v1/usage/summary"
USAGE_REPRICE = "/v1/usage/reprice"
BUDGET_SIMULATE = "/simulate"
RECONCILE = "/reconcile"
MODELS = "/v1/models"
PRICES = "/v1/pricing"
PRICE = "/v1/pricing/{id}"
PRICE_HISTORY = "/v1/pricing/{id}/history"
PRICE_SUGGESTIONS = "/pricing/suggestions"
HOLDS = "/holds"
EXPLAIN = "/explain/{id}"
REFUSALS = "/refusals"
WATCHED = "/refusals/watched"
FREEZES = "/freezes"
STATUS = "/status"
LEDGER_VERIFY = "/ledger/verify"
EVENTS = "/events"
SHUTDOWN = "/shutdown"


def at(route: str, id: str) -> str:
    """Fill an id or name into a route; a slash inside it stays part of it."""
    return route.replace("{id}", quote(id, safe=""))
