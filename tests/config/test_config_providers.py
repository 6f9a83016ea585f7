"""Providers, aliases and prices: what follows from names, and names that lead nowhere."""

from __future__ import annotations

import datetime as dt

import pytest

from otari_daemon.config.environment import PROVIDER_VARIABLES
from otari_daemon.config.load import load
from otari_daemon.config.problems import ConfigError
from otari_daemon.config.schema import Config, Provider


def read(text: str, environ: dict[str, str] | None = None) -> Config:
    """Load one text."""
    return load(text, source="c.yml", environ=environ or {})


def key_of(provider: Provider) -> str | None:
    """Give the key of a provider, revealed."""
    return provider.api_key.reveal() if provider.api_key else None


@pytest.mark.parametrize("name", sorted(PROVIDER_VARIABLES))
def test_a_key_in_the_environment_is_a_provider(name: str) -> None:
    config = read("{}", {PROVIDER_VARIABLES[name][0]: "k"})

    assert list(config.providers) == [name]
    assert config.providers[name].type == name
    assert key_of(config.providers[name]) == "k"


def test_an_empty_variable_is_no_provider() -> None:
    assert read("{}", {"OPENAI_API_KEY": ""}).providers == {}


def test_the_file_wins_over_the_environment_and_takes_from_it_what_it_lacks() -> None:
    environ = {"OPENAI_API_KEY": "env", "ANTHROPIC_API_KEY": "env"}
    config = read("providers:\n  openai: {api_key: file}\n  anthropic: {timeouts: {idle_s: 5}}", environ)

    assert key_of(config.providers["openai"]) == "file"
    assert key_of(config.providers["anthropic"]) == "env"
    assert config.providers["anthropic"].timeouts.idle_s == 5


def test_a_key_never_follows_to_an_instance_of_another_name() -> None:
    text = (
        "providers:\n  eu: {type: openai, api_base: https://eu.example/v1}\n  xai: {type: openai-compatible}"
    )
    config = read(text, {"OPENAI_API_KEY": "env", "XAI_API_KEY": "env"})

    assert key_of(config.providers["eu"]) is None
    assert key_of(config.providers["xai"]) is None
    assert key_of(config.providers["openai"]) == "env"


def test_a_name_that_is_a_type_needs_none_and_may_have_another() -> None:
    config = read("providers:\n  ollama:\n  openai: {provider_type: openai-compatible}")

    assert config.providers["ollama"].type == "ollama"
    assert config.providers["openai"].type == "openai-compatible"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "providers:\n  opnai: {api_key: k}",
            '2:3: unknown key "opnai" in providers, did you mean "openai"',
        ),
        ("providers:\n  box: {}", '2:3: unknown key "box" in providers, give it a type'),
        ("providers:\n  a: {type: opnai}", '2:13: unknown provider type "opnai", did you mean "openai"?'),
        ("providers:\n  openai: {api_kye: k}", '2:12: unknown key "api_kye" in providers.openai'),
        ("providers:\n  mock: {}", "2:3: the mock provider is built in"),
        ("providers:\n  a/b: {type: openai}", "2:3: a key in providers must be a name of letters"),
        ("providers: {openai: {type: openai, provider_type: xai}}", '1:36: "provider_type" is another'),
        (
            "providers: {openai: {api_base: 'https://u:p@h'}}",
            "1:32: providers.openai.api_base must be an",
        ),
        ("providers: {openai: {api_key: 'a b'}}", "1:31: providers.openai.api_key must be a secret"),
        (
            'providers: {openai: {client_args: {custom_headers: {X-A: "a\\nb"}}}}',
            "1:58: providers.openai.client_args.custom_headers.X-A must be printable text on one line",
        ),
        (
            "providers: {openai: {client_args: {custom_headers: {Host: h}}}}",
            "1:53: a key in providers.openai.client_args.custom_headers must be a header name",
        ),
        (
            "providers:\n  openai: {proxy: 'http://p:3128'}",
            "2:19: providers.openai.proxy is for httpx only",
        ),
        (
            "providers: {openai: {http_client: httpx, proxy: 'socks5://p'}}",
            "1:49: providers.openai.proxy must be an http or https URL of a proxy",
        ),
        ("aliases:\n  fast: opnai:x", '2:3: alias "fast" leads to provider "opnai", which is not'),
        ("aliases: {a: 'mock:echo', b: a}", "1:30: aliases.b must be a model like provider:model"),
        ("aliases: {'a:b': 'mock:echo'}", "1:11: a key in aliases must be a name without a colon"),
        ("mock: false\naliases: {a: 'mock:echo'}", '2:11: alias "a" leads to provider "mock"'),
        (
            "pricing:\n  'x:m': {input_price_per_million: 1}",
            "2:10: pricing.x:m needs output_price_per",
        ),
        ("pricing:\n  m: {}", "2:3: a key in pricing must be a model like provider:model"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)

    assert str(caught.value).startswith(f"c.yml:{words}")


def test_a_bad_key_in_the_environment_is_named_by_its_variable() -> None:
    with pytest.raises(ConfigError, match=r"^XAI_API_KEY must be a secret of printable"):
        read("{}", {"XAI_API_KEY": "k\n"})


def test_aliases_lead_to_providers_of_file_environment_and_mock() -> None:
    text = "providers: {ollama: {}}\naliases: {a: 'ollama:x', b: openai/gpt, c: 'mock:echo'}"

    assert len(read(text, {"OPENAI_API_KEY": "k"}).aliases) == 3


def test_prices_are_exact_and_keyed_by_provider_and_model() -> None:
    config = read(
        "pricing:\n"
        "  openrouter/openai/gpt-4o: {input_price_per_million: 0.1, output_price_per_million: '1.1',\n"
        "    cache_read_price_per_million: 0.000001, effective_at: 2026-02-01}\n"
    )

    price = config.pricing["openrouter:openai/gpt-4o"]
    assert price.input_price_per_million == 100_000
    assert price.output_price_per_million == 1_100_000
    assert price.cache_read_price_per_million == 1
    assert price.cache_write_price_per_million is None
    assert price.effective_at == dt.datetime(2026, 2, 1, tzinfo=dt.UTC)


def test_one_model_written_two_ways_is_priced_twice() -> None:
    price = "{input_price_per_million: 1, output_price_per_million: 1}"

    with pytest.raises(ConfigError, match=r'^c\.yml:1:.*"x:m" is priced twice'):
        read(f"pricing: {{'x:m': {price}, x/m: {price}}}")
