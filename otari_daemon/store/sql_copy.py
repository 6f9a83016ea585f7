# ruff: noqa: S608 - literals are joined with literals, once, at import; a test reads the syntax trees
"""Every table as a whole: read, written and summed up. Columns are in the order of the revisions."""

from __future__ import annotations

from typing import Final

REVISIONS: Final = "SELECT rev, checksum FROM otari_schema ORDER BY rev"
FORGET_META: Final = "DELETE FROM meta"
RESUME_NUMBERS: Final = "SELECT max(id) FROM refusal"
"""SQLite numbers refusals on from the highest; another engine has to be told."""

READ: Final = {
    "meta": "SELECT * FROM meta ORDER BY name",
    "user": "SELECT * FROM user ORDER BY id",
    "api_key": "SELECT * FROM api_key ORDER BY id",
    "budget": "SELECT * FROM budget ORDER BY id",
    "account": "SELECT * FROM account ORDER BY id",
    "budget_assignment": "SELECT * FROM budget_assignment ORDER BY budget_id, holder_kind, holder_id",
    "price": "SELECT * FROM price ORDER BY model, effective_ms",
    "balance": "SELECT * FROM balance ORDER BY account_id, period_start_ms",
    "lease": "SELECT * FROM lease ORDER BY account_id, period_start_ms, epoch",
    "bundle": "SELECT * FROM bundle ORDER BY bundle_id, account_id",
    "rate_card": "SELECT * FROM rate_card ORDER BY id",
    "hold": "SELECT * FROM hold ORDER BY rid",
    "refusal": "SELECT * FROM refusal ORDER BY id",
    "budget_raise": "SELECT * FROM budget_raise ORDER BY id",
    "frozen": "SELECT * FROM frozen ORDER BY holder_kind, holder_id",
    "hold_instead": "SELECT * FROM hold_instead ORDER BY rid",
    "watched": "SELECT * FROM watched ORDER BY account_id, period_start_ms",
    "idempotency": "SELECT * FROM idempotency ORDER BY key_id, endpoint, name",
    "holder_limit": "SELECT * FROM holder_limit ORDER BY holder_kind, holder_id",
    "adjustment": "SELECT * FROM adjustment ORDER BY rid, source, source_ref",
    "adjustment_share": "SELECT * FROM adjustment_share ORDER BY rid, source, source_ref, account_id",
    "usage_series": "SELECT * FROM usage_series ORDER BY id",
    "usage_cell": "SELECT * FROM usage_cell ORDER BY grain, start_ms, series_id",
}
"""Every table but the schema's own, those that others refer to first."""

_10: Final = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?"

WRITE: Final = {
    "meta": "INSERT INTO meta VALUES (?, ?)",
    "user": "INSERT INTO user VALUES (?, ?, ?, ?, ?, ?, ?)",
    "api_key": "INSERT INTO api_key VALUES (" + _10 + ", ?)",
    "budget": "INSERT INTO budget VALUES (" + _10 + ")",
    "account": "INSERT INTO account VALUES (?, ?, ?, ?)",
    "budget_assignment": "INSERT INTO budget_assignment VALUES (?, ?, ?, ?, ?)",
    "price": "INSERT INTO price VALUES (" + _10 + ", " + _10 + ", ?, ?, ?, ?)",
    "balance": "INSERT INTO balance VALUES (?, ?, ?, ?, ?, ?, ?)",
    "lease": "INSERT INTO lease VALUES (?, ?, ?, ?)",
    "bundle": "INSERT INTO bundle VALUES (?, ?, ?)",
    "rate_card": "INSERT INTO rate_card VALUES (" + _10 + ", ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "hold": "INSERT INTO hold VALUES (" + _10 + ", " + _10 + ", " + _10 + ", " + _10 + ", ?)",
    "refusal": "INSERT INTO refusal VALUES (" + _10 + ", ?, ?)",
    "budget_raise": "INSERT INTO budget_raise VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "frozen": "INSERT INTO frozen VALUES (?, ?, ?, ?, ?, ?)",
    "hold_instead": "INSERT INTO hold_instead VALUES (?, ?, ?)",
    "watched": "INSERT INTO watched VALUES (?, ?, ?, ?, ?, ?)",
    "idempotency": "INSERT INTO idempotency VALUES (" + _10 + ")",
    "holder_limit": "INSERT INTO holder_limit VALUES (?, ?, ?, ?, ?)",
    "adjustment": "INSERT INTO adjustment VALUES (?, ?, ?, ?, ?, ?)",
    "adjustment_share": "INSERT INTO adjustment_share VALUES (?, ?, ?, ?, ?, ?, ?)",
    "usage_series": "INSERT INTO usage_series VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "usage_cell": "INSERT INTO usage_cell VALUES (" + _10 + ", ?, ?, ?, ?, ?, ?)",
}

