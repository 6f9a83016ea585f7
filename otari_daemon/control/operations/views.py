"""Keys, users and budgets as the admin protocol shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from otari_daemon.control.operations.ceilings import Ceilings, drawn_on, holder_text, use
from otari_daemon.control.operations.desk import Desk
from otari_daemon.control.operations.limits import key_uses, user_uses
from otari_daemon.domain.budgets import EVERYBODY, Assignment, Budget, Holder, HolderKind
from otari_daemon.domain.keys import VirtualKey
from otari_daemon.domain.limits import Caps
from otari_daemon.domain.money import NANO_PER_USD, Nano, format_usd
from otari_daemon.domain.raises import Raise, in_force
from otari_daemon.domain.users import User
from otari_daemon.domain.windows import Calendar, Every, Lifetime, Window
from otari_daemon.protocol.messages import (
    BudgetInfo,
    BudgetUse,
    KeyCreated,
    KeyInfo,
    KeyStatus,
    RaiseInfo,
    UserInfo,
)
from otari_daemon.store.keys import StoredKey
from otari_daemon.telemetry.clock import rfc3339


def maybe_time(at_ms: int | None) -> str | None:
    """A moment, if there is one."""
    return None if at_ms is None else rfc3339(at_ms)


def key_info(desk: Desk, stored: StoredKey, ceilings: Ceilings, caps: Caps) -> KeyInfo:
    """A key, and every budget and limit its requests come under; `caps` are its own."""
    key, now_ms = stored.key, desk.clock.now_ms()
    drawn = ceilings.of_holders(*drawn_on(key.id, key.user_id))
    return KeyInfo(
        key.id,
        key.prefix,
        key.name or None,
        key.user_id,
        rfc3339(key.created_ms),
        maybe_time(key.expires_ms),
        maybe_time(stored.last_used_ms),
        key.revoked_ms is None,
        _status(key, now_ms),
        dict(stored.metadata),
        key.models,
        _uses(desk, drawn, ceilings),
        key_uses(desk, key, caps),
    )


def key_created(key: VirtualKey, metadata: Mapping[str, object], secret: str | None) -> KeyCreated:
    """A new or rotated key; without a secret it is a rehearsal, and has no prefix either."""
    return KeyCreated(
        key.id,
        secret,
        key.prefix if secret is not None else None,
        key.name or None,
        key.user_id,
        rfc3339(key.created_ms),
        maybe_time(key.expires_ms),
        key.revoked_ms is None,
        dict(metadata),
        key.models,
    )


def user_info(
    desk: Desk, user: User, spending: tuple[Nano, Nano], ceilings: Ceilings, caps: Caps
) -> UserInfo:
    """A user, what they spent and hold, and `caps` of their own.

    The predecessor's single budget is the first of their own.
    """
    spent, held = spending
    own = Holder(HolderKind.USER, user.id)
    uses = _uses(desk, ceilings.of_holders(own, EVERYBODY), ceilings)
    first = uses[0] if ceilings.of_holders(own) else None
    return UserInfo(
        user.id,
        user.alias,
        spent / NANO_PER_USD,
        first.budget_id if first else None,
        first.period_start if first else None,
        first.period_end if first else None,
        user.blocked,
        rfc3339(user.created_ms),
        rfc3339(user.updated_ms or user.created_ms),
        dict(user.metadata),
        format_usd(spent),
        format_usd(held),
        uses,
        user_uses(desk, user.id, caps),
    )


def budget_info(desk: Desk, budget: Budget, ceilings: Ceilings, held_by: Sequence[Assignment]) -> BudgetInfo:
    """A budget, and how each of the holders it is held by stands."""
    window = budget.window
    return BudgetInfo(
        budget.id,
        budget.name,
        None if budget.limit is None else budget.limit / NANO_PER_USD,
        None if budget.limit is None else format_usd(budget.limit),
        _per(window),
        window.zone if isinstance(window, Calendar) else None,
        "enforce" if budget.enforced else "shadow",
        "pooled" if budget.pooled else "each",
        window.length_ms // 1000 if isinstance(window, Every) else None,
        f"calendar_{window.unit}" if isinstance(window, Calendar) else None,
        rfc3339(budget.created_ms),
        rfc3339(budget.updated_ms or budget.created_ms),
        _uses(desk, held_by, ceilings),
        str(budget.on_exceed),
        tuple(_raise_info(each) for each in in_force(budget.raises, desk.clock.now_ms())),
    )


def _raise_info(made: Raise) -> RaiseInfo:
    return RaiseInfo(
        made.id,
        format_usd(made.amount),
        rfc3339(made.until_ms),
        rfc3339(made.created_ms),
        made.uid,
        made.reason,
    )


def _status(key: VirtualKey, now_ms: int) -> KeyStatus:
    refusal = key.refusal(now_ms)
    return "active" if refusal is None else "revoked" if refusal == "revoked" else "expired"


def _per(window: Window) -> str:
    match window:
        case Lifetime():
            return "lifetime"
        case Every(length_ms):
            return f"{length_ms // 1000}s"
        case Calendar(unit):
            return unit


def _uses(desk: Desk, drawn: Sequence[Assignment], ceilings: Ceilings) -> tuple[BudgetUse, ...]:
    now_ms, name_of = desk.clock.now_ms(), desk.seats.name_of
    return tuple(
        use(ceilings.accounts[each.account_id], holder_text(each.holder, name_of), now_ms) for each in drawn
    )
