"""What is said of a configuration: fingerprints, listings, and what waits for a restart."""

from __future__ import annotations

import dataclasses
import json

import pytest

from otari_daemon.config.load import load
from otari_daemon.config.schema import Config
from otari_daemon.config.views import pending_restart, shown


def read(text: str, environ: dict[str, str] | None = None) -> Config:
    """Load one text."""
    return load(text, source="c.yml", environ=environ or {})


def test_the_digest_is_of_what_is_in_effect_and_not_of_how_it_was_said() -> None:
    written = read("port: 9\nproviders: {xai: {api_key: k}, openai: {api_key: j}}")
    in_environment = read("{}", {"OTARI_PORT": "9", "OPENAI_API_KEY": "j", "XAI_API_KEY": "k"})

    assert written == in_environment
    assert written.digest == in_environment.digest
    assert len(written.digest) == 64


@pytest.mark.parametrize(
    "text",
    [
        "port: 8001",
        "database_url: postgresql://u:a@h/db",
        "database_url: postgresql://u:b@h/db",
        "limits: {queue_wait_s: 2.5}",
        "providers: {openai: {}}",
        "providers: {openai: {api_key: a}}",
        "providers: {openai: {api_key: b}}",
        "aliases: {a: 'mock:echo'}",
        "pricing: {'a:b': {input_price_per_million: 1, output_price_per_million: 1}}",
        "pricing: {'a:b': {input_price_per_million: 1, output_price_per_million: 1.000001}}",
    ],
)
def test_every_change_of_a_value_changes_the_digest(text: str) -> None:
    others = {
        read(other).digest
        for other in (
            "{}",
            "database_url: postgresql://u:c@h/db",
            "providers: {openai: {api_key: c}}",
            "aliases: {b: 'mock:echo'}",
        )
    }

    assert read(text).digest not in others


def test_a_listing_is_plain_json_with_prices_as_decimals() -> None:
    config = read(
        "admin_uids: [5]\npricing: {'a:b': {input_price_per_million: 0.1, output_price_per_million: 2,"
        " effective_at: 2026-01-31}}"
    )

    listing = json.loads(json.dumps(shown(config)))

    assert listing["admin_uids"] == [5]
    assert listing["pricing"]["a:b"]["input_price_per_million"] == "0.10"
    assert listing["pricing"]["a:b"]["cache_read_price_per_million"] is None
    assert listing["pricing"]["a:b"]["effective_at"] == "2026-01-31T00:00:00+00:00"
    assert listing.keys() == {field.name for field in dataclasses.fields(Config)}


def test_only_changed_keys_that_are_read_once_wait_for_a_restart() -> None:
    old = read("port: 1\nlog_level: info")
    new = read("port: 2\nlog_level: debug\ndrain_timeout_s: 1\nlimits: {max_queued: 1}\nstate_dir: /x")

    assert pending_restart(old, new) == ("port", "state_dir")
    assert pending_restart(old, old) == ()


def test_a_configuration_cannot_be_changed() -> None:
    config = read("providers: {openai: {}}")

    with pytest.raises(dataclasses.FrozenInstanceError):
        config.port = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        config.providers["xai"] = config.providers["openai"]  # type: ignore[index]