_RATES: Final = """, coalesce(sum(r_input), 0), coalesce(sum(r_cache_read), 0),
  coalesce(sum(r_cache_write), 0),
  coalesce(sum(r_output), 0), coalesce(sum(r_reasoning), 0), coalesce(sum(r_audio_input), 0),
  coalesce(sum(r_audio_output), 0), coalesce(sum(r_images), 0), coalesce(sum(r_requests), 0),
  coalesce(sum(r_tool_calls), 0), coalesce(sum(r_cache_write_1h), 0), coalesce(sum(r_image_input), 0),
  coalesce(sum(r_image_output), 0), coalesce(sum(r_seconds), 0), coalesce(sum(r_characters), 0)"""

TOTALS: Final = {
    "meta": "SELECT count(*) FROM meta",
    "user": "SELECT count(*) FROM user",
    "api_key": "SELECT count(*) FROM api_key",
    "budget": "SELECT count(*), coalesce(sum(limit_n), 0) FROM budget",
    "account": "SELECT count(*) FROM account",
    "budget_assignment": "SELECT count(*) FROM budget_assignment",
    "price": "SELECT count(*)" + _RATES + " FROM price",
    "balance": """SELECT count(*), coalesce(sum(limit_n), 0), coalesce(sum(posted_n), 0),
  coalesce(sum(pending_n), 0), coalesce(sum(overage_n), 0), coalesce(sum(acknowledged_n), 0) FROM balance""",
    "lease": "SELECT count(*), coalesce(sum(idle_n), 0) FROM lease",
    "bundle": "SELECT count(*) FROM bundle",
    "rate_card": "SELECT count(*)" + _RATES + " FROM rate_card",
    "hold": """SELECT count(*), coalesce(sum(held_n), 0),
  coalesce(sum(CASE WHEN state < 2 THEN 0 ELSE posted_n END), 0),
  coalesce(sum(CASE WHEN state < 2 THEN 0 ELSE overage_n END), 0) FROM hold""",
    "refusal": "SELECT count(*) FROM refusal",
    "budget_raise": "SELECT count(*), coalesce(sum(amount_n), 0) FROM budget_raise",
    "frozen": "SELECT count(*) FROM frozen",
    "hold_instead": "SELECT count(*) FROM hold_instead",
    "watched": "SELECT count(*), coalesce(sum(last_n), 0) FROM watched",
    "idempotency": "SELECT count(*) FROM idempotency",
    "holder_limit": "SELECT count(*) FROM holder_limit",
    "adjustment": "SELECT count(*), coalesce(sum(amount_n), 0) FROM adjustment",
    "adjustment_share": """SELECT count(*), coalesce(sum(posted_n), 0), coalesce(sum(overage_n), 0)
  FROM adjustment_share""",
    "usage_series": "SELECT count(*) FROM usage_series",
    "usage_cell": """SELECT count(*), coalesce(sum(CASE WHEN grain = 1 THEN cost_n ELSE 0 END), 0)
  FROM usage_cell""",
}
"""Rows, then the sum of every column of money or price; open holds have posted nothing yet."""
