"""The tables operators manage, as Pony sees them: for reading only.

Balances and holds are not here: an identity map would show yesterday's money.
"""

from __future__ import annotations

from typing import Any

from pony.orm import Optional, PrimaryKey, Required


def define(pony: Any) -> None:
    """Declare the entities on a bound Pony database and check that their tables exist."""

    class User(pony.Entity):  # type: ignore[misc]
        _table_ = "user"
        id = PrimaryKey(str)
        alias = Optional(str, nullable=True)
        blocked = Required(bool)
        created_ms = Required(int, size=64)
        deleted_ms = Optional(int, size=64)
        metadata = Required(str)
        updated_ms = Required(int, size=64)

    class Price(pony.Entity):  # type: ignore[misc]
        _table_ = "price"
        model = Required(str)
        effective_ms = Required(int, size=64)
        source = Optional(str)
        context_tokens = Optional(int, size=64)
        output_tokens_max = Optional(int, size=64)
        r_input = Required(int, size=64)
        r_cache_read = Required(int, size=64)
        r_cache_write = Required(int, size=64)
        r_output = Required(int, size=64)
        r_reasoning = Required(int, size=64)
        r_audio_input = Required(int, size=64)
        r_audio_output = Required(int, size=64)
        r_images = Required(int, size=64)
        r_requests = Required(int, size=64)
        r_tool_calls = Required(int, size=64)
        r_cache_write_1h = Required(int, size=64)
        r_image_input = Required(int, size=64)
        r_image_output = Required(int, size=64)
        r_seconds = Required(int, size=64)
        r_characters = Required(int, size=64)
        tiers = Optional(str)
        services = Optional(str)
        created_ms = Required(int, size=64)
        updated_ms = Required(int, size=64)
        PrimaryKey(model, effective_ms)

    pony.generate_mapping(create_tables=False)
