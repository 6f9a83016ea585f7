"""The daemon, as a command asks it: one method per question, over the admin socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from otari_cli import wire
from otari_cli.change import Change
from otari_cli.exits import AdminError, CliError
from otari_daemon.protocol import codec, paths
from otari_daemon.protocol import messages as m

T = TypeVar("T")
PAGE = 1000
ROWS_MAX = 100_000
"""No list is read further than this."""

ANSWER_S = 30.0
VERIFY_S = 3600.0
KEEPALIVE_S = 45.0
"""Three times the daemon's keepalive: a feed silent for longer is dead."""


class AdminClient:
    """Asks the daemon at a socket. Raises `Unreachable` or `AdminError`; nothing is tried twice."""

    def __init__(self, socket_path: str) -> None:
        self.socket_path = socket_path

    # Keys

    def create_key(self, new: m.KeyCreate, change: Change) -> m.KeyCreated:
        """Make a key; the answer holds its secret, which is shown this once."""
        return self._change("POST", paths.KEYS, m.KeyCreated, change, new)

    def keys(self) -> list[m.KeyInfo]:
        """Every key, revoked and expired ones too."""
        return self._list(m.KeyInfo, paths.KEYS)

    def key(self, id: str) -> m.KeyInfo:
        """One key, by id or name."""
        return self._get(m.KeyInfo, paths.at(paths.KEY, id))

    def update_key(self, id: str, update: m.KeyUpdate, change: Change) -> m.KeyInfo:
        """Change what the update mentions."""
        return self._change("PATCH", paths.at(paths.KEY, id), m.KeyInfo, change, update)

    def revoke_key(self, id: str, change: Change) -> m.KeyInfo:
        """Make a key unusable at once."""
        return self._change("POST", paths.at(paths.KEY_REVOKE, id), m.KeyInfo, change)

    def delete_key(self, id: str, change: Change) -> None:
        """Forget a key; its usage stays."""
        self._ask("DELETE", paths.at(paths.KEY, id), change.query())

    def rotate_key(self, id: str, change: Change) -> m.KeyCreated:
        """Replace a key's secret; the answer holds the new one."""
        return self._change("POST", paths.at(paths.KEY_ROTATE, id), m.KeyCreated, change)

    # Users

    def create_user(self, new: m.UserCreate, change: Change) -> m.UserInfo:
        """Make a user."""
        return self._change("POST", paths.USERS, m.UserInfo, change, new)

    def users(self) -> list[m.UserInfo]:
        """Every user that is not deleted."""
        return self._list(m.UserInfo, paths.USERS)

    def user(self, id: str) -> m.UserInfo:
        """One user, by id."""
        return self._get(m.UserInfo, paths.at(paths.USER, id))

    def update_user(self, id: str, update: m.UserUpdate, change: Change) -> m.UserInfo:
        """Change what the update mentions."""
        return self._change("PATCH", paths.at(paths.USER, id), m.UserInfo, change, update)

    def delete_user(self, id: str, change: Change) -> None:
        """Delete a user and revoke their keys."""
        self._ask("DELETE", paths.at(paths.USER, id), change.query())

    # Budgets

    def create_budget(self, new: m.BudgetCreate, change: Change) -> m.BudgetInfo:
        """Make a budget that nobody is under yet."""
        return self._change("POST", paths.BUDGETS, m.BudgetInfo, change, new)

    def budgets(self) -> list[m.BudgetInfo]:
        """Every budget, with its holders."""
        return self._list(m.BudgetInfo, paths.BUDGETS)

    def budget(self, id: str) -> m.BudgetInfo:
        """One budget, by id or name."""
        return self._get(m.BudgetInfo, paths.at(paths.BUDGET, id))

    def update_budget(self, id: str, update: m.BudgetUpdate, change: Change) -> m.BudgetInfo:
        """Change what the update mentions, for all holders."""
        return self._change("PATCH", paths.at(paths.BUDGET, id), m.BudgetInfo, change, update)

    def delete_budget(self, id: str, change: Change) -> None:
        """Delete a budget; a conflict while somebody is under it."""
        self._ask("DELETE", paths.at(paths.BUDGET, id), change.query())

    def assign_budget(self, id: str, holder: m.BudgetAssign, change: Change) -> m.BudgetInfo:
        """Put a holder under a budget."""
        return self._change("POST", paths.at(paths.BUDGET_ASSIGNMENTS, id), m.BudgetInfo, change, holder)

    def unassign_budget(self, id: str, holder: m.BudgetAssign, change: Change) -> m.BudgetInfo:
        """Take a holder out from under a budget."""
        query = change.query() | codec.dump(holder)
        return self._read(m.BudgetInfo, self._ask("DELETE", paths.at(paths.BUDGET_ASSIGNMENTS, id), query)[0])

    def acknowledge_budget(self, id: str, change: Change) -> m.BudgetInfo:
        """Let a budget with an overage admit again."""
        return self._change("POST", paths.at(paths.BUDGET_ACKNOWLEDGE, id), m.BudgetInfo, change)

    def raise_budget(self, id: str, new: m.BudgetRaise, change: Change) -> m.BudgetInfo:
        """Raise a budget until a moment."""
        return self._change("POST", paths.at(paths.BUDGET_RAISES, id), m.BudgetInfo, change, new)

    def end_raises(self, id: str, change: Change) -> m.BudgetInfo:
        """Take back every raise of a budget."""
        return self._change("DELETE", paths.at(paths.BUDGET_RAISES, id), m.BudgetInfo, change)

    # Freezes

    def freeze(self, new: m.FreezeCreate, change: Change) -> m.FreezeInfo:
        """Turn a key or a user away for a while."""
        return self._change("POST", paths.FREEZES, m.FreezeInfo, change, new)

    def unfreeze(self, holder: m.BudgetAssign, change: Change) -> None:
        """Let a key or a user in again."""
        self._ask("DELETE", paths.FREEZES, change.query() | codec.dump(holder))

    def freezes(self) -> list[m.FreezeInfo]:
        """Who is frozen."""
        return self._list(m.FreezeInfo, paths.FREEZES)

    # Prices

    def set_price(self, new: m.PriceSet, change: Change) -> m.PriceInfo:
        """Price a model from a moment on."""
        return self._change("POST", paths.PRICES, m.PriceInfo, change, new)

    def prices(self) -> list[m.PriceInfo]:
        """Every version that is stated, by model, newest first."""
        return self._list(m.PriceInfo, paths.PRICES)

    def price(self, model: str, as_of: str | None = None) -> m.PriceInfo:
        """What a model costs now, or at a moment."""
        found, _ = self._ask("GET", paths.at(paths.PRICE, model), {"as_of": as_of})
        return self._read(m.PriceInfo, found)

    def price_history(self, model: str) -> list[m.PriceInfo]:
        """The versions of one model, newest first."""
        return self._rows(m.PriceInfo, self._ask("GET", paths.at(paths.PRICE_HISTORY, model))[0])

    def price_suggestions(self, since: str | None) -> list[m.PriceSuggestion]:
        """Models whose price should be looked at, asked for since a moment."""
        return self._rows(m.PriceSuggestion, self._ask("GET", paths.PRICE_SUGGESTIONS, {"since": since})[0])

    def delete_price(self, model: str, effective_at: str | None, change: Change) -> None:
        """Remove one version of a model's price from the database, or all."""
        query = change.query() | {"effective_at": effective_at}
        self._ask("DELETE", paths.at(paths.PRICE, model), query)

    # Usage, the ledger, the daemon

    def explain(self, request_id: str) -> m.Explanation:
        """Why a request cost what it did, or why it was refused."""
        return self._get(m.Explanation, paths.at(paths.EXPLAIN, request_id))

    def refusals(self, since: str | None) -> list[m.RefusalGroup]:
        """What was refused since a moment, by code and budget."""
        return self._rows(m.RefusalGroup, self._ask("GET", paths.REFUSALS, {"since": since})[0])

    def watched(self, since: str | None) -> list[m.RefusalGroup]:
        """What budgets that only watch would have refused since a moment."""
        return self._rows(m.RefusalGroup, self._ask("GET", paths.WATCHED, {"since": since})[0])

    def usage(self, query: m.UsageQuery) -> m.UsagePage:
        """One page of at most `PAGE` rows."""
        found, cursor = self._ask("GET", paths.USAGE, codec.dump(query))
        return m.UsagePage(tuple(self._rows(m.UsageRow, found)), cursor)

    def usage_rows(self, query: m.UsageQuery) -> list[m.UsageRow]:
        """Up to `query.limit` rows, newest first, in as many pages as that takes."""
        rows: list[m.UsageRow] = []
        wanted, cursor = min(query.limit, ROWS_MAX), query.cursor
        while len(rows) < wanted:
            step = min(PAGE, wanted - len(rows))
            page = self.usage(replace(query, cursor=cursor, limit=step))
            rows += page.rows
            cursor = page.next_cursor
            if cursor is None or not page.rows:
                break
        return rows

    def usage_summary(self, by: str, query: m.UsageQuery) -> list[m.UsageSummaryRow]:
        """Settled requests added up by `key`, `user`, `model`, `provider` or `day`."""
        found, _ = self._ask("GET", paths.USAGE_SUMMARY, {"by": by} | codec.dump(query))
        return self._rows(m.UsageSummaryRow, found)

    def reprice(self, asked: m.Reprice, change: Change) -> m.RepriceReport:
        """Price settled requests again."""
        return self._long(paths.USAGE_REPRICE, m.RepriceReport, asked, change.query())

    def simulate_budget(self, asked: m.BudgetSimulate) -> m.Simulation:
        """What a budget would have done."""
        return self._long(paths.BUDGET_SIMULATE, m.Simulation, asked, {})

    def reconcile(self, asked: m.Reconcile, change: Change) -> m.ReconcileReport:
        """Compare a piece of a provider's bill with the books."""
        return self._long(paths.RECONCILE, m.ReconcileReport, asked, change.query())

    def holds(self) -> list[m.HoldInfo]:
        """What is held now, oldest first."""
        return self._rows(m.HoldInfo, self._ask("GET", paths.HOLDS)[0])

    def verify(self) -> m.VerifyReport:
        """Prove the books; a report with findings is an answer, not an error."""
        return self._read(m.VerifyReport, self._ask("POST", paths.LEDGER_VERIFY, timeout_s=VERIFY_S)[0])

    def models(self) -> list[m.ModelInfo]:
        """What can be asked for, with prices."""
        return self._rows(m.ModelInfo, self._ask("GET", paths.MODELS)[0])

    def status(self) -> m.Status:
        """How the daemon is."""
        return self._get(m.Status, paths.STATUS)

    def events(self, after: str | None) -> Iterator[m.Event]:
        """Follow what happens; the feed is open when this returns, and ends when the daemon does."""
        target = _target(paths.EVENTS, {"after": after})
        connection = wire.UnixConnection(self.socket_path, KEEPALIVE_S)
        response = wire.send(connection, "GET", target, {"Host": paths.HOST}, None)
        if response.status == 200:
            self._judge(response, b"")
            return wire.until_done(connection, response, self._events)
        with closing(connection), response:
            raise _refusal(response.status, wire.whole(response))

    def _events(self, response: wire.Response) -> Iterator[m.Event]:
        return (self._read(m.Event, _parse(event.data)) for event in wire.events(response))

    def _get(self, cls: type[T], path: str) -> T:
        return self._read(cls, self._ask("GET", path)[0])

    def _list(self, cls: type[T], path: str) -> list[T]:
        rows: list[T] = []
        while len(rows) < ROWS_MAX:
            found = self._rows(cls, self._ask("GET", path, {"skip": len(rows), "limit": PAGE})[0])
            rows += found
            if len(found) < PAGE:
                break
        return rows

    def _long(self, path: str, cls: type[T], asked: object, query: dict[str, object]) -> T:
        """Ask what takes reading the whole books."""
        return self._read(cls, self._ask("POST", path, query, asked, VERIFY_S)[0])

    def _change(self, method: str, path: str, cls: type[T], change: Change, body: object = None) -> T:
        return self._read(cls, self._ask(method, path, change.query(), body)[0])

    def _ask(
        self,
        method: str,
        path: str,
        query: dict[str, object] | None = None,
        body: object = None,
        timeout_s: float = ANSWER_S,
    ) -> tuple[Any, str | None]:
        """The answer's JSON, None where it has none, and the cursor of its next page."""
        headers = {"Host": paths.HOST, "Accept": "application/json"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(codec.dump(body)).encode()
        connection = wire.UnixConnection(self.socket_path, timeout_s)
        try:
            response = wire.send(connection, method, _target(path, query or {}), headers, data)
            answered = wire.whole(response)
            self._judge(response, answered)
            return (_parse(answered) if answered else None), response.headers.get(paths.CURSOR_HEADER)
        finally:
            connection.close()

    def _judge(self, response: wire.Response, answered: bytes) -> None:
        """Raise what the daemon said no with."""
        spoken = response.headers.get(paths.PROTOCOL_HEADER)
        if response.status < 400 and spoken != paths.PROTOCOL_VERSION:
            raise CliError(
                f"what answers at {self.socket_path} speaks admin protocol {spoken or 'none'}, "
                f"this command {paths.PROTOCOL_VERSION}",
                hint="run the `otari` that was installed with the daemon",
            )
        if response.status >= 400:
            raise _refusal(response.status, answered)

    def _rows(self, cls: type[T], found: Any) -> list[T]:
        if not isinstance(found, list):
            raise _unreadable("a list was expected")
        return [self._read(cls, row) for row in found]

    def _read(self, cls: type[T], found: Any) -> T:
        try:
            return codec.read(cls, found)
        except codec.FieldError as error:
            raise _unreadable(str(error)) from error


def _target(path: str, query: dict[str, object]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _refusal(status: int, answered: bytes) -> AdminError:
    """The daemon's problem; its front, which refuses before that, has the public edge's form."""
    try:
        found = _parse(answered)
        told = codec.read(m.Problem, found.get("error", found) if isinstance(found, dict) else found)
    except (CliError, codec.FieldError):
        return AdminError(f"http_{status}", f"the daemon answered {status}", status=status)
    return AdminError(told.code, told.message, status=status, hint=told.hint)


def _parse(text: bytes | str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable("it is not JSON") from error


def _unreadable(why: str) -> CliError:
    return CliError(
        f"the daemon's answer cannot be read: {why}", hint="daemon and command may be of different versions"
    )
