"""Proving the books from their rows alone, in one snapshot.

Rules: `file` the pages and indexes are sound; `limit` (L-INV-1) no balance is over the limit it admitted
under; `sum` (L-INV-2) every balance is the sum of its holds, of corrections and of what nodes lease of it;
`once` (L-INV-3) a hold is open or closed, whole; `bound` (L-INV-4) 0 <= posted <= held, and overage only
above a full hold; `row` (L-INV-7) every request has its bundle and its rate card, and costs what these say;
`adjusted` a correction is of a closed request, the same under each of its ceilings, and never gives back
more than was charged; `cell`, where all this holds, the usage cells that reports are made of equal the rows,
unless they are to be built anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from otari_daemon.domain.money import Nano
from otari_daemon.domain.pricing import Price, Rates, charge
from otari_daemon.domain.records import Reason
from otari_daemon.domain.usage import UNITS_MAX, Usage
from otari_daemon.store import adjustments, sql
from otari_daemon.store.database import Connection, Session
from otari_daemon.store.fold import card_id
from otari_daemon.store.rebuild import differences
from otari_daemon.store.schema import POSTED, PRESUMED, SENT, UNSET, UNSET_NANO, VOIDED

FINDINGS_MAX = 1000
RID_BYTES = 16

BalanceId = tuple[int, int]
_REASONS = frozenset(map(int, Reason))


class Finding(NamedTuple):
    """A rule that does not hold, the row it does not hold for, and how."""

    rule: str
    row: str
    detail: str


class Report(NamedTuple):
    """What was looked at and what is wrong; at most 1,000 findings are kept."""

    holds: int
    balances: int
    findings: tuple[Finding, ...]
    adjustments: int = 0

    @property
    def clean(self) -> bool:
        """Whether the books are proven."""
        return not self.findings


class _Hold(NamedTuple):
    rid: bytes
    bundle: int
    card: int
    state: int
    held: int
    posted: int
    overage: int
    reason: int
    settled_ms: int
    status: int
    first_byte_us: int
    duration_us: int
    progress: int
    usage: Usage

    @property
    def name(self) -> str:
        return f"hold {self.rid.hex()}"


class _Sums:
    __slots__ = ("overage", "pending", "posted")

    def __init__(self) -> None:
        self.pending = self.posted = self.overage = 0


def verify(session: Session) -> Report:
    """Check every row against the rules; reads the whole ledger once, and for the cells its holds again."""
    report = prove(session)
    if report.findings:  # what rows that are off would add up to says nothing
        return report
    cells = (Finding("cell", cell, detail) for cell, detail in differences(session.con))
    return report._replace(findings=_taken(session, cells))


def prove(session: Session) -> Report:
    """`verify`, without the cells: whether the ledger itself is right."""
    proof = Proof()
    findings = _taken(session, proof.run(session.con))
    return Report(proof.holds, proof.balances, findings, proof.adjustments)


def _taken(session: Session, found: Iterator[Finding]) -> tuple[Finding, ...]:
    """The first findings; that rows cannot be read to their end is one."""
    findings: list[Finding] = []
    try:
        findings.extend(islice(found, FINDINGS_MAX))
    except Exception as error:
        if not session.damaged(error):
            raise
        findings.append(Finding("file", "database", f"it cannot be read to its end: {error}"))
    return tuple(findings)


class Proof:
    """What has been read so far, and what it adds up to."""

    def __init__(self) -> None:
        self.holds = self.balances = self.adjustments = 0
        self._cards: dict[int, Rates] = {}
        self._sums: defaultdict[int, _Sums] = defaultdict(_Sums)
        self._bundles: defaultdict[int, list[BalanceId]] = defaultdict(list)

    def run(self, con: Connection) -> Iterator[Finding]:
        """The whole proof, in the snapshot of `con`."""
        for (verdict,) in con.execute(sql.INTEGRITY_CHECK):
            if verdict != "ok":
                yield Finding("file", "database", verdict)
        yield from self.read_cards(con)
        self.read_bundles(con.execute(sql.PROOF_BUNDLES))
        for row in con.execute(sql.PROOF_HOLDS):
            yield from self.check_row(row)
        self.adjustments = adjustments.count(con)
        for name, fault in adjustments.faults(con):
            yield Finding("adjusted", name, fault)
        yield from self.check_balances(con)

    def read_bundles(self, rows: Iterable[tuple[int, int, int]]) -> int:
        """Add bundles; those read before are the same. Return the highest id of all."""
        for bundle, account, start_ms in rows:
            legs = self._bundles[bundle]
            if (account, start_ms) not in legs:
                legs.append((account, start_ms))
        return max(self._bundles, default=-1)

    def check_row(self, row: tuple[Any, ...]) -> Iterator[Finding]:
        """Check one row of `sql.PROOF_HOLDS` and add it to the sums."""
        self.holds += 1
        return self._check_hold(_Hold._make((*row[:13], Usage(*row[13:]))))

    def read_cards(self, con: Connection) -> Iterator[Finding]:
        """Read every rate card, and check it against its id."""
        for card, *values in con.execute(sql.PROOF_CARDS):
            *rates, model, effective_ms, source = values
            self._cards[card] = Rates(rates)
            if card_id(Price(model, self._cards[card], effective_ms, source)) != card:
                yield Finding("row", f"rate card {card}", "its content has changed since requests used it")

    def _check_hold(self, hold: _Hold) -> Iterator[Finding]:
        if len(hold.rid) != RID_BYTES:
            yield Finding("once", hold.name, f"its id has {len(hold.rid)} bytes")
        if hold.bundle and hold.bundle not in self._bundles:
            yield Finding("row", hold.name, f"its bundle {hold.bundle} is not there")
        if hold.card not in self._cards:
            yield Finding("row", hold.name, f"its rate card {hold.card} is not there")
        sums = self._sums[hold.bundle]
        if hold.state <= SENT:
            sums.pending += hold.held
            yield from _check_open(hold)
            return
        yield from _check_closed(hold)
        if hold.posted < UNSET_NANO:
            sums.posted += hold.posted
            sums.overage += hold.overage
            yield from self._check_charge(hold)

    def _check_charge(self, hold: _Hold) -> Iterator[Finding]:
        rates = self._cards.get(hold.card)
        if rates is None or max(hold.usage) > UNITS_MAX:
            return
        cost, booked = charge(hold.usage, rates), hold.posted + hold.overage
        if hold.state == POSTED and hold.reason == Reason.USAGE and booked != cost:
            yield Finding("row", hold.name, f"charged {booked} where its usage costs {cost}")
        if hold.state == PRESUMED and hold.posted != min(cost, Nano(hold.held)):
            yield Finding("row", hold.name, f"presumed {hold.posted} where its progress costs {cost}")

    def check_balances(self, con: Connection) -> Iterator[Finding]:
        """Compare every balance with the sum of the rows that were checked."""
        expected: defaultdict[BalanceId, _Sums] = defaultdict(_Sums)
        for bundle, legs in self._bundles.items():
            for leg in legs:
                _add(expected[leg], self._sums[bundle])
        for key, posted, overage in adjustments.balances_moved(con):
            expected[key].posted += posted
            expected[key].overage += overage
        for account, start_ms, idle in con.execute(sql.PROOF_LEASES):
            expected[account, start_ms].pending += idle
        for account, start_ms, *amounts in con.execute(sql.PROOF_BALANCES):
            self.balances += 1
            sums = expected.pop((account, start_ms), _Sums())
            yield from _check_balance(f"balance {account} of period {start_ms}", amounts, sums)
        for account, start_ms in expected:
            yield Finding(
                "row", f"balance {account} of period {start_ms}", "a bundle names it, but it is not there"
            )


def _add(total: _Sums, part: _Sums) -> None:
    total.pending += part.pending
    total.posted += part.posted
    total.overage += part.overage


def _check_open(hold: _Hold) -> Iterator[Finding]:
    later = (hold.reason, hold.settled_ms, hold.status, hold.first_byte_us, hold.duration_us, *hold.usage)
    if (hold.posted, hold.overage) != (UNSET_NANO, UNSET_NANO) or any(value != UNSET for value in later):
        yield Finding("once", hold.name, "it is open but carries a settlement")
    if hold.state < 0:
        yield Finding("once", hold.name, f"it is in state {hold.state}, which does not exist")


def _check_closed(hold: _Hold) -> Iterator[Finding]:
    codes = (hold.settled_ms, hold.status, hold.first_byte_us, hold.duration_us, hold.progress, *hold.usage)
    if UNSET_NANO in (hold.posted, hold.overage) or UNSET in codes or hold.reason not in _REASONS:
        yield Finding("once", hold.name, "it is closed but its settlement is not whole")
        return
    if hold.state > PRESUMED:
        yield Finding("once", hold.name, f"it is in state {hold.state}, which does not exist")
    if hold.state == VOIDED and (hold.posted or hold.overage):
        yield Finding("once", hold.name, "it is voided but charged")
    if not 0 <= hold.posted <= hold.held:
        yield Finding("bound", hold.name, f"posted {hold.posted} of {hold.held} held")
    if hold.overage < 0 or (hold.overage and hold.posted != hold.held):
        yield Finding("bound", hold.name, f"overage {hold.overage} with {hold.posted} of {hold.held} posted")


def _check_balance(name: str, amounts: list[int | None], sums: _Sums) -> Iterator[Finding]:
    limit, posted, pending, overage, acknowledged = (
        amount if amount is not None else -1 for amount in amounts
    )
    if amounts[0] is not None and posted + pending > limit:
        yield Finding("limit", name, f"{posted} posted and {pending} held are over its limit of {limit}")
    for what, found, wanted in (
        ("held", pending, sums.pending),
        ("posted", posted, sums.posted),
        ("overage", overage, sums.overage),
    ):
        if found != wanted:
            yield Finding("sum", name, f"{what} is {found} where its requests sum to {wanted}")
    if not 0 <= acknowledged <= overage:
        yield Finding("bound", name, f"{acknowledged} of {overage} overage is acknowledged")
