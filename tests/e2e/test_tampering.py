"""A ledger whose rows contradict the book serves nobody: the daemon stops, and says why."""

from __future__ import annotations

import sqlite3
import threading

import httpx
import pytest

from tests.e2e.machine import Machine

pytestmark = pytest.mark.e2e

EX_CONFIG = 78


def test_a_hold_settled_behind_the_daemons_back_stops_it():
    machine = Machine()
    try:
        daemon = machine.start()
        key = machine.new_key(key_name="tampered")
        asking = threading.Thread(target=ask, args=(machine, key))
        asking.start()
        while not machine.ask("GET", "/status")["open_holds"]:
            pass
        settle_it(machine)
        asking.join(20)

        assert daemon.process.wait(20) == EX_CONFIG
        assert "otarid: " in daemon.stderr()
    finally:
        machine.stop()


def test_a_balance_changed_behind_the_daemons_back_is_found_by_the_auditor_and_stops_it():
    machine = Machine(ledger={"audit_s": 0.2})
    try:
        daemon = machine.start()
        ask(machine, machine.new_key(key_name="audited", budget="5"))
        machine.quiet()
        while not machine.ask("GET", "/status")["audits"]:
            pass
        with sqlite3.connect(machine.home / "state" / "otari.db", timeout=5) as con:
            con.execute("UPDATE balance SET posted_n = posted_n - 1")

        assert daemon.process.wait(20) == EX_CONFIG
        assert "otarid: the ledger contradicts itself: balance" in daemon.stderr()
    finally:
        machine.stop()


def ask(machine: Machine, key: str) -> None:
    """A request that takes a second and a half."""
    body = {"model": "up:slow:1500", "messages": [{"role": "user", "content": "hi"}]}
    httpx.post(f"{machine.url}/chat/completions", json=body, headers={"x-api-key": key}, timeout=20)


def settle_it(machine: Machine) -> None:
    """Close the open hold with the database's own hands, once it is there."""
    with sqlite3.connect(machine.home / "state" / "otari.db", timeout=5) as con:
        while con.execute("UPDATE hold SET state = 3 WHERE state = 1").rowcount == 0:
            con.commit()
