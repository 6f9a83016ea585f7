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

REF_CHARS: Final = 48
"""What a provider's own request id is kept at: as wide from the start as it ever is."""

UNSET_REF: Final = " " * REF_CHARS
"""What a provider's request id holds until there is one."""

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

_MARKED = ("INSERT INTO meta VALUES ('batch', 0)",)

_BUDGET_LIFE = (
    "ALTER TABLE budget ADD COLUMN on_exceed TEXT NOT NULL DEFAULT 'block'",
    "ALTER TABLE budget ADD COLUMN updated_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE user ADD COLUMN updated_ms INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX budget_name ON budget(name)",
    """CREATE TABLE budget_raise(
  id TEXT PRIMARY KEY, budget_id TEXT NOT NULL REFERENCES budget(id),
  amount_n INTEGER NOT NULL CHECK(amount_n > 0), until_ms INTEGER NOT NULL, created_ms INTEGER NOT NULL,
  uid INTEGER NOT NULL, reason TEXT, revoked_ms INTEGER) STRICT""",
    "CREATE INDEX budget_raise_budget ON budget_raise(budget_id)",
    """CREATE TABLE frozen(
  holder_kind TEXT NOT NULL, holder_id TEXT NOT NULL, until_ms INTEGER, reason TEXT NOT NULL,
  created_ms INTEGER NOT NULL, uid INTEGER NOT NULL, PRIMARY KEY(holder_kind, holder_id)
  ) STRICT, WITHOUT ROWID""",
    "CREATE TABLE hold_instead(rid BLOB PRIMARY KEY, asked TEXT NOT NULL, budget_id TEXT NOT NULL) STRICT",
    # what budgets that only watch would have refused, per balance
    """CREATE TABLE watched(
  account_id INTEGER NOT NULL REFERENCES account(id), period_start_ms INTEGER NOT NULL,
  times INTEGER NOT NULL, last_ms INTEGER NOT NULL, last_rid BLOB NOT NULL, last_n INTEGER NOT NULL,
  PRIMARY KEY(account_id, period_start_ms)) STRICT, WITHOUT ROWID""",
)

_IDEMPOTENCY = (
    """CREATE TABLE idempotency(
  key_id TEXT NOT NULL, endpoint TEXT NOT NULL, name TEXT NOT NULL, fingerprint BLOB NOT NULL,
  rid BLOB NOT NULL, created_ms INTEGER NOT NULL, answer_bytes INTEGER NOT NULL, answer BLOB,
  content_type TEXT, provider TEXT, PRIMARY KEY(key_id, endpoint, name)) STRICT""",
    "CREATE INDEX idempotency_created ON idempotency(created_ms)",
    "CREATE INDEX idempotency_rid ON idempotency(rid)",
    "CREATE INDEX idempotency_key ON idempotency(key_id, created_ms, answer_bytes)",
)

_LIMITS = (
    """CREATE TABLE holder_limit(
  holder_kind TEXT NOT NULL, holder_id TEXT NOT NULL, rpm INTEGER CHECK(rpm > 0),
  tpm INTEGER CHECK(tpm > 0), max_parallel INTEGER CHECK(max_parallel > 0),
  PRIMARY KEY(holder_kind, holder_id)) STRICT, WITHOUT ROWID""",
    "ALTER TABLE refusal ADD COLUMN limited_by TEXT",
)

_CORRECTING = (
    """CREATE TABLE adjustment(
  rid BLOB NOT NULL, source TEXT NOT NULL, source_ref TEXT NOT NULL, amount_n INTEGER NOT NULL,
  made_ms INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY(rid, source, source_ref)
  ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE adjustment_share(
  rid BLOB NOT NULL, source TEXT NOT NULL, source_ref TEXT NOT NULL, account_id INTEGER NOT NULL,
  period_start_ms INTEGER NOT NULL, posted_n INTEGER NOT NULL, overage_n INTEGER NOT NULL,
  PRIMARY KEY(rid, source, source_ref, account_id),
  FOREIGN KEY(rid, source, source_ref) REFERENCES adjustment(rid, source, source_ref),
  FOREIGN KEY(account_id, period_start_ms) REFERENCES balance(account_id, period_start_ms)
  ) STRICT, WITHOUT ROWID""",
)

