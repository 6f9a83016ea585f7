# ruff: noqa: S608 - literals are joined with literals, once, at import; a test reads the syntax trees
"""Every statement of the store, per engine: literals only, values always bound.

Nothing is ever formatted into SQL (Pony evaluates `$...` in query text).

Map: connection, schema, ledger writes, recovery and loading, usage queries, management, proof.
"""

from __future__ import annotations

from typing import Final

# -- connection ---------------------------------------------------------------------------------------

WAL: Final = "PRAGMA journal_mode=WAL"
NO_WAL: Final = "PRAGMA journal_mode=DELETE"
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
RATE_CARD_ADD: Final = """INSERT INTO rate_card
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO NOTHING"""
HOLD_ADD: Final = """INSERT INTO hold(rid, bundle_id, key_id, user_id, owner_epoch, created_ms, endpoint,
  model, provider, stream, rate_card_id, prompt_presumed, held_n, input_max, output_max, tags, state,
  posted_n, overage_n, settled_ms, u_input, u_cache_read, u_cache_write, u_output, u_reasoning, u_audio_input,
  u_audio_output, u_images, u_requests, u_tool_calls, u_cache_write_1h, u_image_input, u_image_output,
  u_seconds, u_characters, progress_out, reason, status, first_byte_us,
  duration_us, provider_ref) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
  ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
HOLD_SETTLE: Final = """UPDATE hold SET rate_card_id = coalesce(?, rate_card_id), state = ?, posted_n = ?,
  overage_n = ?, settled_ms = ?, u_input = ?,
  u_cache_read = ?, u_cache_write = ?, u_output = ?, u_reasoning = ?, u_audio_input = ?, u_audio_output = ?,
  u_images = ?, u_requests = ?, u_tool_calls = ?, u_cache_write_1h = ?, u_image_input = ?,
  u_image_output = ?, u_seconds = ?, u_characters = ?, progress_out = ?, reason = ?, status = ?,
  first_byte_us = ?, duration_us = ?, provider_ref = ? WHERE rid = ? AND state IN (0, 1)"""
HOLD_INSTEAD: Final = "INSERT INTO hold_instead(rid, asked, budget_id) VALUES (?, ?, ?)"
HOLD_PROGRESS: Final = "UPDATE hold SET progress_out = ? WHERE rid = ? AND state IN (0, 1)"
BALANCE_MOVE: Final = """UPDATE balance SET limit_n = CASE ? WHEN 1 THEN ? ELSE limit_n END,
  pending_n = pending_n + ?, posted_n = posted_n + ?, overage_n = overage_n + ?,
  acknowledged_n = acknowledged_n + ? WHERE account_id = ? AND period_start_ms = ?"""
ADJUSTMENT_ADD: Final = "INSERT INTO adjustment VALUES (?, ?, ?, ?, ?, ?)"
ADJUSTMENT_SHARE_ADD: Final = "INSERT INTO adjustment_share VALUES (?, ?, ?, ?, ?, ?, ?)"

# -- recovery and loading -----------------------------------------------------------------------------

EPOCH_NEXT: Final = "UPDATE meta SET value = value + 1 WHERE name = 'epoch' RETURNING value"
ORPHANS: Final = """SELECT h.rid, h.bundle_id, h.state, h.held_n, h.prompt_presumed, h.progress_out,
  h.rate_card_id, r_input, r_cache_read, r_cache_write, r_output, r_reasoning, r_audio_input,
  r_audio_output, r_images, r_requests, r_tool_calls, r_cache_write_1h, r_image_input, r_image_output,
  r_seconds, r_characters, h.key_id, h.user_id, h.created_ms, h.endpoint, h.model, h.provider, h.tags
  FROM hold h LEFT JOIN rate_card c ON c.id = h.rate_card_id
  WHERE h.state < 2 AND h.owner_epoch < ? ORDER BY h.rid"""
LEASES_LEFT: Final = """SELECT account_id, period_start_ms, sum(idle_n) FROM lease WHERE epoch < ?
  GROUP BY account_id, period_start_ms ORDER BY account_id, period_start_ms"""
LEASES_FORGET: Final = "DELETE FROM lease WHERE epoch < ?"
NODES_FORGET: Final = "DELETE FROM node WHERE epoch < ?"
BUNDLE_LEGS: Final = "SELECT account_id, period_start_ms FROM bundle WHERE bundle_id = ?"
ACCOUNTS: Final = """SELECT a.id, b.id, b.name, b.limit_n, b.window, b.enforced, b.on_exceed FROM account a
  JOIN budget b ON b.id = a.budget_id ORDER BY a.id"""
LATEST_BALANCES: Final = """SELECT account_id, period_start_ms, posted_n, pending_n, overage_n, acknowledged_n
  FROM balance b WHERE period_start_ms =
  (SELECT max(period_start_ms) FROM balance WHERE account_id = b.account_id)"""

# -- usage queries ------------------------------------------------------------------------------------

_HOLD: Final = """rid, state, created_ms, settled_ms, key_id, user_id, endpoint, model, provider, stream,
  held_n, posted_n, overage_n, reason, status, first_byte_us, duration_us, prompt_presumed, progress_out,
  tags, u_input, u_cache_read, u_cache_write, u_output, u_reasoning, u_audio_input, u_audio_output, u_images,
  u_requests, u_tool_calls, u_cache_write_1h, u_image_input, u_image_output, u_seconds, u_characters"""
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
  r_tool_calls, r_cache_write_1h, r_image_input, r_image_output, r_seconds, r_characters, provider_ref
  FROM hold h JOIN rate_card c ON c.id = h.rate_card_id WHERE h.rid = ?"""
