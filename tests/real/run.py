"""The official OpenAI SDK through otari against a real model: our books must equal what the model said.

    python -m tests.real.run

Prints a line for each request, then counts; exits 1 on any mismatch. Under five minutes, usually under one.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.machine import Machine
from tests.real.asking import ask_async, ask_sync
from tests.real.books import PRICING, Tally, compare
from tests.real.budget import run_out
from tests.real.llama import serving


def main() -> None:
    """Serve, ask, compare; then a budget that runs out, and the books' own proof."""
    begun, tally = time.monotonic(), Tally()
    with machine_with_model() as machine:
        key = machine.new_key(key_name="real", budget="1/day")
        compare(machine, ask_sync(machine, key) + asyncio.run(ask_async(machine, key)), tally)
        tally.expect(tally.cached > 0, "no repeated prompt was answered from the model's cache")
        ran = run_out(machine, key, tally)
        report = machine.verified()
    for complaint in tally.complaints:
        print(f"mismatch: {complaint}")
    print(
        f"budget of {ran.limit_nano} nano-USD: {ran.passed} answered, {ran.refused} refused, "
        f"{ran.spent_nano} spent"
    )
    print(f"ledger verify: ok, {report['holds']} holds, {report['balances']} balances")
    print(
        f"{tally.compared} requests compared, {tally.cached} cached tokens among them, "
        f"{len(tally.complaints)} mismatches, {time.monotonic() - begun:.0f} s"
    )
    sys.exit(bool(tally.complaints))


@contextmanager
def machine_with_model() -> Iterator[Machine]:
    """A daemon whose one provider is the real model."""
    with tempfile.TemporaryDirectory(prefix="otari-real-") as scratch, serving(Path(scratch)) as api_base:
        machine = Machine(
            providers={"llama": {"type": "llamacpp", "api_base": api_base, "models": ["gemma"]}},
            pricing={"llama:*": PRICING},
            mock=False,
        )
        try:
            machine.start()
            yield machine
        finally:
            machine.stop()
            shutil.rmtree(machine.home)


if __name__ == "__main__":
    main()
