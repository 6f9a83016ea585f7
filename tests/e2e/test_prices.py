"""Prices over the life of a machine: the real command sets them, and starting again changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.e2e.machine import PRICING, Machine

pytestmark = pytest.mark.e2e

STARTS = 5


def otari(machine: Machine, *words: str) -> Any:
    """What the command answers, as JSON."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "otari_cli",
            "--admin-socket",
            str(machine.socket),
            "pricing",
            *words,
            "-o",
            "json",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HOME": str(machine.home)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def test_five_starts_leave_the_same_versions_and_the_command_sees_them() -> None:
    machine = Machine(pricing={"up:*": PRICING, "up:gpt-5": {**PRICING, "service_tiers": {"priority": 2}}})
    seen = []
    try:
        for start in range(STARTS):
            machine.start()
            if start == 0:
                words = ("--input", "3", "--output", "6", "--tier", "1001:input=9", "--service", "flex=0.5")
                otari(machine, "set", "up:gpt-5-mini", *words, "--yes")
            seen.append([each for each in otari(machine, "list") if each["source"] != "default"])
            if start == STARTS - 1:
                suggested = otari(machine, "suggest")
                synced = otari(machine, "sync", "--apply", "--yes", "--dry-run")
            assert machine.daemon is not None
            assert machine.daemon.terminate() == 0
    finally:
        machine.stop()

    assert all(each == seen[0] for each in seen)
    database = [each for each in seen[0] if each["source"] == "database"]
    assert [(each["model_key"], len(each["steps"])) for each in database] == [("up:gpt-5-mini", 3)]
    assert [(each["model_key"], each["why"]) for each in suggested] == [("up:gpt-5-mini", "differs")]
    assert synced["model_key"] == "up:gpt-5-mini"
