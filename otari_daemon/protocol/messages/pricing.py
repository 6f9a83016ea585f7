"""Prices: set, listed, removed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PriceSet:
    """Price a model from a moment on (now, when left out); the version of the same moment is replaced.

    `model_key` is `provider:model`, or `provider:*` for all the provider's models without a price of their
    own. Prices are dollars per million tokens, as decimal strings or JSON numbers of at most six decimals.
    What is not named costs what its plain class costs: cached tokens as input, reasoning as output.
    """

    model_key: str
    input_price_per_million: str | float
    output_price_per_million: str | float
    cache_read_price_per_million: str | float | None = None
    cache_write_price_per_million: str | float | None = None
    reasoning_price_per_million: str | float | None = None
    effective_at: str | None = None


@dataclass(frozen=True, slots=True)
class PriceInfo:
    """A version of a model's price. `source` is `database`, `config`, `mock` or `default`.

    `in_force` says whether this version is the one that bills its model key at the moment asked about.
    `created_at` and `updated_at` are None for what is not in the database.
    """

    model_key: str
    effective_at: str
    input_price_per_million: float
    output_price_per_million: float
    created_at: str | None
    updated_at: str | None
    source: str
    in_force: bool
    input_usd_per_million: str
    output_usd_per_million: str
    cache_read_usd_per_million: str
    cache_write_usd_per_million: str
    reasoning_usd_per_million: str
