"""What no key can check alone: providers have types and keys, aliases lead somewhere, prices are single."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from otari_daemon.config.bind import OMIT, Binder
from otari_daemon.config.environment import PROVIDER_TYPES, PROVIDER_VARIABLES, provider_key
from otari_daemon.config.problems import NOWHERE, nearest, shown_name
from otari_daemon.config.schema import Config, ConfiguredPrice, Credential, Provider

MOCK = "mock"
"""The provider that is always there, unless `mock` is false."""


MASTER_KEY = "OTARI_MASTER_KEY"


def complete(config: Config, binder: Binder) -> Config:
    """Fill in what follows from the names, and note every name that leads nowhere."""
    _check_master_key(binder)
    providers = _providers(config, binder)
    _check_aliases(config, providers, binder)
    return replace(config, providers=providers, pricing=_pricing(config, binder))


def _check_master_key(binder: Binder) -> None:
    """A variable set to nothing is a slip of a deployment: it must not silently close what it should open."""
    if binder.environ.get(MASTER_KEY) == "":
        binder.problems.add(NOWHERE, ("master_key",), f"{MASTER_KEY} is set but empty", "unset it")


def _providers(config: Config, binder: Binder) -> Mapping[str, Provider]:
    """Give every section its type and key; a key in the environment is a section of its own."""
    named: dict[str, Provider] = {}
    for name, provider in config.providers.items():
        if name == MOCK:
            mark, hint = binder.marks["providers", name], '"mock: false" switches it off'
            binder.problems.add(mark, ("providers", name), "the mock provider is built in", hint)
            continue
        _check_proxy(name, provider, binder)
        named[name] = _keyed(name, _typed(name, provider, binder), binder)
    for name in PROVIDER_VARIABLES.keys() - named.keys():
        if provider_key(name, binder.environ):
            named[name] = _keyed(name, Provider(type=name), binder)
    return MappingProxyType(dict(sorted(named.items())))


def _check_proxy(name: str, provider: Provider, binder: Binder) -> None:
    """A proxy that would be passed by is a request that leaves where it must not."""
    if provider.proxy is not None and provider.http_client != "httpx":
        path = ("providers", name, "proxy")
        message = f"providers.{name}.proxy is for httpx only"
        binder.problems.add(binder.marks[path], path, message, 'add "http_client: httpx"')


def _typed(name: str, provider: Provider, binder: Binder) -> Provider:
    if provider.type in PROVIDER_TYPES:
        return provider
    if provider.type:
        path = ("providers", name, "type")
        message = f'unknown provider type "{shown_name(provider.type)}"'
        binder.problems.add(binder.marks[path], path, message, nearest(provider.type, PROVIDER_TYPES))
    elif name not in PROVIDER_TYPES:
        close = nearest(name, PROVIDER_TYPES)
        hint = f"{close} Any other name needs a type" if close else "give it a type"
        message = f'unknown key "{shown_name(name)}" in providers'
        binder.problems.add(binder.marks["providers", name], ("providers", shown_name(name)), message, hint)
    return replace(provider, type=provider.type or name)


def _keyed(name: str, provider: Provider, binder: Binder) -> Provider:
    """Take a missing key from the environment, only where the section is the provider's own name.

    A section of another name may point anywhere, and a key must not follow it there unasked.
    """
    scalar = provider_key(name, binder.environ)
    if provider.api_key is not None or provider.type != name or scalar is None:
        return provider
    key = binder.value(Credential, scalar, ("providers", name, "api_key"))
    return provider if key is OMIT else replace(provider, api_key=key)


def _check_aliases(config: Config, providers: Mapping[str, Provider], binder: Binder) -> None:
    known = providers.keys() | ({MOCK} if config.mock else set())
    for name, target in config.aliases.items():
        provider = _split(target)[0]
        if provider not in known:
            path = ("aliases", name)
            message = f'alias "{name}" leads to provider "{provider}", which is not configured'
            binder.problems.add(binder.marks[path], path, message, nearest(provider, known))


def _pricing(config: Config, binder: Binder) -> Mapping[str, ConfiguredPrice]:
    """Key every price by `provider:model`; the two ways to write that are one model."""
    priced: dict[str, ConfiguredPrice] = {}
    for selector, price in config.pricing.items():
        model = ":".join(_split(selector))
        if model in priced:
            path = ("pricing", selector)
            binder.problems.add(binder.marks[path], path, f'"{model}" is priced twice')
        priced[model] = price
    return MappingProxyType(priced)


def _split(selector: str) -> tuple[str, str]:
    """Split at the first colon, or where there is none at the first slash."""
    provider, _, model = selector.partition(":" if ":" in selector else "/")
    return provider, model
