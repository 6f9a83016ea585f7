"""Statements that read whole stretches of the books: to price them again, replay or compare them."""

from __future__ import annotations

from typing import Final

REPRICED: Final = """SELECT h.rid, h.created_ms, h.model, h.state, h.held_n, h.posted_n + h.overage_n,
  coalesce(a.amount_n, 0), coalesce(a.others, 0), coalesce(a.number, 0), h.u_input, h.u_cache_read,
  h.u_cache_write, h.u_output, h.u_reasoning, h.u_audio_input, h.u_audio_output, h.u_images, h.u_requests,
  h.u_tool_calls FROM hold h LEFT JOIN (SELECT rid, sum(amount_n) AS amount_n, count(*) AS number,
  sum(CASE WHEN source = 'reprice' THEN 0 ELSE 1 END) AS others FROM adjustment GROUP BY rid) a
  ON a.rid = h.rid WHERE h.state IN (2, 4) AND h.created_ms >= ? AND h.created_ms < ?
  ORDER BY h.created_ms, h.rid"""
