"""The tables, as numbered forward revisions. An applied revision is never edited; its checksum is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

UNSET: Final = 1 << 46
"""What a quantity, a time or a code holds until its request is settled.

Six bytes, as wide as any value that will replace it: so a settlement never makes a row grow.
"""

UNSET_NANO: Final = 1 << 62
"""What an amount holds until its request is settled; eight bytes."""

HELD, SENT, POSTED, VOIDED, PRESUMED = range(5)
"""States of a hold, as stored: the first two are open."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the schema: statements that run in one transaction."""

    rev: int
    title: str
    statements: tuple[str, ...]

    @property
    def checksum(self) -> str:
        """Sixteen hex digits over the statements."""
        return hashlib.sha256("\n;\n".join(self.statements).encode()).hexdigest()[:16]


_RATES = """
  r_input INTEGER NOT NULL, r_cache_read INTEGER NOT NULL, r_cache_write INTEGER NOT NULL,
  r_output INTEGER NOT NULL, r_reasoning INTEGER NOT NULL, r_audio_input INTEGER NOT NULL,
  r_audio_output INTEGER NOT NULL, r_images INTEGER NOT NULL, r_requests INTEGER NOT NULL,
  r_tool_calls INTEGER NOT NULL"""

_FIRST = (
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT",
    "INSERT INTO meta VALUES ('epoch', 0)",
    """CREATE TABLE user(
  id TEXT PRIMARY KEY, alias TEXT, blocked INTEGER NOT NULL, created_ms INTEGER NOT NULL,
  deleted_ms INTEGER, metadata TEXT NOT NULL) STRICT""",
    """CREATE TABLE api_key(
  id TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, prefix TEXT NOT NULL, name TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES user(id), created_ms INTEGER NOT NULL, expires_ms INTEGER,
  revoked_ms INTEGER, last_used_ms INTEGER, models TEXT, metadata TEXT NOT NULL) STRICT""",
    "CREATE INDEX api_key_user ON api_key(user_id)",
    """CREATE TABLE budget(
  id TEXT PRIMARY KEY, name TEXT NOT NULL, limit_n INTEGER CHECK(limit_n >= 0), window TEXT NOT NULL,
  enforced INTEGER NOT NULL, pooled INTEGER NOT NULL, created_ms INTEGER NOT NULL,
  deleted_ms INTEGER) STRICT""",
    """CREATE TABLE account(
  id INTEGER PRIMARY KEY, budget_id TEXT NOT NULL REFERENCES budget(id), holder_kind TEXT NOT NULL,
  holder_id TEXT NOT NULL, UNIQUE(budget_id, holder_kind, holder_id)) STRICT""",
    """CREATE TABLE budget_assignment(
  budget_id TEXT NOT NULL REFERENCES budget(id), holder_kind TEXT NOT NULL, holder_id TEXT NOT NULL,
  account_id INTEGER NOT NULL REFERENCES account(id), created_ms INTEGER NOT NULL,
  PRIMARY KEY(budget_id, holder_kind, holder_id)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX assignment_account ON budget_assignment(account_id)",
    """CREATE TABLE price(
  model TEXT NOT NULL, effective_ms INTEGER NOT NULL, source TEXT NOT NULL, context_tokens INTEGER,
  output_tokens_max INTEGER,"""
    + _RATES
    + ", PRIMARY KEY(model, effective_ms)) STRICT, WITHOUT ROWID",
    # limit_n is the cap at the last admission, so the second CHECK is the promise itself
    """CREATE TABLE balance(
  account_id INTEGER NOT NULL REFERENCES account(id), period_start_ms INTEGER NOT NULL, limit_n INTEGER,
  posted_n INTEGER NOT NULL DEFAULT 0 CHECK(posted_n >= 0),
  pending_n INTEGER NOT NULL DEFAULT 0 CHECK(pending_n >= 0),
  overage_n INTEGER NOT NULL DEFAULT 0 CHECK(overage_n >= 0),
  acknowledged_n INTEGER NOT NULL DEFAULT 0 CHECK(acknowledged_n BETWEEN 0 AND overage_n),
  PRIMARY KEY(account_id, period_start_ms),
  CHECK(limit_n IS NULL OR posted_n + pending_n <= limit_n)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE bundle(
  bundle_id INTEGER NOT NULL, account_id INTEGER NOT NULL, period_start_ms INTEGER NOT NULL,
  PRIMARY KEY(bundle_id, account_id),
  FOREIGN KEY(account_id, period_start_ms) REFERENCES balance(account_id, period_start_ms)
  ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE rate_card(
  id INTEGER PRIMARY KEY, model TEXT NOT NULL, effective_ms INTEGER NOT NULL, source TEXT NOT NULL,"""
    + _RATES
    + ") STRICT",
    # a hold's row becomes the usage row: everything settled later is here from the start, at full width
    """CREATE TABLE hold(
  rid BLOB PRIMARY KEY, bundle_id INTEGER NOT NULL, key_id TEXT NOT NULL, user_id TEXT NOT NULL,
  owner_epoch INTEGER NOT NULL, created_ms INTEGER NOT NULL, endpoint TEXT NOT NULL, model TEXT NOT NULL,
  provider TEXT NOT NULL, stream INTEGER NOT NULL, rate_card_id INTEGER NOT NULL,
  prompt_presumed INTEGER NOT NULL, held_n INTEGER NOT NULL CHECK(held_n >= 0), state INTEGER NOT NULL,
  posted_n INTEGER NOT NULL, overage_n INTEGER NOT NULL, settled_ms INTEGER NOT NULL,
  u_input INTEGER NOT NULL, u_cache_read INTEGER NOT NULL, u_cache_write INTEGER NOT NULL,
  u_output INTEGER NOT NULL, u_reasoning INTEGER NOT NULL, u_audio_input INTEGER NOT NULL,
  u_audio_output INTEGER NOT NULL, u_images INTEGER NOT NULL, u_requests INTEGER NOT NULL,
  u_tool_calls INTEGER NOT NULL, progress_out INTEGER NOT NULL, reason INTEGER NOT NULL,
  status INTEGER NOT NULL, first_byte_us INTEGER NOT NULL, duration_us INTEGER NOT NULL) STRICT""",
    "CREATE INDEX hold_open ON hold(owner_epoch) WHERE state < 2",
    "CREATE INDEX hold_key ON hold(key_id, created_ms)",
    "CREATE INDEX hold_user ON hold(user_id, created_ms)",
    "CREATE INDEX hold_created ON hold(created_ms)",
    """CREATE TABLE refusal(
  id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, request_id TEXT NOT NULL, key_id TEXT, code TEXT NOT NULL,
  detail TEXT NOT NULL) STRICT""",
)

_EXPLAINING = (
    "ALTER TABLE hold ADD COLUMN input_max INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE hold ADD COLUMN output_max INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE price ADD COLUMN created_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE price ADD COLUMN updated_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE refusal ADD COLUMN user_id TEXT",
    "ALTER TABLE refusal ADD COLUMN endpoint TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE refusal ADD COLUMN model TEXT",
    "ALTER TABLE refusal ADD COLUMN status INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE refusal ADD COLUMN budget TEXT",
)

_REPORTING = (
    "ALTER TABLE hold ADD COLUMN tags TEXT NOT NULL DEFAULT ''",
    """CREATE TABLE usage_series(
  id INTEGER PRIMARY KEY, key_id TEXT NOT NULL, user_id TEXT NOT NULL, model TEXT NOT NULL,
  provider TEXT NOT NULL, endpoint TEXT NOT NULL, status INTEGER NOT NULL, tags TEXT NOT NULL) STRICT""",
    """CREATE TABLE usage_cell(
  grain INTEGER NOT NULL, start_ms INTEGER NOT NULL, series_id INTEGER NOT NULL, requests INTEGER NOT NULL,
  u_input INTEGER NOT NULL, u_cache_read INTEGER NOT NULL, u_cache_write INTEGER NOT NULL,
  u_output INTEGER NOT NULL, u_reasoning INTEGER NOT NULL, u_audio_input INTEGER NOT NULL,
  u_audio_output INTEGER NOT NULL, cost_n INTEGER NOT NULL, duration_us INTEGER NOT NULL,
  PRIMARY KEY(grain, start_ms, series_id)) STRICT, WITHOUT ROWID""",
    # exact from the start where there is no row yet; else they are built from the rows while serving
    """INSERT INTO meta SELECT 'usage_cells', CASE WHEN EXISTS (SELECT 1 FROM hold) THEN 0 ELSE 1 END""",
)

REVISIONS: Final = (
    Revision(1, "the ledger and what operators set up", _FIRST),
    Revision(2, "what explains a hold, a price and a refusal", _EXPLAINING),
    Revision(3, "what usage adds up to, and tags", _REPORTING),
)
