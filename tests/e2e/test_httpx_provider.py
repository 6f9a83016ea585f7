"""A provider asked through stock httpx: the SDK notices nothing, and the provider's bill equals our books."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.e2e.machine import PRICING, Machine, nano

pytestmark = pytest.mark.e2e

HELLO = [{"role": "user", "content": "hello there, how many tokens is this sentence?"}]


class ViaHttpx(Machine):
    """The mock as a provider that is asked through httpx."""

    def _configure(self, config: dict[str, Any]) -> Path:
        place = {"type": "openai", "api_base": self.mock_url, "http_client": "httpx"}
        return super()._configure({**config, "providers": {"up": place}, "pricing": {"up:*": PRICING}})


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """One daemon, whose books must prove themselves at the end."""
    made = ViaHttpx()
    try:
        made.start()
        yield made
        made.quiet()
        made.verified()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def client(machine: Machine) -> Iterator[openai.OpenAI]:
    key = machine.new_key(key_name="sdk")
    with openai.OpenAI(base_url=machine.url, api_key=key, max_retries=0) as made:
        yield made


def test_a_whole_answer_costs_what_the_provider_billed(machine, client):
    before = machine.billed_nano()
    answer = client.chat.completions.create(model="up:echo", messages=HELLO)

    machine.quiet()
    assert answer.choices[0].message.content == HELLO[0]["content"]
    assert nano(machine.usage()[0]) == machine.billed_nano() - before > 0


def test_a_stream_arrives_whole_and_costs_what_the_provider_billed(machine, client):
    before = machine.billed_nano()
    with client.chat.completions.create(model="up:drip:40:2", messages=HELLO, stream=True) as stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    machine.quiet()
    row = machine.usage()[0]
    assert len(text.split()) >= 20
    assert nano(row) == machine.billed_nano() - before > 0
    assert (row["reason"], row["stream"]) == ("usage", True)
