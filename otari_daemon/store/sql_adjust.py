"""Statements about corrections of what was charged: what they start from, and their proof."""

from __future__ import annotations

from typing import Final

# -- what a correction starts from --------------------------------------------------------------------

STANDING: Final = "SELECT state, posted_n, overage_n, bundle_id FROM hold WHERE rid = ?"
PRIOR: Final = "SELECT source, source_ref, amount_n FROM adjustment WHERE rid = ?"
LEGS: Final = """SELECT l.account_id, l.period_start_ms, l.posted_n, l.pending_n, l.overage_n,
  l.acknowledged_n FROM bundle u
  JOIN balance l ON l.account_id = u.account_id AND l.period_start_ms = u.period_start_ms
  WHERE u.bundle_id = ? ORDER BY l.account_id"""
SHARES: Final = """SELECT account_id, sum(posted_n), sum(overage_n) FROM adjustment_share WHERE rid = ?
  GROUP BY account_id"""

# -- what is shown of them ----------------------------------------------------------------------------

OF_REQUEST: Final = """SELECT source, source_ref, amount_n, made_ms, reason FROM adjustment WHERE rid = ?
  ORDER BY made_ms, source, source_ref"""
ANY: Final = "SELECT 1 FROM adjustment LIMIT 1"
SUM: Final = "SELECT sum(amount_n) FROM adjustment WHERE rid = ?"
WITHIN: Final = """SELECT h.key_id, h.user_id, h.model, h.provider, h.endpoint, h.created_ms, a.amount_n
  FROM adjustment a JOIN hold h ON h.rid = a.rid
  WHERE (:key_id IS NULL OR h.key_id = :key_id) AND (:user_id IS NULL OR h.user_id = :user_id)
  AND h.created_ms >= :since_ms AND h.created_ms < :until_ms
  AND (:model IS NULL OR h.model = :model) AND (:provider IS NULL OR h.provider = :provider)"""

ROWS_BETWEEN: Final = """SELECT count(*) FROM (SELECT 1 FROM hold WHERE created_ms >= ? AND created_ms <= ?
  LIMIT ?) within"""
DRAWN_BEFORE: Final = """SELECT coalesce(sum(CASE WHEN h.state >= 2 AND h.settled_ms <= ? THEN h.posted_n
  ELSE h.held_n END), 0) FROM hold h JOIN bundle u ON u.bundle_id = h.bundle_id
  WHERE h.created_ms >= ? AND u.account_id = ? AND u.period_start_ms = ? AND (h.created_ms, h.rid) < (?, ?)"""

# -- proof --------------------------------------------------------------------------------------------

PROOF_BALANCES: Final = """SELECT account_id, period_start_ms, sum(posted_n), sum(overage_n)
  FROM adjustment_share GROUP BY account_id, period_start_ms"""
PROOF_COUNT: Final = "SELECT count(*) FROM adjustment"
PROOF_LOOSE: Final = """SELECT a.rid FROM adjustment a LEFT JOIN hold h ON h.rid = a.rid
  WHERE h.rid IS NULL OR h.state < 2 OR h.state > 4 ORDER BY a.rid LIMIT 1000"""
PROOF_UNEVEN: Final = """SELECT s.rid FROM adjustment_share s LEFT JOIN adjustment a
  ON a.rid = s.rid AND a.source = s.source AND a.source_ref = s.source_ref
  WHERE a.rid IS NULL OR s.posted_n + s.overage_n <> a.amount_n ORDER BY s.rid LIMIT 1000"""
PROOF_MISSED: Final = """SELECT a.rid, u.account_id FROM adjustment a JOIN hold h ON h.rid = a.rid
  JOIN bundle u ON u.bundle_id = h.bundle_id LEFT JOIN adjustment_share s ON s.rid = a.rid
  AND s.source = a.source AND s.source_ref = a.source_ref AND s.account_id = u.account_id
  AND s.period_start_ms = u.period_start_ms WHERE s.rid IS NULL ORDER BY a.rid, u.account_id LIMIT 1000"""
PROOF_STRAY: Final = """SELECT s.rid, s.account_id FROM adjustment_share s JOIN hold h ON h.rid = s.rid
  LEFT JOIN bundle u ON u.bundle_id = h.bundle_id AND u.account_id = s.account_id
  AND u.period_start_ms = s.period_start_ms WHERE u.bundle_id IS NULL
  ORDER BY s.rid, s.account_id LIMIT 1000"""
PROOF_BELOW: Final = """SELECT h.rid, h.posted_n + h.overage_n + sum(a.amount_n) FROM adjustment a
  JOIN hold h ON h.rid = a.rid WHERE h.state >= 2 GROUP BY h.rid, h.posted_n, h.overage_n
  HAVING h.posted_n + h.overage_n + sum(a.amount_n) < 0 ORDER BY h.rid LIMIT 1000"""
