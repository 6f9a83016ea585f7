# ruff: noqa: S608 - literals are joined with literals, once, at import; a test reads the syntax trees
"""Every statement of the store, per engine: literals only, values always bound.

Nothing is ever formatted into SQL (Pony evaluates `$...` in query text).

Map: connection, schema, ledger writes, recovery and loading, usage queries, management, proof.
"""

from __future__ import annotations

from typing import Final

# -- connection ---------------------------------------------------------------------------------------

WAL: Final = "PRAGMA journal_mode=WAL"
PRAGMAS: Final = (
    ("PRAGMA synchronous=FULL", "PRAGMA synchronous", 2),
    ("PRAGMA foreign_keys=ON", "PRAGMA foreign_keys", 1),
    ("PRAGMA journal_size_limit=-1", "PRAGMA journal_size_limit", -1),
)
WRITER_PRAGMAS: Final = (
    ("PRAGMA busy_timeout=250", "PRAGMA busy_timeout", 250),
    ("PRAGMA wal_autocheckpoint=1000", "PRAGMA wal_autocheckpoint", 1000),
)
READER_PRAGMAS: Final = (
    ("PRAGMA busy_timeout=5000", "PRAGMA busy_timeout", 5000),
    ("PRAGMA wal_autocheckpoint=0", "PRAGMA wal_autocheckpoint", 0),
    ("PRAGMA query_only=ON", "PRAGMA query_only", 1),
)
QUICK_CHECK: Final = "PRAGMA quick_check(1)"
INTEGRITY_CHECK: Final = "PRAGMA integrity_check(100)"
CHECKPOINT: Final = "PRAGMA wal_checkpoint(PASSIVE)"
SMALL_CACHE: Final = "PRAGMA cache_size=16"
USUAL_CACHE: Final = "PRAGMA cache_size=-8192"
GROW_WAL: Final = (
    "CREATE TABLE otari_ballast(body BLOB NOT NULL)",
    "INSERT INTO otari_ballast VALUES (zeroblob(4456448))",
)
NOTHING: Final = "SELECT 1"
BEGIN: Final = "BEGIN"
BEGIN_IMMEDIATE: Final = "BEGIN IMMEDIATE"
ROLLBACK: Final = "ROLLBACK"
SAVEPOINT: Final = "SAVEPOINT one_write"
RELEASE: Final = "RELEASE one_write"
ROLLBACK_TO: Final = "ROLLBACK TO one_write"
BACKUP: Final = "VACUUM INTO ?"

# -- schema -------------------------------------------------------------------------------------------

SCHEMA_TABLE: Final = """CREATE TABLE IF NOT EXISTS otari_schema(
  rev INTEGER PRIMARY KEY, title TEXT NOT NULL, checksum TEXT NOT NULL, applied_ms INTEGER NOT NULL) STRICT"""
SCHEMA_PRESENT: Final = "SELECT count(*) FROM sqlite_schema WHERE name = 'otari_schema'"
TABLES: Final = "SELECT count(*) FROM sqlite_schema WHERE name <> 'otari_schema'"
SCHEMA_ROWS: Final = "SELECT rev, checksum FROM otari_schema ORDER BY rev"
SCHEMA_ADD: Final = "INSERT INTO otari_schema VALUES (?, ?, ?, ?)"

# -- ledger writes ------------------------------------------------------------------------------------


