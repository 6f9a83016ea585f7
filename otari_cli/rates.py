"""Rates as a command line writes them: `class=dollars`, and `tokens:class=dollars,...` for a tier."""

from __future__ import annotations

from otari_cli.options import wrong
from otari_daemon.protocol import codec
from otari_daemon.protocol.messages import PriceSet

_PIECES = {"image", "request", "second", "tool_call"}


def priced(
    model: str,
    rates: dict[str, str],
    since: str | None,
    more: list[str] | None,
    tiers: list[str] | None,
    services: list[str] | None,
) -> PriceSet:
    """The price that a command line states. Raises CliError for what cannot be read."""
    fields = _fields(rates | dict(_pair(each, "--rate") for each in more or ()))
    stated: dict[str, object] = {"model_key": model, "effective_at": since, **fields}
    stated["pricing_tiers"] = [_tier(each) for each in tiers or ()]
    stated["service_tiers"] = dict(_pair(each, "--service") for each in services or ())
    return _accepted(stated)


def _accepted(stated: dict[str, object]) -> PriceSet:
    try:
        return codec.accept(PriceSet, stated)
    except codec.FieldError as error:
        raise wrong(error.field, error.message) from error


def _tier(text: str) -> dict[str, object]:
    least, _, rates = text.partition(":")
    if not least.isdigit() or not rates:
        raise wrong("--tier", f"{text!r} is not like 200001:input=2.5,output=15")
    return {
        "min_input_tokens": int(least),
        **_fields(dict(_pair(each, "--tier") for each in rates.split(","))),
    }


def _pair(text: str, option: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name.strip() or not value.strip():
        raise wrong(option, f"{text!r} is not like name=1.5")
    return name.strip(), value.strip()


def _fields(rates: dict[str, str]) -> dict[str, str]:
    return {
        f"price_per_{name}" if name in _PIECES else f"{name}_price_per_million": usd
        for name, usd in rates.items()
    }