_RECONCILING = ("ALTER TABLE hold ADD COLUMN provider_ref TEXT NOT NULL DEFAULT ''",)

_MORE_CLASSES = (
    "ALTER TABLE hold ADD COLUMN u_cache_write_1h INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE hold ADD COLUMN u_image_input INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE hold ADD COLUMN u_image_output INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE hold ADD COLUMN u_seconds INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE hold ADD COLUMN u_characters INTEGER NOT NULL DEFAULT 0",
    # a hold that the last release left open is to look like any open one
    """UPDATE hold SET u_cache_write_1h = u_input, u_image_input = u_input, u_image_output = u_input,
  u_seconds = u_input, u_characters = u_input WHERE state < 2""",
    "ALTER TABLE rate_card ADD COLUMN r_cache_write_1h INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE rate_card ADD COLUMN r_image_input INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE rate_card ADD COLUMN r_image_output INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE rate_card ADD COLUMN r_seconds INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE rate_card ADD COLUMN r_characters INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE price ADD COLUMN r_cache_write_1h INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE price ADD COLUMN r_image_input INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE price ADD COLUMN r_image_output INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE price ADD COLUMN r_seconds INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE price ADD COLUMN r_characters INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE price ADD COLUMN tiers TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE price ADD COLUMN services TEXT NOT NULL DEFAULT ''",
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
  u_audio_output INTEGER NOT NULL, u_cache_write_1h INTEGER NOT NULL, u_image_input INTEGER NOT NULL,
  u_image_output INTEGER NOT NULL, cost_n INTEGER NOT NULL, duration_us INTEGER NOT NULL,
  PRIMARY KEY(grain, start_ms, series_id)) STRICT, WITHOUT ROWID""",
    # exact from the start where there is no row yet; else they are built from the rows while serving
    """INSERT INTO meta SELECT 'usage_cells', CASE WHEN EXISTS (SELECT 1 FROM hold) THEN 0 ELSE 1 END""",
)

_SHARED = (
    """CREATE TABLE node(
  epoch INTEGER PRIMARY KEY, batch INTEGER NOT NULL, heartbeat_ms INTEGER NOT NULL) STRICT""",
    # what a node has of a balance beyond what it holds; it is part of the balance's pending_n
    """CREATE TABLE lease(
  account_id INTEGER NOT NULL, period_start_ms INTEGER NOT NULL, epoch INTEGER NOT NULL,
  idle_n INTEGER NOT NULL CHECK(idle_n >= 0), PRIMARY KEY(account_id, period_start_ms, epoch),
  FOREIGN KEY(account_id, period_start_ms) REFERENCES balance(account_id, period_start_ms)
  ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX lease_epoch ON lease(epoch)",
    """CREATE TABLE lease_recall(
  account_id INTEGER NOT NULL, period_start_ms INTEGER NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY(account_id, period_start_ms)) STRICT, WITHOUT ROWID""",
    "INSERT INTO meta VALUES ('generation', 0)",
)

REVISIONS: Final = (
    Revision(1, "the ledger and what operators set up", _FIRST),
    Revision(2, "what explains a hold, a price and a refusal", _EXPLAINING),
    Revision(3, "the mark of the last batch, by which a commit whose answer was lost is known", _MARKED),
    Revision(4, "raises, freezes, what to do instead, what would have been refused", _BUDGET_LIFE),
    Revision(5, "idempotency keys", _IDEMPOTENCY),
    Revision(6, "limits of keys and users, and which one refused", _LIMITS),
    Revision(7, "corrections of what was charged", _CORRECTING),
    Revision(8, "what the provider calls a request", _RECONCILING),
    Revision(9, "more classes of use, and prices with tiers", _MORE_CLASSES),
    Revision(10, "what usage adds up to, and tags", _REPORTING),
    Revision(11, "nodes that share the ledger, and what they lease of balances", _SHARED),
)
