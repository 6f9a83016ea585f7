"""The only place where units meet rates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import mul

from otari_daemon.domain.money import PICO_PER_NANO, Nano, Pico
from otari_daemon.domain.usage import Usage

PLAIN = "default"
"""The service tier that costs a model's plain price."""

ONE_REQUEST = Usage(requests=1)
"""The pieces of a request that is priced by its tokens."""

UNDECIDED = frozenset({None, "auto"})
"""What a request says that leaves its service tier to the provider."""


class Rates(tuple[Pico, ...]):
    """A rate per unit for every class of `Usage`, in its order; all in pico-USD."""

    __slots__ = ()

    def __new__(cls, rates: Iterable[int]) -> Rates:
        """Take one rate for each class; refuse a negative one or a wrong number of them."""
        made = super().__new__(cls, (Pico(rate) for rate in rates))
        if len(made) != len(Usage._fields) or any(rate < 0 for rate in made):
            raise ValueError("rates are one non-negative integer for every class of usage")
        return made

    @classmethod
    def of(cls, **by_class: int) -> Rates:
        """Name rates by class. What is not named follows its plain class: caches input, thought output.

        What is priced by the piece costs nothing unless it is named.
        """
        unknown = by_class.keys() - set(Usage._fields)
        if unknown:
            raise ValueError(f"no such class of usage: {', '.join(sorted(unknown))}")
        read = by_class.get
        plain_in, plain_out = read("input", 0), read("output", 0)
        return cls(
            (
                plain_in,
                read("cache_read", plain_in),
                read("cache_write", plain_in),
                plain_out,
                read("reasoning", plain_out),
                read("audio_input", plain_in),
                read("audio_output", plain_out),
                read("images", 0),
                read("requests", 0),
                read("tool_calls", 0),
                read("cache_write_1h", read("cache_write", plain_in)),
                read("image_input", plain_in),
                read("image_output", plain_out),
                read("seconds", 0),
                read("characters", 0),
            )
        )

    def times(self, permille: int) -> Rates:
        """All rates at so many thousandths of these, rounded up."""
        return Rates(-(-rate * permille // 1000) for rate in self)

    @property
    def dearest_input(self) -> int:
        """The highest rate any prompt token can meet."""
        return max(self[0], self[1], self[2], self[5], self[10], self[11])

    @property
    def dearest_output(self) -> int:
        """The highest rate any generated token can meet."""
        return max(self[3], self[4], self[6], self[12])


NO_DEARER = frozenset({"auto", "default", "flex", "on_demand", "standard", "standard_only"})
"""Service tiers that cost what is listed, or less."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs from one moment on, and where that is written.

    `tiers` are dearer prices for the whole of a request whose prompt is longer than each one's
    `above_tokens`, in rising order. `services` are what it costs under a provider's own service tiers,
    like `priority`, by their names.
    """

    model: str
    rates: Rates
    effective_ms: int
    source: str
    context_tokens: int | None = None
    output_tokens_max: int | None = None
    above_tokens: int = 0
    tiers: tuple[Price, ...] = ()
    services: tuple[tuple[str, Price], ...] = ()

    @property
    def free(self) -> bool:
        """Whether no use of it can ever cost anything."""
        dearer = (*self.tiers, *(price for _, price in self.services))
        return not any(self.rates) and all(price.free for price in dearer)

    def covers(self, service: str) -> bool:
        """Whether a service tier has a price here, or is known to cost no more than the plain one."""
        return service in NO_DEARER or any(name == service for name, _ in self.services)

    @property
    def covers_calls(self) -> bool:
        """Whether calls of the provider's tools have a price here, or nothing has one."""
        return self.free or all(price.rates[9] for price in self.family())

    def under(self, service: str | None) -> Price:
        """The price of a service tier; the plain one for a tier without a price of its own."""
        for name, price in self.services:
            if name == service:
                return price
        return self

    def presumed(self, service: str | None, input_tokens: int) -> Price:
        """The price of a request under a service tier, whose prompt has that many tokens."""
        if not self.tiers and not self.services:
            return self
        return self.under(service).in_force(input_tokens)

    def family(self) -> Iterator[Price]:
        """Every price that a request at this one can be charged by."""
        yield self
        yield from self.tiers
        for _, served in self.services:
            yield from served.family()

    def in_force(self, input_tokens: int) -> Price:
        """The price of a request whose prompt has that many tokens: this one, or a tier of it."""
        price = self
        for tier in self.tiers:
            if input_tokens > tier.above_tokens:
                price = tier
        return price


def charge(usage: Usage, rates: Rates) -> Nano:
    """Price a request in nano-USD, rounded up once."""
    return Nano(-(-sum(map(mul, usage, rates)) // PICO_PER_NANO))


def ceiling(
    input_max: int,
    output_max: int,
    price: Price,
    service: str | None = PLAIN,
    pieces: Usage = ONE_REQUEST,
) -> Nano:
    """Price the worst case of a request in nano-USD: every token at the dearest rate it can meet.

    A provider may serve a request under a plainer tier than it asked for; one that names none (None), or
    leaves the choice to the provider, can meet any. `pieces` bounds what is priced by the piece.
    """
    if not price.services or service == PLAIN:
        return _ceiling(input_max, output_max, price, pieces)
    asked = {service, PLAIN}
    reached = [each for name, each in price.services if service in UNDECIDED or name in asked]
    return max(_ceiling(input_max, output_max, each, pieces) for each in (price, *reached))


def _ceiling(input_max: int, output_max: int, price: Price, pieces: Usage) -> Nano:
    within_reach = [price.rates, *(tier.rates for tier in price.tiers if tier.above_tokens < input_max)]
    pico = max(
        input_max * rates.dearest_input
        + output_max * rates.dearest_output
        + (rates[8] if pieces is ONE_REQUEST else sum(map(mul, pieces, rates)))
        for rates in within_reach
    )
    return Nano(-(-pico // PICO_PER_NANO))
