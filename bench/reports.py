"""How fast usage is added up: reports over millions of generated requests in a temporary database.

    python -m bench.reports [--rows 10000000] [--directory DIR]

Prints what building the cells took, then for each report the CPU it takes and how long it takes on this
machine now (the best of three of either), and ends with 1 when one takes longer than 300 ms of CPU.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from otari_daemon.domain.grains import DAY_MS, HOUR_MS, Grain
from otari_daemon.store import rebuild
from otari_daemon.store.cells import Series
from otari_daemon.store.database import Connection
from otari_daemon.store.reports import Group, Question, gather
from otari_daemon.store.store import Store

ROWS = 10_000_000
ROWS_MAX = 20_000_000
DAYS = 90
BUDGET_MS = 300
ROUNDS = 3
END_MS = 1_764_000_000_000 // DAY_MS * DAY_MS
START_MS = END_MS - DAYS * DAY_MS

INDEXES = {
    "hold_open": "CREATE INDEX hold_open ON hold(owner_epoch) WHERE state < 2",
    "hold_key": "CREATE INDEX hold_key ON hold(key_id, created_ms)",
    "hold_user": "CREATE INDEX hold_user ON hold(user_id, created_ms)",
    "hold_created": "CREATE INDEX hold_created ON hold(created_ms)",
}
FILL = """WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
  INSERT INTO hold(rid, bundle_id, key_id, user_id, owner_epoch, created_ms, endpoint, model, provider,
  stream, rate_card_id, prompt_presumed, held_n, state, posted_n, overage_n, settled_ms, u_input,
  u_cache_read, u_cache_write, u_output, u_reasoning, u_audio_input, u_audio_output, u_images, u_requests,
  u_tool_calls,
  progress_out, reason, status, first_byte_us, duration_us, tags)
  SELECT CAST(printf('%016d', i) AS BLOB), 0, 'key-' || (i * 7919 % 200), 'user-' || (i * 7919 % 50), 1,
  ? + i * ?,
  '/v1/chat/completions', 'up:model-' || (i * 104729 % 6), 'up', 0, 1, 900, 500000, 2,
  100000 + i % 90000, 0, 0, 800, 100, 0, 200, 20, 0, 0, 0, 1, 0, 0, 1,
  CASE WHEN i % 50 = 0 THEN 502 ELSE 200 END, 300000, 1200000,
  CASE WHEN i % 20 = 0 THEN 'team=t' || (i * 31 % 1000) ELSE '' END
  FROM n"""


def main() -> int:
    """Generate, build, measure."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="otari-reports-", dir=options.directory) as made:
        store = Store.open(f"sqlite:///{Path(made) / 'bench.db'}", now_ms=END_MS, spare_bytes=0)
        store.begin_epoch()
        _timed("rows", lambda: store.write_now(_fill, options.rows))
        _timed("cells", lambda: _build(store))
        size_mb = (Path(made) / "bench.db").stat().st_size >> 20
        print(f"{options.rows:,} requests over {DAYS} days, 200 keys, 6 models: {size_mb:,} MiB")
        worst = max(_measured(store, name, question) for name, question in _questions())
        store.close_now()
    print(f"slowest report {worst:.0f} ms of {BUDGET_MS}")
    return int(worst > BUDGET_MS)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--directory", default=None)
    options = parser.parse_args()
    options.rows = min(options.rows, ROWS_MAX)
    return options


def _fill(con: Connection, rows: int) -> None:
    for name in INDEXES:
        con.execute(f"DROP INDEX {name}")
    step_ms = max(1, DAYS * DAY_MS // rows)
    con.execute(FILL, (0, rows, START_MS, step_ms))
    for statement in INDEXES.values():
        con.execute(statement)


def _build(store: Store) -> None:
    plan = store.write_now(rebuild.begin)
    for grain, start_ms in rebuild.steps(plan):
        store.write_now(rebuild.build, grain, start_ms)
    store.write_now(rebuild.finish, plan.seen)


def _questions() -> Iterator[tuple[str, Question]]:
    def by(*fields: str) -> object:
        return lambda series: tuple(str(getattr(series, field)) for field in fields)

    def one(series: Series) -> Group | None:
        return (series.model,) if series.key_id == "key-7" else None

    ragged = START_MS + 17 * HOUR_MS + 123_456
    asks = (
        ("by model, 90 days", START_MS, by("model"), None),
        ("by key and model, 90 days", START_MS, by("key_id", "model"), None),
        ("by user, from within an hour", ragged, by("user_id"), None),
        ("by day, 90 days", START_MS, by(), Grain.DAY),
        ("by day and key, 90 days", START_MS, by("key_id"), Grain.DAY),
        ("by hour, 7 days", END_MS - 7 * DAY_MS, by(), Grain.HOUR),
        ("by month and model", START_MS, by("model"), Grain.MONTH),
        ("one key by day and model", START_MS, one, Grain.DAY),
    )
    for name, since_ms, place, every in asks:
        yield name, Question(since_ms, END_MS, place, every)  # type: ignore[arg-type]
    yield "by tag, 90 days", Question(START_MS, END_MS, lambda series: (series.tags,), None, tagged=True)


def _measured(store: Store, name: str, question: Question) -> float:
    """Milliseconds of CPU in the best round."""
    cpu_ms, took_ms, groups = [], [], 0
    for _ in range(ROUNDS):
        begun, spent = time.perf_counter(), time.thread_time()
        groups = len(store.read_now(gather, question))
        took_ms.append((time.perf_counter() - begun) * 1e3)
        cpu_ms.append((time.thread_time() - spent) * 1e3)
    print(f"{name:32} CPU {min(cpu_ms):6.1f} ms, took {min(took_ms):6.1f} ms  {groups:7,} groups", flush=True)
    return min(cpu_ms)


def _timed(what: str, work: object) -> None:
    begun = time.perf_counter()
    work()  # type: ignore[operator]
    print(f"{what} in {time.perf_counter() - begun:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
