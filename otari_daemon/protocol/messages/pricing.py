"""Prices: set, listed, removed, suggested."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PriceTier:
    """Rates for the whole of a request with at least so many prompt tokens; others stay as they are."""

    min_input_tokens: int
    input_price_per_million: str | float | None = None
    output_price_per_million: str | float | None = None
    cache_read_price_per_million: str | float | None = None
    cache_write_price_per_million: str | float | None = None
    cache_write_1h_price_per_million: str | float | None = None
    reasoning_price_per_million: str | float | None = None
    audio_input_price_per_million: str | float | None = None
    audio_output_price_per_million: str | float | None = None
    image_input_price_per_million: str | float | None = None
    image_output_price_per_million: str | float | None = None


@dataclass(frozen=True, slots=True)
class PriceSet:
    """Price a model from a moment on (now, when left out); the version of the same moment is replaced.

    `model_key` is `provider:model`, or `provider:*` for all the provider's models without a price of their
    own. Prices are dollars per million tokens, as decimal strings or JSON numbers of at most six decimals.
    What is not named costs what its plain class costs: cached tokens as input, reasoning as output; what is
    priced by the piece, in dollars each, costs nothing. `service_tiers` are multipliers of the plain price.
    """

    model_key: str
    input_price_per_million: str | float
    output_price_per_million: str | float
    cache_read_price_per_million: str | float | None = None
    cache_write_price_per_million: str | float | None = None
    reasoning_price_per_million: str | float | None = None
    effective_at: str | None = None
    cache_write_1h_price_per_million: str | float | None = None
    audio_input_price_per_million: str | float | None = None
    audio_output_price_per_million: str | float | None = None
    image_input_price_per_million: str | float | None = None
    image_output_price_per_million: str | float | None = None
    characters_price_per_million: str | float | None = None
    price_per_image: str | float | None = None
    price_per_request: str | float | None = None
    price_per_second: str | float | None = None
    price_per_tool_call: str | float | None = None
    pricing_tiers: tuple[PriceTier, ...] = ()
    service_tiers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PriceStep:
    """Rates for long prompts or under a service tier, by class of usage, as in `PriceInfo.rates_usd`."""

    service_tier: str | None
    above_input_tokens: int
    rates_usd: dict[str, str]


@dataclass(frozen=True, slots=True)
class PriceInfo:
    """A version of a model's price. `source` is `database`, `config`, `mock` or `default`.

    `in_force` says whether this version is the one that bills its model key at the moment asked about.
    `rates_usd` has every class that costs something: dollars per million tokens or characters; for images,
    requests, seconds and tool calls dollars each. `created_at` and `updated_at` are None for what is not
    in the database.
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
    rates_usd: dict[str, str] = field(default_factory=dict)
    steps: tuple[PriceStep, ...] = ()


@dataclass(frozen=True, slots=True)
class PriceSuggestion:
    """A model whose price an operator should look at, and the one that is known elsewhere, if any is.

    `why` is `refused` (nobody has priced it), `bundled` (used at the bundled price) or `differs` (the
    database says otherwise). `known_as` is the model whose price is proposed; service tiers that
    are no multiple of the plain price are proposed at the least multiple that covers them.
    """

    model_key: str
    why: str
    requests: int
    known_as: str | None
    rates_usd: dict[str, str]
    proposed: PriceSet | None = None
