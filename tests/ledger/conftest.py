"""Both engines, where a test takes `database_url`."""

from __future__ import annotations

from tests.engines import database_url

__all__ = ["database_url"]
