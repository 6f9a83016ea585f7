"""Why a request cost what it did, or why it was refused."""

from dataclasses import dataclass

from otari_daemon.protocol.messages.books import Correction
from otari_daemon.protocol.messages.usage import Refusal


@dataclass(frozen=True, slots=True)
class HoldExplained:
    """Money that was set aside: the most the request could use, each at the dearest rate it could meet.

    `adds_up` is False where the rates kept with the request are not those it was held at: it was held at a
    dearer tier that its prompt could have reached. Bounds are None on rows older than their columns.
    """

    amount_usd: str
    input_tokens_max: int | None
    output_tokens_max: int | None
    input_usd_per_million: str
    output_usd_per_million: str
    per_request_usd: str
    adds_up: bool


@dataclass(frozen=True, slots=True)
class CeilingExplained:
    """A budget the request was held under: as it stands now, in the period that admitted the request.

    `room_before_usd` is what the limit of now had left when the request came, by the rows of those before it;
    `room_after_usd` is that without its hold. Both are None without a limit, or with too many rows to read.
    """

    budget_id: str
    name: str
    holder: str
    limit_usd: str | None
    posted_usd: str
    held_usd: str
    overage_usd: str
    period_start: str | None
    enforced: bool
    room_before_usd: str | None = None
    room_after_usd: str | None = None


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One class of usage: `amount_usd` is exactly `units` times the rate, to the pico-dollar."""

    name: str
    units: int
    usd_per_million: str
    amount_usd: str


@dataclass(frozen=True, slots=True)
class ChargeExplained:
    """What was charged: the lines and `rounding_usd` add up to `cost_usd` exactly.

    The rounding is upwards, once, by less than a nano-dollar. It is negative only after a crash, when a
    presumed charge is cut to the hold. `posted_usd` was within the hold, `overage_usd` went beyond it.
    """

    lines: tuple[ChargeLine, ...]
    rounding_usd: str
    cost_usd: str
    posted_usd: str
    overage_usd: str


@dataclass(frozen=True, slots=True)
class PriceExplained:
    """Which price billed the request: who stated it, and since when it holds (None: always)."""

    model_key: str
    source: str
    effective_at: str | None


@dataclass(frozen=True, slots=True)
class InsteadExplained:
    """Why another model ran than was asked for: a budget had no room for that one and names a fallback."""

    asked: str
    budget_id: str
    budget: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything the books know of one request. `state` is `open`, `settled` or `refused`; `why` is prose.

    A refused request has `refusal` and nothing of hold, ceilings, charge, price and timing. `advice` is what
    to do about it. What was charged and the `corrections` made since add up to `net_usd`.
    """

    request_id: str
    timestamp: str
    state: str
    why: str
    endpoint: str
    api_key_id: str | None
    key_name: str | None
    user_id: str | None
    model: str | None
    provider: str | None = None
    stream: bool | None = None
    status_code: int | None = None
    reason: str | None = None
    hold: HoldExplained | None = None
    ceilings: tuple[CeilingExplained, ...] = ()
    charge: ChargeExplained | None = None
    price: PriceExplained | None = None
    first_byte_ms: float | None = None
    duration_ms: float | None = None
    refusal: Refusal | None = None
    instead: InsteadExplained | None = None
    advice: str | None = None
    provider_request_id: str | None = None
    corrections: tuple[Correction, ...] = ()
    net_usd: str | None = None


@dataclass(frozen=True, slots=True)
class RefusalGroup:
    """Refusals of one code by one budget or limit (None: by none), most first, with the newest of them."""

    code: str
    budget: str | None
    count: int
    last: Refusal
    limit: str | None = None
    why: str = ""
    advice: str = ""
