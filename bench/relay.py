"""CPU and time that a gateway adds to a request, for otari beside nginx and Falcon with stock httpx.

    python -m bench.relay

One run, under two minutes: rounds in turn, medians of ROUNDS. The gateway has one core, the load and the
upstream the other; whatever else the machine does is noise, from which the ratio on the last line suffers
least. Exits 1 when otari costs more than TARGET times nginx.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, TypeVar

import uvloop

from bench.contenders import NGINX, OTARI, Contender, nginx, otari, stock
from bench.cpu import LOAD_CORE, cpu_ns, on_core
from bench.load import CONNECTIONS, RATE, Target, Waited, paced, saturate, streamed
from tests.e2e.machine import Spawned

ROUNDS = 3
SATURATE_S = 3
PACED_S = 2.5
STREAMED_S = 2.0
SETTLE_S = 0.3
"""What is left to write when the load ends belongs to the requests that caused it."""

TARGET = 7.0
"""CPU per request: otari over nginx, at most."""

Done = TypeVar("Done")

_ROW = "{:<22}{:>12}{:>12}{:>20}{:>22}{:>12}"
_HEADINGS = (
    ("", "requests/s", "CPU us", "us added to a", "us added to a", "CPU us"),
    ("", f"{CONNECTIONS} at once", "/request", f"whole, {RATE}/s", "stream's first byte", "/chunk"),
    ("", "", "", "p50 / p99", "p50 / p99", ""),
)


class Waits(NamedTuple):
    """Percentiles in microseconds: of whole answers at RATE, and of streams to their first byte."""

    p50: float
    p99: float
    first_p50: float
    first_p99: float


class Measured(NamedTuple):
    """One contender in one round; `waits` are over what the upstream itself took in that round."""

    per_s: float
    request_us: float
    chunk_us: float
    waits: Waits


def main() -> None:
    """Measure, print, judge."""
    if {0, 1} - os.sched_getaffinity(0):
        sys.exit("the bench needs cores 0 and 1: one for the gateway, one for the load")
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="otari-bench-")))
        stack.enter_context(on_core(LOAD_CORE))
        upstream = Spawned("-m", "bench.canned")
        stack.callback(upstream.terminate)
        url = upstream.said.strip()
        contenders = [
            stack.enter_context(entered) for entered in (nginx(url, scratch), otari(url), stock(url))
        ]
        rounds = [measure_round(contenders, Target(url, "none"), scratch) for _ in range(ROUNDS)]
    report(rounds)


def measure_round(contenders: Iterable[Contender], direct: Target, scratch: Path) -> dict[str, Measured]:
    """All contenders once, one after another, and the upstream without any."""
    own = waits_of(uvloop.run(paced(direct, PACED_S)), uvloop.run(streamed(direct, STREAMED_S)))
    return {each.name: measure(each, own, scratch) for each in contenders}


def measure(contender: Contender, own: Waits, scratch: Path) -> Measured:
    """One contender: saturated, paced, streamed."""
    target = contender.target
    saturate(target, 1, scratch)
    (answered, took_s), request_ns = with_cpu(contender.pid, lambda: saturate(target, SATURATE_S, scratch))
    whole = uvloop.run(paced(target, PACED_S))
    followed, stream_ns = with_cpu(contender.pid, lambda: uvloop.run(streamed(target, STREAMED_S)))
    waits = waits_of(whole, followed)
    return Measured(
        answered / took_s,
        request_ns / answered / 1e3,
        stream_ns / followed.chunks / 1e3,
        Waits(*(through - alone for through, alone in zip(waits, own, strict=True))),
    )


def with_cpu(pid: int, load: Callable[[], Done]) -> tuple[Done, int]:
    """Run a load, and say what CPU the process tree of `pid` used for it, in nanoseconds."""
    before = cpu_ns(pid)
    result = load()
    time.sleep(SETTLE_S)
    return result, cpu_ns(pid) - before


def waits_of(whole: Waited, followed: Waited) -> Waits:
    """The percentiles of both loads."""
    at = (statistics.quantiles(each, n=100) for each in (whole.whole_us, followed.first_us))
    return Waits(*(found[n - 1] for found in at for n in (50, 99)))


def report(rounds: list[dict[str, Measured]]) -> None:
    """Print one line for each contender, then the verdict; exit 1 when the target is missed."""
    for heading in _HEADINGS:
        print(_ROW.format(*heading))
    for name in rounds[0]:
        print(row(name, [each[name] for each in rounds]))
    ratios = sorted(each[OTARI].request_us / each[NGINX].request_us for each in rounds)
    ratio = statistics.median(ratios)
    by_round = " ".join(f"{each:.2f}" for each in ratios)
    print(f"otari/nginx in the rounds: {by_round}; load average {os.getloadavg()[0]:.1f}")
    print(f"otari/nginx, CPU per request: {ratio:.2f} (target: at most {TARGET})")
    sys.exit(ratio > TARGET)


def row(name: str, measured: list[Measured]) -> str:
    """Medians over the rounds."""

    def median(of: Callable[[Measured], float]) -> float:
        return statistics.median(map(of, measured))

    p50, p99 = median(lambda each: each.waits.p50), median(lambda each: each.waits.p99)
    first_p50 = median(lambda each: each.waits.first_p50)
    first_p99 = median(lambda each: each.waits.first_p99)
    return _ROW.format(
        name,
        f"{median(lambda each: each.per_s):,.0f}",
        f"{median(lambda each: each.request_us):.1f}",
        f"{p50:,.0f} / {p99:,.0f}",
        f"{first_p50:,.0f} / {first_p99:,.0f}",
        f"{median(lambda each: each.chunk_us):.1f}",
    )


if __name__ == "__main__":
    main()