HOLD_CEILINGS: Final = """SELECT l.account_id, l.period_start_ms, a.budget_id, g.name, g.limit_n, g.enforced,
  a.holder_kind, a.holder_id, l.posted_n, l.pending_n, l.overage_n FROM hold h
  JOIN bundle u ON u.bundle_id = h.bundle_id
  JOIN balance l ON l.account_id = u.account_id AND l.period_start_ms = u.period_start_ms
  JOIN account a ON a.id = l.account_id JOIN budget g ON g.id = a.budget_id
  WHERE h.rid = ? ORDER BY l.account_id"""

INSTEAD: Final = """SELECT i.asked, i.budget_id, g.name FROM hold_instead i
  JOIN budget g ON g.id = i.budget_id WHERE i.rid = ?"""

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
KEY_TOUCH: Final = """UPDATE api_key SET last_used_ms = ? WHERE id = ?
  AND coalesce(last_used_ms, 0) < ?"""

CAPS: Final = "SELECT holder_kind, holder_id, rpm, tpm, max_parallel FROM holder_limit"
CAPS_SET: Final = """INSERT INTO holder_limit(holder_kind, holder_id, rpm, tpm, max_parallel)
  VALUES (?, ?, ?, ?, ?) ON CONFLICT(holder_kind, holder_id) DO UPDATE SET rpm = excluded.rpm,
  tpm = excluded.tpm, max_parallel = excluded.max_parallel"""
CAPS_DELETE: Final = "DELETE FROM holder_limit WHERE holder_kind = ? AND holder_id = ?"

USER_ADD: Final = (
    "INSERT INTO user(id, alias, blocked, created_ms, deleted_ms, metadata) VALUES (?, ?, ?, ?, ?, ?)"
)
USER_ONE: Final = "SELECT id, created_ms, alias, blocked, deleted_ms, metadata FROM user WHERE id = ?"
USER_SET: Final = """UPDATE user SET alias = ?, blocked = ?, metadata = ?, updated_ms = ?
  WHERE id = ? AND deleted_ms IS NULL"""
