"""What the holder of a key may know: itself, its budgets, and what its own requests add up to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from otari_daemon.control.operations.account_views import ledger_of, summed
from otari_daemon.control.operations.ceilings import drawn_on, holder_text, use
from otari_daemon.control.operations.desk import Desk
from otari_daemon.control.operations.limits import key_uses
from otari_daemon.control.operations.reports import HOURLY_DAYS_MAX, Reporter
from otari_daemon.control.operations.views import maybe_time
from otari_daemon.control.plane import Caller
from otari_daemon.domain.errors import InvalidField
from otari_daemon.domain.grains import DAY_MS, Grain
from otari_daemon.domain.limits import KEY
from otari_daemon.protocol import codec
from otari_daemon.protocol.messages import Bucket
from otari_daemon.store.cells import Series
from otari_daemon.store.reports import Group, Question, gather
from otari_daemon.telemetry.clock import rfc3339

Shown = dict[str, object]
ListModels = Callable[[Caller | None], Awaitable[list[Shown]]]

_BUCKETS = {"hour": Grain.HOUR, "day": Grain.DAY, "month": Grain.MONTH}


class Account:
    """Answers the questions of a key about itself."""

    def __init__(self, desk: Desk, models_for: ListModels) -> None:
        self._desk = desk
        self._models_for = models_for

    async def me(self, caller: Caller) -> Shown:
        """The key, its user, what is left of its budgets, its limits and its models."""
        key, user = caller.seat.key, caller.seat.user
        models = await self._models_for(caller)
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

    async def series(self, key_id: str | None, bucket: Bucket, since: str | None, until: str | None) -> Shown:
        """What a key's requests of a span add up to (None: everybody's), in all and by bucket of time.

        Raises InvalidField.
        """
        since_ms, until_ms = Reporter(self._desk).span(since, until)
        if bucket == "hour" and until_ms - since_ms > HOURLY_DAYS_MAX * DAY_MS:
            raise InvalidField(f"by hour spans at most {HOURLY_DAYS_MAX} days", param="bucket")

        def own(series: Series) -> Group | None:
            seen = key_id is None or series.key_id == key_id
            return (series.model, series.provider, series.endpoint) if seen else None

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
