# ruff: noqa: S608 - literals are joined with literals, once, at import; a test reads the syntax trees
"""What PostgreSQL needs in other words than `sql`; everything else is derived from there by `dialect`."""

from __future__ import annotations

from typing import Final

from otari_daemon.store import sql, sql_copy, sql_usage

# -- connection ---------------------------------------------------------------------------------------

SESSION: Final = "SELECT current_setting('synchronous_commit'), current_setting('server_version_num')"
SYNCHRONOUS: Final = "SET synchronous_commit = on"
CLAIM: Final = "SELECT pg_try_advisory_lock(1869898098, current_schema()::text::regnamespace::oid::int4)"
BEGIN: Final = "BEGIN"
PATIENT: Final = "SET LOCAL statement_timeout = 0"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"
MARK: Final = """BEGIN; UPDATE meta SET value = %s WHERE name = 'batch'
  AND (SELECT value FROM meta WHERE name = 'epoch') = %s"""
MARKED: Final = (
    """SELECT (SELECT value FROM meta WHERE name = 'batch'), value FROM meta WHERE name = 'epoch'"""
)

# -- statements that differ ---------------------------------------------------------------------------

OTHER_WORDS: Final = {
    sql.SCHEMA_PRESENT: """SELECT count(*) FROM pg_catalog.pg_tables
  WHERE schemaname = current_schema() AND tablename = 'otari_schema'""",
    sql.TABLES: """SELECT count(*) FROM pg_catalog.pg_tables
  WHERE schemaname = current_schema() AND tablename <> 'otari_schema'""",
    sql.INTEGRITY_CHECK: "SELECT 'ok'",
    sql_usage.CELLS_ALONE: "LOCK TABLE usage_cell IN SHARE ROW EXCLUSIVE MODE",
    sql_copy.RESUME_NUMBERS: """SELECT setval(pg_get_serial_sequence('refusal', 'id'),
  (SELECT coalesce(max(id), 0) + 1 FROM refusal), false)""",
}
"""The server answers for its own pages; a checksum of every page is its own option."""

_SETTLED: Final = """, state = v.state, posted_n = v.posted_n, overage_n = v.overage_n,
  settled_ms = v.settled_ms, u_input = v.u_input, u_cache_read = v.u_cache_read,
  u_cache_write = v.u_cache_write, u_output = v.u_output, u_reasoning = v.u_reasoning,
  u_audio_input = v.u_audio_input, u_audio_output = v.u_audio_output, u_images = v.u_images,
  u_requests = v.u_requests, u_tool_calls = v.u_tool_calls, u_cache_write_1h = v.u_cache_write_1h,
  u_image_input = v.u_image_input, u_image_output = v.u_image_output, u_seconds = v.u_seconds,
  u_characters = v.u_characters, progress_out = v.progress_out,
  reason = v.reason, status = v.status, first_byte_us = v.first_byte_us, duration_us = v.duration_us,
  provider_ref = v.provider_ref"""

MANY: Final = {
    sql.HOLD_SETTLE: (
        "UPDATE hold SET rate_card_id = coalesce(v.card, rate_card_id)"
        + _SETTLED
        + """ FROM (VALUES %s) AS v(card, state, posted_n, overage_n, settled_ms, u_input, u_cache_read,
  u_cache_write, u_output, u_reasoning, u_audio_input, u_audio_output, u_images, u_requests, u_tool_calls,
  u_cache_write_1h, u_image_input, u_image_output, u_seconds, u_characters, progress_out, reason, status,
  first_byte_us, duration_us, provider_ref, rid)
  WHERE hold.rid = v.rid AND hold.state IN (0, 1)""",
        """(%s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint,
  %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint,
  %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint,
  %s::bigint, %s::text, %s::bytea)""",
    ),
    sql.HOLD_PROGRESS: (
        """UPDATE hold SET progress_out = v.tokens FROM (VALUES %s) AS v(tokens, rid)
  WHERE hold.rid = v.rid AND hold.state IN (0, 1)""",
        "(%s::bigint, %s::bytea)",
    ),
    sql.BALANCE_MOVE: (
        """UPDATE balance SET limit_n = CASE v.admitted WHEN 1 THEN v.cap ELSE limit_n END,
  pending_n = pending_n + v.pending, posted_n = posted_n + v.posted, overage_n = overage_n + v.overage,
  acknowledged_n = acknowledged_n + v.acknowledged
  FROM (VALUES %s) AS v(admitted, cap, pending, posted, overage, acknowledged, account_id, period_start_ms)
  WHERE balance.account_id = v.account_id AND balance.period_start_ms = v.period_start_ms""",
        "(%s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint)",
    ),
    sql.KEY_TOUCH: (
        """UPDATE api_key SET last_used_ms = v.at_ms FROM (VALUES %s) AS v(at_ms, id, known_ms)
  WHERE api_key.id = v.id AND coalesce(last_used_ms, 0) < v.known_ms""",
        "(%s::bigint, %s::text, %s::bigint)",
    ),
}
"""Updates of many rows in one statement, and one row of its values. No row may be named twice in one call."""

STREAMED: Final = (
    sql.PROOF_HOLDS,
    sql.PROOF_BUNDLES,
    sql.PROOF_BALANCES,
    sql_copy.READ["balance"],
    sql_copy.READ["bundle"],
    sql_copy.READ["hold"],
    sql_copy.READ["refusal"],
    sql_copy.READ["hold_instead"],
    sql_copy.READ["idempotency"],
    sql_copy.READ["adjustment"],
    sql_copy.READ["adjustment_share"],
    sql_copy.READ["usage_series"],
    sql_copy.READ["usage_cell"],
)
"""Questions whose answers are as large as the ledger: read through a cursor of the server."""