USER_DELETE: Final = "UPDATE user SET deleted_ms = ? WHERE id = ? AND deleted_ms IS NULL"
USER_REVIVE: Final = """UPDATE user SET alias = ?, blocked = ?, created_ms = ?, updated_ms = 0,
  deleted_ms = NULL, metadata = ? WHERE id = ? AND deleted_ms IS NOT NULL"""

_BUDGET: Final = "id, name, limit_n, window, created_ms, enforced, pooled, on_exceed, updated_ms"
_BUDGETS: Final = "SELECT " + _BUDGET + " FROM budget WHERE deleted_ms IS NULL"
BUDGETS: Final = _BUDGETS + " ORDER BY created_ms, id"
BUDGET_PAGE: Final = _BUDGETS + " ORDER BY created_ms, id LIMIT ? OFFSET ?"
BUDGET_ONE: Final = _BUDGETS + " AND id = ?"
BUDGETS_NAMED: Final = _BUDGETS + " AND name = ? ORDER BY created_ms, id LIMIT 100"
BUDGET_ADD: Final = """INSERT INTO budget(id, name, limit_n, window, enforced, pooled, created_ms, on_exceed)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
BUDGET_SET: Final = """UPDATE budget SET name = ?, limit_n = ?, window = ?, enforced = ?, on_exceed = ?,
  updated_ms = ?
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

_RAISE: Final = "id, amount_n, until_ms, created_ms, uid, reason"
RAISES: Final = (
    "SELECT budget_id, " + _RAISE + " FROM budget_raise WHERE revoked_ms IS NULL ORDER BY until_ms, id"
)
RAISES_OF: Final = (
    "SELECT " + _RAISE + " FROM budget_raise WHERE budget_id = ? AND revoked_ms IS NULL ORDER BY until_ms, id"
)
RAISE_ADD: Final = """INSERT INTO budget_raise(id, budget_id, amount_n, until_ms, created_ms, uid, reason)
  VALUES (?, ?, ?, ?, ?, ?, ?)"""
RAISES_END: Final = """UPDATE budget_raise SET revoked_ms = ?
  WHERE budget_id = ? AND revoked_ms IS NULL AND until_ms > ?"""

FROZEN: Final = """SELECT holder_kind, holder_id, until_ms, reason, created_ms, uid FROM frozen
  ORDER BY created_ms, holder_kind, holder_id"""
FREEZE: Final = """INSERT INTO frozen(holder_kind, holder_id, until_ms, reason, created_ms, uid)
  VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT(holder_kind, holder_id) DO UPDATE SET until_ms = excluded.until_ms,
  reason = excluded.reason, created_ms = excluded.created_ms, uid = excluded.uid"""
UNFREEZE: Final = "DELETE FROM frozen WHERE holder_kind = ? AND holder_id = ?"
FROZEN_ENDED: Final = "DELETE FROM frozen WHERE until_ms <= ?"

WATCHED_ADD: Final = """INSERT INTO watched(account_id, period_start_ms, times, last_ms, last_rid, last_n)
  VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT(account_id, period_start_ms) DO UPDATE SET
  times = watched.times + excluded.times, last_ms = excluded.last_ms, last_rid = excluded.last_rid,
  last_n = excluded.last_n"""
WATCHED: Final = """SELECT g.name, w.times, w.last_ms, w.last_rid, w.last_n, h.key_id, h.user_id, h.endpoint,
  h.model FROM watched w JOIN account a ON a.id = w.account_id JOIN budget g ON g.id = a.budget_id
  LEFT JOIN hold h ON h.rid = w.last_rid WHERE w.last_ms >= ?
  ORDER BY w.times DESC, w.account_id, w.period_start_ms LIMIT ?"""

