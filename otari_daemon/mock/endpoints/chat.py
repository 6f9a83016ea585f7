"""POST /v1/chat/completions."""

from functools import partial

from otari_daemon.mock.answer import make_answer
from otari_daemon.mock.ask import Ask, read_ask
from otari_daemon.mock.bill import CHAT
from otari_daemon.mock.endpoints.endpoint import Asked, Endpoint, Stamp
from otari_daemon.mock.frames import Request
from otari_daemon.mock.manner import openai_manner
from otari_daemon.mock.models import Model
from otari_daemon.mock.wires.chat import ChatWire


def _read(request: Request) -> Asked:
    ask = read_ask(request.body)
    return Asked(ask.model, partial(_answer, ask), bool(ask.stream), ask.include_usage)


def _answer(ask: Ask, model: Model, stamp: Stamp, text: str | None) -> ChatWire:
    return ChatWire(make_answer(ask, model, stamp.number, stamp.created, text))


CHAT_COMPLETIONS = Endpoint(openai_manner(CHAT), _read)
