"""What the holder of a key may know: itself, its budgets, and its own requests; never anybody else's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from otari_daemon.control.operations.account_views import entry, ledger_of, summed
from otari_daemon.control.operations.ceilings import drawn_on, holder_text, use
from otari_daemon.control.operations.desk import Desk
from otari_daemon.control.operations.limits import key_uses
from otari_daemon.control.operations.reports import HOURLY_DAYS_MAX, Reporter
from otari_daemon.control.operations.usage import UsageReader
from otari_daemon.control.operations.views import maybe_time
from otari_daemon.control.plane import Caller, ControlPlane
from otari_daemon.domain.errors import InvalidField
from otari_daemon.domain.grains import DAY_MS, Grain
from otari_daemon.domain.limits import KEY
from otari_daemon.protocol import codec
from otari_daemon.protocol.messages import UsageQuery
from otari_daemon.store.cells import Series
from otari_daemon.store.reports import Group, Question, gather
from otari_daemon.telemetry.clock import rfc3339

ME = "/v1/me"
USAGE = "/v1/usage"
SUMMARY = "/v1/usage/summary"
PAGE_MAX = 200
PAGE = 100

Shown = dict[str, object]
Params = Mapping[str, str]
ListModels = Callable[[bytes, str], Awaitable[list[Shown]]]

_BUCKETS = {"hour": Grain.HOUR, "day": Grain.DAY}
_NAMES = {"start_date": "since", "end_date": "until"}
_PAGED = frozenset({"start_date", "end_date", "model", "provider", "where", "cursor", "limit"})
_SUMMED = frozenset({"start_date", "end_date", "bucket"})


class Account:
    """Answers a key's own questions; each begins by asking the control plane whose they are."""

    def __init__(self, desk: Desk, plane: ControlPlane, models_of: ListModels) -> None:
        self._desk = desk
        self._plane = plane
        self._models_of = models_of

    async def me(self, credential: bytes, request_id: str) -> Shown:
        """The key, its user, what is left of its budgets, its limits and its models."""
        caller = await self._plane.authenticate(credential, request_id, ME)
        key, user = caller.seat.key, caller.seat.user
        models = await self._models_of(credential, request_id)
        return {
            "object": "account",
            "key": {
                "id": key.id,
                "name": key.name or None,
                "prefix": key.prefix,
                "created_at": rfc3339(key.created_ms),
                "expires_at": maybe_time(key.expires_ms),
                "allowed_models": key.models,
            },
            "user": {"user_id": user.id, "alias": user.alias, "blocked": user.blocked},
            "budgets": self._budgets(caller),
            "limits": [codec.dump(each) for each in key_uses(self._desk, key, caller.seat.key_caps)],
            "requests_in_flight": self._desk.ledger.meters.slots.of((KEY, key.id)),
            "models": [model["id"] for model in models],
        }

    async def usage(
        self, credential: bytes, request_id: str, params: Params
    ) -> tuple[list[Shown], str | None]:
        """The key's own settled requests, newest first, and the cursor of the next page."""
        caller = await self._plane.authenticate(credential, request_id, USAGE)
        asked = {_NAMES.get(name, name): value for name, value in _only(params, _PAGED).items()}
        given: dict[str, object] = {**asked, "limit": _limit(params.get("limit")), "key": caller.key_id}
        model = given.pop("model", None)
        query = replace(codec.accept(UsageQuery, given), where=_where(params.get("where"), model))
        page = await UsageReader(self._desk).page_of(caller.key_id, query)
        return [entry(row) for row in page.rows], page.next_cursor

    async def summary(self, credential: bytes, request_id: str, params: Params) -> Shown:
        """What the key's own requests of a span add up to, in all and by day or hour."""
        caller = await self._plane.authenticate(credential, request_id, SUMMARY)
        asked, key_id = _only(params, _SUMMED), caller.key_id
        bucket = asked.get("bucket", "day")
        if bucket not in _BUCKETS:
            raise InvalidField("bucket must be hour or day", param="bucket")
        since_ms, until_ms = Reporter(self._desk).span(asked.get("start_date"), asked.get("end_date"))
        if bucket == "hour" and until_ms - since_ms > HOURLY_DAYS_MAX * DAY_MS:
            raise InvalidField(f"by hour spans at most {HOURLY_DAYS_MAX} days", param="bucket")

        def own(series: Series) -> Group | None:
            return (series.model, series.provider, series.endpoint) if series.key_id == key_id else None

        found = await self._desk.read(gather, Question(since_ms, until_ms, own, _BUCKETS[bucket]))
        span = {"start_date": rfc3339(since_ms), "end_date": rfc3339(until_ms), "bucket": bucket}
        return {**span, **summed(found)}

    def _budgets(self, caller: Caller) -> list[Shown]:
        desk, now_ms = self._desk, self._desk.clock.now_ms()
        ceilings = desk.ceilings
        drawn = ceilings.of_holders(*drawn_on(caller.key_id, caller.user_id))
        uses = (
            use(ceilings.accounts[each.account_id], holder_text(each.holder, desk.seats.name_of), now_ms)
            for each in drawn
        )
        return [ledger_of(each) for each in uses]


def _only(params: Params, known: frozenset[str]) -> Params:
    for name in params:
        if name not in known:
            raise InvalidField(
                f"{name[:64]!r} is not a parameter here; there are {', '.join(sorted(known))}", param=name
            )
    return params


def _limit(text: str | None) -> int:
    if text is None:
        return PAGE
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= number <= PAGE_MAX:
        raise InvalidField(f"limit must be a whole number from 1 to {PAGE_MAX}", param="limit")
    return number


def _where(where: str | None, model: Any) -> str | None:
    """A filter, narrowed to a model by its canonical or its bare name."""
    if model is None:
        return where
    import shlex

    named = shlex.quote(f"model:{model},*:{model}")
    return f"{where} {named}" if where else named
