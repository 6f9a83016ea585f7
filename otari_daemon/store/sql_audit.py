"""Statements of the auditor's walk: literals only, values always bound."""

from __future__ import annotations

from typing import Final

SLICE: Final = """SELECT created_ms, rid, bundle_id, rate_card_id, state, held_n, posted_n, overage_n, reason,
  settled_ms, status, first_byte_us, duration_us, progress_out, u_input, u_cache_read, u_cache_write,
  u_output, u_reasoning, u_audio_input, u_audio_output, u_images, u_requests, u_tool_calls,
  u_cache_write_1h, u_image_input, u_image_output, u_seconds, u_characters FROM hold
  WHERE created_ms > ? ORDER BY created_ms LIMIT ?"""
ONE: Final = """SELECT rid, bundle_id, rate_card_id, state, held_n, posted_n, overage_n, reason,
  settled_ms, status, first_byte_us, duration_us, progress_out, u_input, u_cache_read, u_cache_write,
  u_output, u_reasoning, u_audio_input, u_audio_output, u_images, u_requests, u_tool_calls,
  u_cache_write_1h, u_image_input, u_image_output, u_seconds, u_characters FROM hold
  WHERE rid = ?"""
BUNDLES: Final = """SELECT bundle_id, account_id, period_start_ms FROM bundle
  WHERE bundle_id > (SELECT CASE WHEN coalesce(min(epoch), 2147483647) * 4294967296 < ?
  THEN min(epoch) * 4294967296 ELSE ? END FROM node)"""
"""Those above an id; of nodes that share the ledger also those above the oldest one's first."""
