"""Statements that read whole stretches of the books: to price them again, replay or compare them."""

from __future__ import annotations

from typing import Final

REPRICED: Final = """SELECT h.rid, h.created_ms, h.model, h.state, h.held_n, h.posted_n + h.overage_n,
  coalesce(a.amount_n, 0), coalesce(a.others, 0), coalesce(a.number, 0), h.rate_card_id, h.u_input,
  h.u_cache_read, h.u_cache_write, h.u_output, h.u_reasoning, h.u_audio_input, h.u_audio_output, h.u_images,
  h.u_requests, h.u_tool_calls, h.u_cache_write_1h, h.u_image_input, h.u_image_output, h.u_seconds,
  h.u_characters FROM hold h LEFT JOIN (SELECT rid, sum(amount_n) AS amount_n, count(*) AS number,
  sum(CASE WHEN source = 'reprice' THEN 0 ELSE 1 END) AS others FROM adjustment GROUP BY rid) a
  ON a.rid = h.rid WHERE h.state IN (2, 4) AND h.created_ms >= ? AND h.created_ms < ?
  ORDER BY h.created_ms"""
REPLAYED: Final = """SELECT h.created_ms, h.settled_ms, h.key_id, h.user_id, h.held_n,
  h.posted_n + h.overage_n + coalesce(a.amount_n, 0), h.input_max, h.output_max, h.rate_card_id FROM hold h
  LEFT JOIN (SELECT rid, sum(amount_n) AS amount_n FROM adjustment GROUP BY rid) a ON a.rid = h.rid
  WHERE h.state >= 2 AND h.created_ms >= ? AND h.created_ms < ? ORDER BY h.created_ms LIMIT ?"""
CARDS: Final = """SELECT id, model, effective_ms, source, r_input, r_cache_read, r_cache_write, r_output,
  r_reasoning, r_audio_input, r_audio_output, r_images, r_requests, r_tool_calls,
  r_cache_write_1h, r_image_input, r_image_output, r_seconds, r_characters FROM rate_card"""
BOOKED: Final = """SELECT h.rid, h.provider_ref, h.model, h.created_ms, h.posted_n + h.overage_n +
  coalesce(a.amount_n, 0), coalesce(a.number, 0) FROM hold h LEFT JOIN (SELECT rid, sum(amount_n) AS amount_n,
  count(*) AS number FROM adjustment GROUP BY rid) a ON a.rid = h.rid
  WHERE h.state >= 2 AND h.provider = ? AND h.created_ms >= ? AND h.created_ms < ?"""
BOOKED_DAYS: Final = """SELECT h.model, h.created_ms / 86400000, count(*),
  sum(h.posted_n + h.overage_n + coalesce(a.amount_n, 0)) FROM hold h
  LEFT JOIN (SELECT rid, sum(amount_n) AS amount_n FROM adjustment GROUP BY rid) a ON a.rid = h.rid
  WHERE h.state >= 2 AND h.provider = ? AND h.created_ms >= ? AND h.created_ms < ?
  GROUP BY h.model, h.created_ms / 86400000 ORDER BY 2, 1 LIMIT ?"""