PRICE_ADD: Final = """INSERT INTO price(model, effective_ms, source, context_tokens, output_tokens_max,
  r_input, r_cache_read, r_cache_write, r_output, r_reasoning, r_audio_input, r_audio_output, r_images,
  r_requests, r_tool_calls, r_cache_write_1h, r_image_input, r_image_output, r_seconds, r_characters,
  tiers, services, created_ms, updated_ms)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT(model, effective_ms) DO UPDATE SET source = excluded.source,
  context_tokens = excluded.context_tokens, output_tokens_max = excluded.output_tokens_max,
  r_input = excluded.r_input, r_cache_read = excluded.r_cache_read, r_cache_write = excluded.r_cache_write,
  r_output = excluded.r_output, r_reasoning = excluded.r_reasoning, r_audio_input = excluded.r_audio_input,
  r_audio_output = excluded.r_audio_output, r_images = excluded.r_images, r_requests = excluded.r_requests,
  r_tool_calls = excluded.r_tool_calls, r_cache_write_1h = excluded.r_cache_write_1h,
  r_image_input = excluded.r_image_input, r_image_output = excluded.r_image_output,
  r_seconds = excluded.r_seconds, r_characters = excluded.r_characters,
  tiers = excluded.tiers, services = excluded.services, updated_ms = excluded.updated_ms"""
PRICE_DATES: Final = "SELECT model, effective_ms, created_ms, updated_ms FROM price"
PRICE_DELETE: Final = "DELETE FROM price WHERE model = ? AND effective_ms = ?"

_REFUSAL: Final = (
    "at_ms, request_id, key_id, code, detail, user_id, endpoint, model, status, budget, limited_by"
)
REFUSAL_ADD: Final = "INSERT INTO refusal(" + _REFUSAL + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
REFUSAL_TRIM: Final = "DELETE FROM refusal WHERE id <= (SELECT max(id) FROM refusal) - ?"
REFUSALS: Final = "SELECT id, " + _REFUSAL + " FROM refusal WHERE id < ? ORDER BY id DESC LIMIT ?"
REFUSAL_ONE: Final = "SELECT " + _REFUSAL + " FROM refusal WHERE request_id = ? ORDER BY id DESC LIMIT 1"
REFUSED_MODELS: Final = """SELECT model, count(*) FROM refusal
  WHERE code = ? AND at_ms >= ? AND model IS NOT NULL GROUP BY model ORDER BY count(*) DESC, model LIMIT ?"""
REFUSAL_GROUPS: Final = (
    "SELECT number, "
    + _REFUSAL
    + """ FROM refusal JOIN (SELECT max(id) AS newest, count(*) AS number FROM refusal
  WHERE at_ms >= ? GROUP BY code, budget, limited_by) AS alike ON id = newest
  ORDER BY number DESC, id DESC LIMIT ?"""
)

# -- proof --------------------------------------------------------------------------------------------

PROOF_HOLDS: Final = """SELECT rid, bundle_id, rate_card_id, state, held_n, posted_n, overage_n, reason,
  settled_ms, status, first_byte_us, duration_us, progress_out, u_input, u_cache_read, u_cache_write,
  u_output, u_reasoning, u_audio_input, u_audio_output, u_images, u_requests, u_tool_calls, u_cache_write_1h,
  u_image_input, u_image_output, u_seconds, u_characters FROM hold"""
PROOF_BUNDLES: Final = "SELECT bundle_id, account_id, period_start_ms FROM bundle"
PROOF_BALANCES: Final = """SELECT account_id, period_start_ms, limit_n, posted_n, pending_n, overage_n,
  acknowledged_n FROM balance"""
PROOF_CARDS: Final = """SELECT id, r_input, r_cache_read, r_cache_write, r_output, r_reasoning, r_audio_input,
  r_audio_output, r_images, r_requests, r_tool_calls, r_cache_write_1h, r_image_input, r_image_output,
  r_seconds, r_characters, model, effective_ms, source FROM rate_card"""
PROOF_LEASES: Final = """SELECT account_id, period_start_ms, sum(idle_n) FROM lease
  GROUP BY account_id, period_start_ms"""
