"""Who draws on which accounts: as it is, or as it would be after a change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from otari_daemon.domain.book import Account, Balance, BalanceKey
from otari_daemon.domain.budgets import EVERYBODY, Assignment, Budget, Holder, HolderKind, account_of
from otari_daemon.domain.money import Nano, format_usd
from otari_daemon.domain.raises import in_force, total
from otari_daemon.domain.windows import FOREVER_MS, Period
from otari_daemon.protocol.messages import BudgetUse
from otari_daemon.telemetry.clock import rfc3339


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Accounts by id, and which of them each holder draws on; a change makes another one."""

    accounts: Mapping[int, Account]
    accounts_of: Mapping[Holder, tuple[int, ...]]

    @property
    def next_account_id(self) -> int:
        """An account id that no row has."""
        return max(self.accounts, default=0) + 1

    @property
    def assignments(self) -> list[Assignment]:
        """Every holder with every account it draws on."""
        return self.of_holders(*self.accounts_of)

    @property
    def by_budget(self) -> dict[str, list[Assignment]]:
        """Who holds each budget; looks at every assignment there is."""
        found: dict[str, list[Assignment]] = {}
        for each in self.assignments:
            found.setdefault(each.budget_id, []).append(each)
        return found

    def of_holders(self, *holders: Holder) -> list[Assignment]:
        """What some holders draw on, in their order."""
        return [
            Assignment(self.accounts[account_id].budget_id, holder, account_id)
            for holder in holders
            for account_id in self.accounts_of.get(holder, ())
        ]

    def assigned(self, budget: Budget, assignment: Assignment) -> Ceilings:
        """With one more assignment, and its account if that is new."""
        _, holder, account_id = assignment
        drawn = self.accounts_of.get(holder, ())
        if account_id in drawn:
            return self
        account = self.accounts.get(account_id) or account_of(budget, account_id)
        return Ceilings(
            {**self.accounts, account_id: account}, {**self.accounts_of, holder: (*drawn, account_id)}
        )

    def without(self, gone: Iterable[Assignment]) -> Ceilings:
        """Without some assignments; their accounts stay, for when the holder comes back."""
        left = dict(self.accounts_of)
        for each in gone:
            left[each.holder] = tuple(id for id in left.get(each.holder, ()) if id != each.account_id)
        return Ceilings(self.accounts, left)

    def restated(self, budget: Budget, fresh: Mapping[int, int]) -> Ceilings:
        """With copies of a budget's accounts as `restate` would leave them."""
        copies = {
            account.id: replace(account)
            for account in self.accounts.values()
            if account.budget_id == budget.id
        }
        for account in copies.values():
            restate(account, budget, fresh.get(account.id))
        return Ceilings({**self.accounts, **copies}, self.accounts_of)


def restate(account: Account, budget: Budget, fresh_ms: int | None) -> None:
    """Bring an account in line with its changed budget, in place: its next admission is judged by it.

    With `fresh_ms` a new period begins there, with nothing spent, and ends where the new window's period
    does. An account that has begun a later one meanwhile keeps it: a period never moves backwards, and no
    two balances share a start.
    """
    account.name, account.limit, account.enforced = budget.name, budget.limit, budget.enforced
    account.window, account.on_exceed, account.raises = budget.window, budget.on_exceed, budget.raises
    if fresh_ms is None:
        return
    start_ms = max(fresh_ms, account.period.start_ms)
    if account.balance is None or start_ms > account.period.start_ms:
        account.balance = Balance(BalanceKey(account.id, start_ms))
    account.period = Period(start_ms, budget.window.period(start_ms).end_ms)


def fresh_starts(accounts: Mapping[int, Account], budget_id: str, now_ms: int) -> dict[int, int]:
    """When a new period may begin for each account of a budget that ever had one: now, or just after it."""
    return {
        account.id: max(now_ms, account.period.start_ms + 1)
        for account in accounts.values()
        if account.budget_id == budget_id and account.balance is not None
    }


def drawn_on(key_id: str, user_id: str) -> tuple[Holder, Holder, Holder]:
    """The holders whose budgets one key's request draws on."""
    return Holder(HolderKind.KEY, key_id), Holder(HolderKind.USER, user_id), EVERYBODY


def holder_text(holder: Holder, name_of: Callable[[str], str | None]) -> str:
    """A holder as people write it: `key:<name>`, `user:<id>`, `global`."""
    if holder.kind is HolderKind.GLOBAL:
        return "global"
    name = name_of(holder.id) if holder.kind is HolderKind.KEY else None
    return f"{holder.kind.value}:{name or holder.id}"


def use(account: Account, holder: str, now_ms: int) -> BudgetUse:
    """How a holder stands under an account in the period that holds `now_ms`; looking moves nothing."""
    period, balance = standing(account, now_ms)
    limit = limit_at(account, now_ms)
    return BudgetUse(
        account.budget_id,
        account.name,
        holder,
        None if limit is None else format_usd(limit),
        format_usd(balance.posted),
        format_usd(balance.held),
        format_usd(balance.overage),
        rfc3339(period.start_ms) if period.start_ms else None,
        rfc3339(period.end_ms) if period.end_ms < FOREVER_MS else None,
        "enforce" if account.enforced else "shadow",
    )


def limit_at(account: Account, now_ms: int) -> Nano | None:
    """An account's limit with the raises in force; None without a limit."""
    if account.limit is None or not account.raises:
        return account.limit
    return Nano(account.limit + total(in_force(account.raises, now_ms)))


def standing(account: Account, now_ms: int) -> tuple[Period, Balance]:
    """What the book's next admission would find, without opening it."""
    current = account.window.period(now_ms)
    balance = account.balance
    if balance is None:
        return current, Balance(BalanceKey(account.id, current.start_ms))
    if now_ms < account.period.end_ms or current.start_ms <= account.period.start_ms:
        return account.period, balance
    return current, Balance(BalanceKey(account.id, current.start_ms))
