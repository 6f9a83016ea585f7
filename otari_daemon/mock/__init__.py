"""The built-in mock provider: speaks OpenAI's and Anthropic's APIs offline, fails by name, keeps a bill."""

from otari_daemon.mock.bill import UNIT_PICO, Bill, BillLine, Prices, charge_nano, prices_pico
from otari_daemon.mock.exchange import Sources
from otari_daemon.mock.faults import FAULTS
from otari_daemon.mock.models import MODEL_IDS
from otari_daemon.mock.server import MockServer, serve
from otari_daemon.mock.tokens import count_tokens, split_tokens

__all__ = [
    "FAULTS",
    "MODEL_IDS",
    "UNIT_PICO",
    "Bill",
    "BillLine",
    "MockServer",
    "Prices",
    "Sources",
    "charge_nano",
    "count_tokens",
    "prices_pico",
    "serve",
    "split_tokens",
]
