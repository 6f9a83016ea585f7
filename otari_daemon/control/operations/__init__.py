"""Every question and change an operator may ask for, answered from this machine's own books.

Each part knows one subject; what they share is the `Desk`, where every change goes the same way:
judged alone, committed, remembered, audited.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from otari_daemon.control.catalog import Catalog
from otari_daemon.control.ledger import Ledger
from otari_daemon.control.notes import Notes
from otari_daemon.control.operations.bootstrap import bootstrap
from otari_daemon.control.operations.budgets import Budgets
from otari_daemon.control.operations.desk import Desk
from otari_daemon.control.operations.explain import Explainer
from otari_daemon.control.operations.freezes import Freezes
from otari_daemon.control.operations.keys import Keys
from otari_daemon.control.operations.live import DaemonFacts, Live
from otari_daemon.control.operations.models import Models, PublicModels
from otari_daemon.control.operations.price_suggestions import Suggestions
from otari_daemon.control.operations.pricing import Pricing
from otari_daemon.control.operations.raises import Raises
from otari_daemon.control.operations.reconcile import Reconciler
from otari_daemon.control.operations.reprice import Repricing
from otari_daemon.control.operations.simulate import Simulator
from otari_daemon.control.operations.usage import UsageReader
from otari_daemon.control.operations.users import Users
from otari_daemon.control.plane import ControlPlane
from otari_daemon.control.seats import Seats
from otari_daemon.store.store import Store
from otari_daemon.telemetry.clock import Clock

__all__ = ["DaemonFacts", "LocalOperations", "bootstrap"]


class LocalOperations:
    """The admin socket's `Operations`: each is a method of the part that knows its subject."""

    def __init__(  # noqa: PLR0913, PLR0917 - the composition of everything an operator can reach
        self,
        store: Store,
        seats: Seats,
        ledger: Ledger,
        notes: Notes,
        clock: Clock,
        entropy: Callable[[int], bytes],
        catalog: Callable[[], Catalog],
        facts: DaemonFacts,
        stop: Callable[[], None],
    ) -> None:
        desk = Desk(store, seats, ledger, clock, entropy, limits=lambda: catalog().limits)
        keys, users, budgets = Keys(desk), Users(desk), Budgets(desk)
        self.create_key, self.keys, self.key = keys.create, keys.listed, keys.one
        self.update_key, self.revoke_key = keys.update, keys.revoke
        self.rotate_key, self.delete_key = keys.rotate, keys.delete
        self.create_user, self.users, self.user = users.create, users.listed, users.one
        self.update_user, self.delete_user = users.update, users.delete
        self.create_budget, self.budgets, self.budget = budgets.create, budgets.listed, budgets.one
        self.update_budget, self.delete_budget = budgets.update, budgets.delete
        self.assign_budget, self.unassign_budget = budgets.assign, budgets.unassign
        self.acknowledge_overage = budgets.acknowledge
        raises, freezes = Raises(desk), Freezes(desk)
        self.raise_budget, self.end_raises = raises.add, raises.end
        self.freeze, self.unfreeze, self.freezes = freezes.add, freezes.end, freezes.listed
        usage = UsageReader(desk)
        self.usage, self.usage_summary = usage.page, usage.summary
        live = Live(desk, notes.activity, catalog, facts, stop)
        self.holds, self.verify, self.status = live.holds, live.verify, live.status
        self.events, self.shutdown = live.events, live.shutdown
        self.models = Models(catalog, clock).listed
        pricing = Pricing(desk, catalog)
        self.set_price, self.delete_price = pricing.set, pricing.delete
        self.prices, self.price, self.price_history = pricing.listed, pricing.one, pricing.history
        self.price_suggestions = Suggestions(desk, notes.refusals, catalog).listed
        explainer = Explainer(desk, notes.refusals)
        self.explain, self.refusals = explainer.explain, explainer.refusals
        self.watched = explainer.watched
        self.reprice = Repricing(desk, catalog).reprice
        self.simulate_budget = Simulator(desk).simulate
        self.reconcile = Reconciler(desk, catalog).reconcile

    @staticmethod
    def public_models(
        plane: ControlPlane, catalog: Callable[[], Catalog], clock: Clock
    ) -> Callable[[bytes, str], Awaitable[list[dict[str, object]]]]:
        """What answers `GET /v1/models` for the holder of a credential."""
        return PublicModels(plane, catalog, clock).models_for
