"""Statements about idempotency keys: literals only, values always bound."""

from __future__ import annotations

from typing import Final

NAME: Final = """INSERT INTO idempotency(key_id, endpoint, name, fingerprint, rid, created_ms, answer_bytes)
  VALUES (?, ?, ?, ?, ?, ?, 0)
  ON CONFLICT(key_id, endpoint, name) DO UPDATE SET fingerprint = excluded.fingerprint, rid = excluded.rid,
  created_ms = excluded.created_ms, answer_bytes = 0, answer = NULL, content_type = NULL, provider = NULL"""
UNNAME: Final = "DELETE FROM idempotency WHERE key_id = ? AND endpoint = ? AND name = ? AND rid = ?"
KEEP: Final = """UPDATE idempotency SET answer = ?, answer_bytes = ?, content_type = ?, provider = ?
  WHERE key_id = ? AND endpoint = ? AND name = ? AND rid = ?"""
FIND: Final = """SELECT i.fingerprint, i.rid, i.answer, i.content_type, i.provider, h.state, h.posted_n,
  h.overage_n, h.reason, h.status, u_input, u_cache_read, u_cache_write, u_output, u_reasoning, u_audio_input,
  u_audio_output, u_images, u_requests, u_tool_calls,
  u_cache_write_1h, u_image_input, u_image_output, u_seconds, u_characters
  FROM idempotency i JOIN hold h ON h.rid = i.rid
  WHERE i.key_id = ? AND i.endpoint = ? AND i.name = ? AND i.created_ms > ?"""
ROOM: Final = """SELECT count(*), coalesce(sum(answer_bytes), 0), coalesce(min(created_ms), 0)
  FROM idempotency WHERE key_id = ? AND created_ms > ?"""
EXPIRE: Final = """DELETE FROM idempotency WHERE rid IN
  (SELECT rid FROM idempotency WHERE created_ms <= ? ORDER BY created_ms LIMIT ?)"""
