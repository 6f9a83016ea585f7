# ruff: noqa: S608 - literals are joined with literals, once, at import; a test reads the syntax trees
"""What nodes that share a ledger say to PostgreSQL, in its own words."""

from __future__ import annotations

from typing import Final

CLAIM: Final = """SELECT pg_try_advisory_lock_shared(
  1869898098, current_schema()::text::regnamespace::oid::int4)"""
_NOW_MS: Final = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

# -- nodes --------------------------------------------------------------------------------------------

MARK: Final = "BEGIN; UPDATE node SET batch = %s, heartbeat_ms = " + _NOW_MS + " WHERE epoch = %s"
MARKED: Final = "SELECT batch FROM node WHERE epoch = %s FOR UPDATE"
JOIN: Final = (
    "INSERT INTO node(epoch, batch, heartbeat_ms) SELECT value, 0, "
    + _NOW_MS
    + " FROM meta WHERE name = 'epoch'"
)
LEAVE: Final = "DELETE FROM node WHERE epoch = %s"
LEAVE_LEASES: Final = "DELETE FROM lease WHERE epoch = %s AND idle_n = 0"

# -- the dead -----------------------------------------------------------------------------------------

SWEEP_ALONE: Final = (
    "SELECT pg_try_advisory_xact_lock(1869898099, current_schema()::text::regnamespace::oid::int4)"
)
SWEEP_NODES: Final = (
    """DELETE FROM node WHERE epoch IN (SELECT epoch FROM node WHERE epoch <> %s AND heartbeat_ms < """
    + _NOW_MS
    + " - %s FOR UPDATE SKIP LOCKED) RETURNING epoch"
)
SWEEP_HOLDS: Final = """SELECT h.rid, h.bundle_id, h.state, h.held_n, h.prompt_presumed, h.progress_out,
  h.rate_card_id, r_input, r_cache_read, r_cache_write, r_output, r_reasoning, r_audio_input,
  r_audio_output, r_images, r_requests, r_tool_calls, r_cache_write_1h, r_image_input, r_image_output,
  r_seconds, r_characters, h.key_id, h.user_id, h.created_ms, h.endpoint, h.model, h.provider, h.tags
  FROM hold h LEFT JOIN rate_card c ON c.id = h.rate_card_id
  WHERE h.state < 2 AND NOT EXISTS (SELECT 1 FROM node n WHERE n.epoch = h.owner_epoch)
  ORDER BY h.rid LIMIT %s"""
SWEEP_LEASES: Final = """SELECT account_id, period_start_ms, epoch, idle_n FROM lease l
  WHERE NOT EXISTS (SELECT 1 FROM node n WHERE n.epoch = l.epoch)
  ORDER BY account_id, period_start_ms, epoch LIMIT %s"""
SWEPT_LEASE: Final = "DELETE FROM lease WHERE account_id = %s AND period_start_ms = %s AND epoch = %s"
SWEPT_BUNDLES: Final = """SELECT account_id, period_start_ms FROM bundle WHERE bundle_id = ANY(%s)
  GROUP BY account_id, period_start_ms"""

# -- balances and leases ------------------------------------------------------------------------------

_NAMED: Final = """(account_id, period_start_ms) IN
  (SELECT a, p FROM unnest(%s::bigint[], %s::bigint[]) AS named(a, p))"""
LOCK_BALANCES: Final = (
    """SELECT account_id, period_start_ms, posted_n, pending_n, overage_n, acknowledged_n FROM balance
  WHERE """
    + _NAMED
    + " ORDER BY account_id, period_start_ms FOR UPDATE"
)
LEASED: Final = (
    """SELECT account_id, period_start_ms, sum(idle_n), coalesce(sum(CASE WHEN lease.epoch <> %s
  AND heartbeat_ms > """
    + _NOW_MS
    + """ - %s THEN idle_n END), 0) FROM lease LEFT JOIN node ON node.epoch = lease.epoch WHERE """
    + _NAMED
    + " GROUP BY account_id, period_start_ms"
)
"""What nodes leave idle of some balances: all of them, and those that others could give back soon."""

LEASE_OPEN: Final = """INSERT INTO lease SELECT a, p, %s, 0
  FROM unnest(%s::bigint[], %s::bigint[]) AS named(a, p) ON CONFLICT DO NOTHING"""
LEASE_MOVE: Final = """UPDATE lease SET idle_n = idle_n + moved.n
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS moved(a, p, n)
  WHERE account_id = moved.a AND period_start_ms = moved.p AND epoch = %s"""
LEASE_END: Final = "DELETE FROM lease WHERE " + _NAMED + " AND epoch = %s AND idle_n = 0"
RECALL: Final = """INSERT INTO lease_recall SELECT a, p, 1
  FROM unnest(%s::bigint[], %s::bigint[]) AS named(a, p) ORDER BY a, p
  ON CONFLICT(account_id, period_start_ms) DO UPDATE SET number = lease_recall.number + 1"""
RECALLS: Final = "SELECT account_id, period_start_ms, number FROM lease_recall WHERE " + _NAMED

# -- news ---------------------------------------------------------------------------------------------

GENERATION: Final = """SELECT (SELECT value FROM meta WHERE name = 'generation'),
  (SELECT count(*) FROM node)"""
GENERATION_NEXT: Final = "UPDATE meta SET value = value + 1 WHERE name = 'generation' AND value = %s"
MY_BALANCES: Final = """SELECT l.account_id, l.period_start_ms, b.posted_n, b.overage_n, b.acknowledged_n,
  coalesce(r.number, 0) FROM lease l
  JOIN balance b ON b.account_id = l.account_id AND b.period_start_ms = l.period_start_ms
  LEFT JOIN lease_recall r ON r.account_id = l.account_id AND r.period_start_ms = l.period_start_ms
  WHERE l.epoch = %s"""
