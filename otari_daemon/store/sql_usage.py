# ruff: noqa: S608 - literals are joined with literals, once, at import; a test reads the syntax trees
"""Statements of the usage cells: what settled requests add up to, by hour, day and month."""

from __future__ import annotations

from typing import Final

SERIES_ADD: Final = """INSERT INTO usage_series(id, key_id, user_id, model, provider, endpoint, status, tags)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
SERIES: Final = """SELECT id, key_id, user_id, model, provider, endpoint, status, tags FROM usage_series
  WHERE (tags = '') = (? = 0) LIMIT ?"""
CELL_ADD: Final = """INSERT INTO usage_cell(grain, start_ms, series_id, requests, u_input, u_cache_read,
  u_cache_write, u_output, u_reasoning, u_audio_input, u_audio_output, u_cache_write_1h, u_image_input,
  u_image_output, cost_n, duration_us)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT(grain, start_ms, series_id) DO UPDATE SET
  requests = usage_cell.requests + excluded.requests, u_input = usage_cell.u_input + excluded.u_input,
  u_cache_read = usage_cell.u_cache_read + excluded.u_cache_read,
  u_cache_write = usage_cell.u_cache_write + excluded.u_cache_write,
  u_output = usage_cell.u_output + excluded.u_output,
  u_reasoning = usage_cell.u_reasoning + excluded.u_reasoning,
  u_audio_input = usage_cell.u_audio_input + excluded.u_audio_input,
  u_audio_output = usage_cell.u_audio_output + excluded.u_audio_output,
  u_cache_write_1h = usage_cell.u_cache_write_1h + excluded.u_cache_write_1h,
  u_image_input = usage_cell.u_image_input + excluded.u_image_input,
  u_image_output = usage_cell.u_image_output + excluded.u_image_output,
  cost_n = usage_cell.cost_n + excluded.cost_n, duration_us = usage_cell.duration_us + excluded.duration_us"""
CELLS_ALONE: Final = "SELECT 'the only writer there is'"
"""Waits until no other daemon has cells in an open transaction, and holds off others until this one's end."""

CELLS_DROP: Final = "DELETE FROM usage_cell WHERE grain = ? AND start_ms >= ? AND start_ms < ?"

_SUMS: Final = """, CAST(sum(requests) AS BIGINT), CAST(sum(u_input) AS BIGINT),
  CAST(sum(u_cache_read) AS BIGINT), CAST(sum(u_cache_write) AS BIGINT), CAST(sum(u_output) AS BIGINT),
  CAST(sum(u_reasoning) AS BIGINT), CAST(sum(u_audio_input) AS BIGINT),
  CAST(sum(u_audio_output) AS BIGINT), CAST(sum(u_cache_write_1h) AS BIGINT),
  CAST(sum(u_image_input) AS BIGINT), CAST(sum(u_image_output) AS BIGINT),
  CAST(sum(cost_n) AS BIGINT), CAST(sum(duration_us) AS BIGINT)"""
_CELLS: Final = " FROM usage_cell WHERE grain = ? AND start_ms >= ? AND start_ms < ?"
CELLS: Final = {
    "whole": "SELECT 0, series_id" + _SUMS + _CELLS + " GROUP BY series_id",
    "each": """SELECT start_ms, series_id, requests, u_input, u_cache_read, u_cache_write, u_output,
  u_reasoning, u_audio_input, u_audio_output, u_cache_write_1h, u_image_input, u_image_output, cost_n,
  duration_us"""
    + _CELLS,
}
CELLS_ROLL_UP: Final = (
    """INSERT INTO usage_cell(grain, start_ms, series_id, requests, u_input, u_cache_read, u_cache_write,
  u_output, u_reasoning, u_audio_input, u_audio_output, u_cache_write_1h, u_image_input, u_image_output,
  cost_n, duration_us)
  SELECT CAST(? AS BIGINT), CAST(? AS BIGINT), series_id"""
    + _SUMS
    + _CELLS
    + " GROUP BY series_id"
)
CELL_BOUNDS: Final = "SELECT min(start_ms), max(start_ms) FROM usage_cell WHERE grain = ?"

_ROW_SUMS: Final = """, count(*), CAST(sum(u_input) AS BIGINT), CAST(sum(u_cache_read) AS BIGINT),
  CAST(sum(u_cache_write) AS BIGINT), CAST(sum(u_output) AS BIGINT), CAST(sum(u_reasoning) AS BIGINT),
  CAST(sum(u_audio_input) AS BIGINT), CAST(sum(u_audio_output) AS BIGINT),
  CAST(sum(u_cache_write_1h) AS BIGINT), CAST(sum(u_image_input) AS BIGINT),
  CAST(sum(u_image_output) AS BIGINT),
  CAST(sum(posted_n + overage_n) AS BIGINT), CAST(sum(duration_us) AS BIGINT)"""
ROWS_AS_CELLS: Final = (
    "SELECT created_ms / 3600000, key_id, user_id, model, provider, endpoint, status, tags"
    + _ROW_SUMS
    + " FROM hold WHERE created_ms >= ? AND created_ms < ? AND state >= 2 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8"
)
CORRECTIONS_AS_CELLS: Final = """SELECT h.created_ms / 3600000, h.key_id, h.user_id, h.model, h.provider,
  h.endpoint, h.status, h.tags, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, CAST(sum(a.amount_n) AS BIGINT), 0
  FROM hold h JOIN adjustment a ON a.rid = h.rid
  WHERE h.created_ms >= ? AND h.created_ms < ? AND h.state >= 2 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8"""
SERIES_OF: Final = """SELECT created_ms / 3600000, key_id, user_id, model, provider, endpoint, status, tags
  FROM hold WHERE rid = ? AND state >= 2"""
ROW_BOUNDS: Final = "SELECT min(created_ms), max(created_ms) FROM hold"

STATE: Final = "SELECT value FROM meta WHERE name = 'usage_cells'"
STATE_STALE: Final = """UPDATE meta SET value = CASE WHEN value > 0 THEN -1 ELSE value - 1 END
  WHERE name = 'usage_cells'"""
STATE_EXACT: Final = "UPDATE meta SET value = 1 WHERE name = 'usage_cells' AND value = ?"