BALANCE_OPEN: Final = "INSERT INTO balance(account_id, period_start_ms) VALUES (?, ?) ON CONFLICT DO NOTHING"
BUNDLE_OPEN: Final = "INSERT INTO bundle VALUES (?, ?, ?)"
RATE_CARD_ADD: Final = """INSERT INTO rate_card VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO NOTHING"""
HOLD_ADD: Final = """INSERT INTO hold(rid, bundle_id, key_id, user_id, owner_epoch, created_ms, endpoint,
  model, provider, stream, rate_card_id, prompt_presumed, held_n, input_max, output_max, tags, state,
  posted_n, overage_n, settled_ms, u_input, u_cache_read, u_cache_write, u_output, u_reasoning, u_audio_input,
  u_audio_output, u_images, u_requests, u_tool_calls, progress_out, reason, status, first_byte_us,
  duration_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
  ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
HOLD_SETTLE: Final = """UPDATE hold SET rate_card_id = coalesce(?, rate_card_id), state = ?, posted_n = ?,
  overage_n = ?, settled_ms = ?, u_input = ?,
  u_cache_read = ?, u_cache_write = ?, u_output = ?, u_reasoning = ?, u_audio_input = ?, u_audio_output = ?,
  u_images = ?, u_requests = ?, u_tool_calls = ?, progress_out = ?, reason = ?, status = ?,
  first_byte_us = ?, duration_us = ? WHERE rid = ? AND state IN (0, 1)"""
HOLD_PROGRESS: Final = "UPDATE hold SET progress_out = ? WHERE rid = ? AND state IN (0, 1)"
BALANCE_MOVE: Final = """UPDATE balance SET limit_n = CASE ? WHEN 1 THEN ? ELSE limit_n END,
  pending_n = pending_n + ?, posted_n = posted_n + ?, overage_n = overage_n + ?
  WHERE account_id = ? AND period_start_ms = ?"""
BALANCE_ACKNOWLEDGE: Final = """UPDATE balance SET acknowledged_n = acknowledged_n + ?
  WHERE account_id = ? AND period_start_ms = ?"""

# -- recovery and loading -----------------------------------------------------------------------------

EPOCH_NEXT: Final = "UPDATE meta SET value = value + 1 WHERE name = 'epoch' RETURNING value"
ORPHANS: Final = """SELECT h.rid, h.bundle_id, h.state, h.held_n, h.prompt_presumed, h.progress_out,
  h.rate_card_id, r_input, r_cache_read, r_cache_write, r_output, r_reasoning, r_audio_input,
  r_audio_output, r_images, r_requests, r_tool_calls, h.key_id, h.user_id, h.created_ms, h.endpoint, h.model,
  h.provider, h.tags
  FROM hold h LEFT JOIN rate_card c ON c.id = h.rate_card_id WHERE h.state < 2 AND h.owner_epoch < ?"""
BUNDLE_LEGS: Final = "SELECT account_id, period_start_ms FROM bundle WHERE bundle_id = ?"
ACCOUNTS: Final = """SELECT a.id, b.id, b.name, b.limit_n, b.window, b.enforced FROM account a
  JOIN budget b ON b.id = a.budget_id ORDER BY a.id"""
LATEST_BALANCES: Final = """SELECT account_id, max(period_start_ms), posted_n, pending_n, overage_n,
  acknowledged_n FROM balance GROUP BY account_id"""

# -- usage queries ------------------------------------------------------------------------------------

_HOLD: Final = """rid, state, created_ms, settled_ms, key_id, user_id, endpoint, model, provider, stream,
  held_n, posted_n, overage_n, reason, status, first_byte_us, duration_us, prompt_presumed, progress_out,
  tags, u_input, u_cache_read, u_cache_write, u_output, u_reasoning, u_audio_input, u_audio_output, u_images,
  u_requests, u_tool_calls"""
_BY_TIME: Final = (
    " FROM hold WHERE (:key_id IS NULL OR +key_id = :key_id) AND (:user_id IS NULL OR +user_id = :user_id)"
)
_BY_KEY: Final = " FROM hold WHERE key_id = :key_id AND (:user_id IS NULL OR +user_id = :user_id)"
_BY_USER: Final = " FROM hold WHERE user_id = :user_id AND (:key_id IS NULL OR +key_id = :key_id)"
_WITHIN: Final = """ AND created_ms >= :since_ms AND created_ms < :until_ms
  AND (:model IS NULL OR model = :model) AND (:provider IS NULL OR provider = :provider)"""
_PAGE: Final = """ AND (created_ms, rid) < (:before_ms, :before_rid)
  ORDER BY created_ms DESC, rid DESC LIMIT :count"""
ROWS: Final = {
    "time": "SELECT " + _HOLD + _BY_TIME + _WITHIN + _PAGE,
    "key": "SELECT " + _HOLD + _BY_KEY + _WITHIN + _PAGE,
    "user": "SELECT " + _HOLD + _BY_USER + _WITHIN + _PAGE,
}
OPEN_HOLDS: Final = "SELECT " + _HOLD + " FROM hold WHERE state < 2 ORDER BY created_ms, rid LIMIT ?"
ONE_HOLD: Final = "SELECT " + _HOLD + " FROM hold WHERE rid = ?"
HOLD_BOUNDS: Final = """SELECT input_max, output_max, c.model, c.effective_ms, c.source, r_input,
  r_cache_read, r_cache_write, r_output, r_reasoning, r_audio_input, r_audio_output, r_images, r_requests,
  r_tool_calls FROM hold h JOIN rate_card c ON c.id = h.rate_card_id WHERE h.rid = ?"""
HOLD_CEILINGS: Final = """SELECT l.account_id, l.period_start_ms, a.budget_id, g.name, g.limit_n, g.enforced,
  a.holder_kind, a.holder_id, l.posted_n, l.pending_n, l.overage_n FROM hold h
  JOIN bundle u ON u.bundle_id = h.bundle_id
  JOIN balance l ON l.account_id = u.account_id AND l.period_start_ms = u.period_start_ms
  JOIN account a ON a.id = l.account_id JOIN budget g ON g.id = a.budget_id
  WHERE h.rid = ? ORDER BY l.account_id"""

# -- management ---------------------------------------------------------------------------------------

_KEY: Final = """id, digest, prefix, name, user_id, created_ms, expires_ms, revoked_ms, models, last_used_ms,
  metadata"""
KEYS: Final = "SELECT " + _KEY + " FROM api_key ORDER BY created_ms, id"
KEY_ONE: Final = "SELECT " + _KEY + " FROM api_key WHERE id = ?"
KEY_ADD: Final = """INSERT INTO api_key(id, digest, prefix, name, user_id, created_ms, expires_ms, revoked_ms,
  models, last_used_ms, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)"""
KEY_SET: Final = """UPDATE api_key SET name = ?, expires_ms = ?, revoked_ms = ?, models = ?, metadata = ?
  WHERE id = ?"""
KEY_REVOKE: Final = "UPDATE api_key SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL"
KEY_ROTATE: Final = "UPDATE api_key SET digest = ?, prefix = ?, last_used_ms = NULL WHERE id = ?"
KEY_DELETE: Final = "DELETE FROM api_key WHERE id = ?"
KEY_TOUCH: Final = "UPDATE api_key SET last_used_ms = max(coalesce(last_used_ms, 0), ?) WHERE id = ?"

USER_ADD: Final = (
    "INSERT INTO user(id, alias, blocked, created_ms, deleted_ms, metadata) VALUES (?, ?, ?, ?, ?, ?)"
)
USER_SET: Final = "UPDATE user SET alias = ?, blocked = ?, metadata = ? WHERE id = ? AND deleted_ms IS NULL"
USER_DELETE: Final = "UPDATE user SET deleted_ms = ? WHERE id = ? AND deleted_ms IS NULL"
USER_REVIVE: Final = """UPDATE user SET alias = ?, blocked = ?, created_ms = ?, deleted_ms = NULL,
  metadata = ? WHERE id = ? AND deleted_ms IS NOT NULL"""

BUDGET_ADD: Final = """INSERT INTO budget(id, name, limit_n, window, enforced, pooled, created_ms)
  VALUES (?, ?, ?, ?, ?, ?, ?)"""
BUDGET_SET: Final = """UPDATE budget SET name = ?, limit_n = ?, window = ?, enforced = ?
  WHERE id = ? AND deleted_ms IS NULL"""
BUDGET_POOLED: Final = "SELECT pooled FROM budget WHERE id = ? AND deleted_ms IS NULL"
BUDGET_DELETE: Final = "UPDATE budget SET deleted_ms = ? WHERE id = ? AND deleted_ms IS NULL"
BUDGET_REFERRERS: Final = """SELECT holder_kind, holder_id FROM budget_assignment WHERE budget_id = ?
  ORDER BY holder_kind, holder_id LIMIT 100"""
ACCOUNT_FIND: Final = "SELECT id FROM account WHERE budget_id = ? AND holder_kind = ? AND holder_id = ?"
ACCOUNT_ADD: Final = "INSERT INTO account VALUES (?, ?, ?, ?)"
ASSIGNMENT_ADD: Final = "INSERT INTO budget_assignment VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
ASSIGNMENTS: Final = """SELECT budget_id, holder_kind, holder_id, account_id FROM budget_assignment
  ORDER BY budget_id, holder_kind, holder_id"""
ASSIGNMENT_DELETE: Final = """DELETE FROM budget_assignment
  WHERE budget_id = ? AND holder_kind = ? AND holder_id = ?"""

PRICE_ADD: Final = """INSERT INTO price(model, effective_ms, source, context_tokens, output_tokens_max,
  r_input, r_cache_read, r_cache_write, r_output, r_reasoning, r_audio_input, r_audio_output, r_images,
  r_requests, r_tool_calls, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT(model, effective_ms) DO UPDATE SET source = excluded.source,
  context_tokens = excluded.context_tokens, output_tokens_max = excluded.output_tokens_max,
  r_input = excluded.r_input, r_cache_read = excluded.r_cache_read, r_cache_write = excluded.r_cache_write,
  r_output = excluded.r_output, r_reasoning = excluded.r_reasoning, r_audio_input = excluded.r_audio_input,
  r_audio_output = excluded.r_audio_output, r_images = excluded.r_images, r_requests = excluded.r_requests,
  r_tool_calls = excluded.r_tool_calls, updated_ms = excluded.updated_ms"""
PRICE_DATES: Final = "SELECT model, effective_ms, created_ms, updated_ms FROM price"
PRICE_DELETE: Final = "DELETE FROM price WHERE model = ? AND effective_ms = ?"

_REFUSAL: Final = "at_ms, request_id, key_id, code, detail, user_id, endpoint, model, status, budget"
REFUSAL_ADD: Final = "INSERT INTO refusal(" + _REFUSAL + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
REFUSAL_TRIM: Final = "DELETE FROM refusal WHERE id <= (SELECT max(id) FROM refusal) - ?"
REFUSALS: Final = "SELECT id, " + _REFUSAL + " FROM refusal WHERE id < ? ORDER BY id DESC LIMIT ?"
REFUSAL_ONE: Final = "SELECT " + _REFUSAL + " FROM refusal WHERE request_id = ? ORDER BY id DESC LIMIT 1"
REFUSAL_GROUPS: Final = (
    "SELECT number, "
    + _REFUSAL
    + """ FROM refusal JOIN (SELECT max(id) AS newest, count(*) AS number FROM refusal
  WHERE at_ms >= ? GROUP BY code, budget) ON id = newest ORDER BY number DESC, id DESC LIMIT ?"""
)

# -- proof --------------------------------------------------------------------------------------------

PROOF_HOLDS: Final = """SELECT rid, bundle_id, rate_card_id, state, held_n, posted_n, overage_n, reason,
  settled_ms, status, first_byte_us, duration_us, progress_out, u_input, u_cache_read, u_cache_write,
  u_output, u_reasoning, u_audio_input, u_audio_output, u_images, u_requests, u_tool_calls FROM hold"""
PROOF_BUNDLES: Final = "SELECT bundle_id, account_id, period_start_ms FROM bundle"
PROOF_BALANCES: Final = """SELECT account_id, period_start_ms, limit_n, posted_n, pending_n, overage_n,
  acknowledged_n FROM balance"""
PROOF_CARDS: Final = """SELECT id, r_input, r_cache_read, r_cache_write, r_output, r_reasoning, r_audio_input,
  r_audio_output, r_images, r_requests, r_tool_calls, model, effective_ms, source FROM rate_card"""
