"""Where a daemon can be made to die: functions on the way of money, each with a point before and after.

The production code carries no hook. `tests.proofs.crashing` starts a daemon in which the function of one
point is wrapped; every other daemon runs the code as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

When = Literal["enter", "leave"]


OFTEN = (1, 2, 3, 9, 30)
SELDOM = (1, 1, 1, 2, 2)
ONCE = (1, 1, 1, 1, 1)
"""At which passing to die, in each of a point's five lives."""


class Place(NamedTuple):
    """A function by its module and its name there, and how often a life passes it."""

    module: str
    function: str
    passings: tuple[int, ...] = OFTEN


class Point(NamedTuple):
    """One place to die at, as `OTARI_CRASH_AT` names it: `<place>.<when>`."""

    name: str
    place: Place
    when: When


_STARTING = {
    "store.begin_epoch": Place("otari_daemon.store.store", "Store.begin_epoch", ONCE),
    "store.recover": Place("otari_daemon.store.store", "Store.recover", ONCE),
    "recovery.recover": Place("otari_daemon.store.recovery", "recover", ONCE),
    "recovery.presumed": Place("otari_daemon.store.recovery", "_presumed", ONCE),
    "recovery.move": Place("otari_daemon.store.recovery", "_move", ONCE),
    "recovery.load_book": Place("otari_daemon.store.recovery", "load_book", ONCE),
    "database.prepare": Place("otari_daemon.store.engines.sqlite", "SqliteDatabase.prepare", ONCE),
    "writer.start": Place("otari_daemon.store.writer", "Writer.start", ONCE),
}
_LIVING = {
    "plane.authenticate": Place("otari_daemon.control.local", "LocalControlPlane.authenticate"),
    "plane.admit": Place("otari_daemon.control.local", "LocalControlPlane.admit"),
    "plane.settle": Place("otari_daemon.control.local", "LocalControlPlane.settle"),
    "plane.follow": Place("otari_daemon.control.local", "LocalControlPlane.follow"),
    "ledger.reserve": Place("otari_daemon.control.ledger", "Ledger.reserve"),
    "ledger.settle": Place("otari_daemon.control.ledger", "Ledger.settle"),
    "ledger.flush": Place("otari_daemon.control.ledger", "Ledger._flush"),
    "ledger.checkpoint": Place("otari_daemon.control.ledger", "Ledger.checkpoint", SELDOM),
    "ticket.wait": Place("otari_daemon.control.ledger", "BatchTicket.wait"),
    "ticket.resolve": Place("otari_daemon.control.ledger", "BatchTicket.resolve"),
    "book.bundle": Place("otari_daemon.domain.book", "Book.bundle", ONCE),
    "book.reserve": Place("otari_daemon.domain.book", "Book.reserve"),
    "book.settle": Place("otari_daemon.domain.book", "Book.settle"),
    "book.void": Place("otari_daemon.domain.book", "Book.void"),
    "writer.post": Place("otari_daemon.store.writer", "Writer.post"),
    "writer.gather": Place("otari_daemon.store.writer", "Writer._gather"),
    "writer.attempt": Place("otari_daemon.store.writer", "Writer._attempt"),
    "writer.write": Place("otari_daemon.store.jobs", "Write.run"),
    "writer.deliver": Place("otari_daemon.store.writer", "Writer._deliver"),
    "fold.run": Place("otari_daemon.store.fold", "Fold.run"),
    "fold.holds": Place("otari_daemon.store.fold", "Fold._apply_holds"),
    "fold.balances": Place("otari_daemon.store.fold", "Fold._apply_balances"),
    "fold.committed": Place("otari_daemon.store.fold", "Fold.committed"),
    "database.batch": Place("otari_daemon.store.engines.sqlite", "SqliteDatabase.batch"),
    "gateway.relay": Place("otari_daemon.pipeline.gateway", "Gateway._relay"),
    "gateway.whole": Place("otari_daemon.pipeline.gateway", "Gateway._whole"),
    "gateway.refusal": Place("otari_daemon.pipeline.gateway", "Gateway._refusal"),
    "gateway.durable": Place("otari_daemon.pipeline.gateway", "_durable"),
    "settlement.close": Place("otari_daemon.pipeline.settlement", "Settlement.close"),
    "stream.next": Place("otari_daemon.pipeline.replies", "StreamReply._next"),
    "stream.finish": Place("otari_daemon.pipeline.replies", "StreamReply._finish"),
    "stream.broken": Place("otari_daemon.pipeline.replies", "StreamReply._broken"),
    "stream.close_books": Place("otari_daemon.pipeline.replies", "StreamReply._close_books"),
    "stream.close": Place("otari_daemon.pipeline.replies", "StreamReply.close"),
    "meter.feed": Place("otari_daemon.wire.chat_stream", "ChatMeter.feed"),
    "upstream.start": Place("otari_daemon.providers.http1.exchange", "Exchange.start"),
    "upstream.close": Place("otari_daemon.providers.http1.exchange", "Exchange.close"),
}


def _points() -> Iterator[Point]:
    for name, place in {**_STARTING, **_LIVING}.items():
        for when in ("enter", "leave"):
            yield Point(f"{name}.{when}", place, when)


POINTS: dict[str, Point] = {point.name: point for point in _points()}
