"""What the admin socket needs done; the control plane does it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from otari_daemon.control.actor import Actor as Actor
from otari_daemon.protocol.messages import (
    BudgetAssign,
    BudgetCreate,
    BudgetInfo,
    BudgetRaise,
    BudgetSimulate,
    BudgetUpdate,
    Event,
    Explanation,
    FreezeCreate,
    FreezeInfo,
    Grouping,
    HoldInfo,
    KeyCreate,
    KeyCreated,
    KeyInfo,
    KeyUpdate,
    ModelInfo,
    PriceInfo,
    PriceSet,
    PriceSuggestion,
    Reconcile,
    ReconcileReport,
    RefusalGroup,
    Reprice,
    RepriceReport,
    Simulation,
    Status,
    UsagePage,
    UsageQuery,
    UsageSummaryRow,
    UserCreate,
    UserInfo,
    UserUpdate,
    VerifyReport,
)


class Operations(Protocol):
    """Every question and change an operator may ask for.

    Failures are `GatewayError`s. A change with `dry_run` is judged in full and answered as if made, and
    nothing moves. Keys and budgets are found by id or by name. Lists are in a stable order.
    """

    async def create_key(self, new: KeyCreate, actor: Actor, *, dry_run: bool) -> KeyCreated:
        """Mint a key; its secret is in this answer only."""

    async def keys(self, skip: int, limit: int) -> list[KeyInfo]:
        """List keys, revoked and expired ones too."""

    async def key(self, id: str) -> KeyInfo:
        """Show one key."""

    async def update_key(self, id: str, change: KeyUpdate, actor: Actor, *, dry_run: bool) -> KeyInfo:
        """Change what is mentioned."""

    async def revoke_key(self, id: str, actor: Actor, *, dry_run: bool) -> KeyInfo:
        """Make a key unusable at once; it stays listed."""

    async def rotate_key(self, id: str, actor: Actor, *, dry_run: bool) -> KeyCreated:
        """Give a key a new secret; the old one is dead at once."""

    async def delete_key(self, id: str, actor: Actor, *, dry_run: bool) -> None:
        """Forget a key; its usage stays."""

    async def create_user(self, new: UserCreate, actor: Actor, *, dry_run: bool) -> UserInfo:
        """Make a user, or revive a deleted one."""

    async def users(self, skip: int, limit: int) -> list[UserInfo]:
        """List users that are not deleted."""

    async def user(self, id: str) -> UserInfo:
        """Show one user."""

    async def update_user(self, id: str, change: UserUpdate, actor: Actor, *, dry_run: bool) -> UserInfo:
        """Change what is mentioned; blocking takes effect with the next request."""

    async def delete_user(self, id: str, actor: Actor, *, dry_run: bool) -> None:
        """Delete a user and revoke their keys."""

    async def create_budget(self, new: BudgetCreate, actor: Actor, *, dry_run: bool) -> BudgetInfo:
        """Make a budget nobody draws on yet."""

    async def budgets(self, skip: int, limit: int) -> list[BudgetInfo]:
        """List budgets with their holders."""

    async def budget(self, id: str) -> BudgetInfo:
        """Show one budget."""

    async def update_budget(
        self, id: str, change: BudgetUpdate, actor: Actor, *, dry_run: bool
    ) -> BudgetInfo:
        """Change what is mentioned, for all its holders."""

    async def delete_budget(self, id: str, actor: Actor, *, dry_run: bool) -> None:
        """Delete a budget; a conflict while anybody holds it."""

    async def assign_budget(
        self, id: str, holder: BudgetAssign, actor: Actor, *, dry_run: bool
    ) -> BudgetInfo:
        """Put a holder under a budget."""

    async def unassign_budget(
        self, id: str, holder: BudgetAssign, actor: Actor, *, dry_run: bool
    ) -> BudgetInfo:
        """Take a holder out from under a budget."""

    async def acknowledge_overage(self, id: str, actor: Actor, *, dry_run: bool) -> BudgetInfo:
        """Let a budget admit again after a provider billed more than was held."""

    async def raise_budget(self, id: str, new: BudgetRaise, actor: Actor, *, dry_run: bool) -> BudgetInfo:
        """Raise a budget until a moment."""

    async def end_raises(self, id: str, actor: Actor, *, dry_run: bool) -> BudgetInfo:
        """Take back every raise of a budget."""

    async def freeze(self, new: FreezeCreate, actor: Actor, *, dry_run: bool) -> FreezeInfo:
        """Turn a key or a user away from the next request on."""

    async def unfreeze(self, asked: BudgetAssign, actor: Actor, *, dry_run: bool) -> None:
        """Let a key or a user in again."""

    async def freezes(self, skip: int, limit: int) -> list[FreezeInfo]:
        """List who is frozen, longest first."""

    async def usage(self, query: UsageQuery) -> UsagePage:
        """Page through settled requests, newest first."""

    async def usage_summary(self, by: Grouping, query: UsageQuery) -> list[UsageSummaryRow]:
        """Add up settled requests by what `by` names."""

    async def holds(self) -> list[HoldInfo]:
        """List what is held now, oldest first."""

    async def verify(self) -> VerifyReport:
        """Prove the books from the database alone."""

    async def status(self) -> Status:
        """Say how the daemon is."""

    async def models(self) -> list[ModelInfo]:
        """List what can be asked for."""

    async def set_price(self, new: PriceSet, actor: Actor, *, dry_run: bool) -> PriceInfo:
        """Price a model from a moment on; in effect with the next request."""

    async def prices(self, skip: int, limit: int) -> list[PriceInfo]:
        """List every version somebody here has stated, by model, newest first."""

    async def price(self, key: str, as_of: str | None) -> PriceInfo:
        """Show what a model costs now, or did or will at a moment."""

    async def price_history(self, key: str) -> list[PriceInfo]:
        """List the versions of one model, newest first."""

    async def delete_price(self, key: str, effective_at: str | None, actor: Actor, *, dry_run: bool) -> None:
        """Remove one version of the database's prices for a model, or all of them."""

    async def price_suggestions(self, since: str | None) -> list[PriceSuggestion]:
        """Name the models whose price an operator should look at."""

    async def explain(self, request_id: str) -> Explanation:
        """Say why a request cost what it did, or why it was refused."""

    async def refusals(self, since: str | None) -> list[RefusalGroup]:
        """Group the refusals since a moment by code and budget, most first."""

    async def watched(self, since: str | None) -> list[RefusalGroup]:
        """Group what budgets that only watch would have refused."""

    async def reprice(self, asked: Reprice, actor: Actor, *, dry_run: bool) -> RepriceReport:
        """Price settled requests again; corrects them unless it is a dry run."""

    async def simulate_budget(self, asked: BudgetSimulate) -> Simulation:
        """Say what a budget would have done to the requests that were made."""

    async def reconcile(self, asked: Reconcile, actor: Actor, *, dry_run: bool) -> ReconcileReport:
        """Compare a provider's bill with the books; corrects single requests unless it is a dry run."""

    def events(self, after: str | None) -> AsyncIterator[Event]:
        """Follow what happens, from just after a cursor or from now on; never ends by itself."""

    async def shutdown(self, actor: Actor) -> None:
        """Begin to drain and stop; returns at once."""
