"""A stream that is silent carries comments; without them it is the provider's, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.e2e.machine import PRICING, Machine

pytestmark = pytest.mark.e2e

HELLO = [{"role": "user", "content": "one two three"}]
COMMENT = b": keep-alive\n\n"
PAUSED = "drip:2:900"
"""Two pieces, 900 ms apart."""


class Clients(Machine):
    """The mock by both of our clients, by one of them with less patience than a stream has silences."""

    def _configure(self, config: dict[str, Any]) -> Path:
        place = {"type": "openai", "api_base": self.mock_url}
        providers = {
            "up": place,
            "stock": {**place, "http_client": "httpx"},
            "hasty": {**place, "timeouts": {"idle_s": 0.7}},
            "hasty_stock": {**place, "timeouts": {"idle_s": 0.7}, "http_client": "httpx"},
        }
        pricing = {f"{name}:*": PRICING for name in providers}
        return super()._configure({**config, "providers": providers, "pricing": pricing})


@pytest.fixture(scope="module")
def lively() -> Iterator[Clients]:
    """A daemon whose streams carry a comment after 250 ms."""
    yield from served(stream_keep_alive_s=0.25)


@pytest.fixture(scope="module")
def exact() -> Iterator[Clients]:
    """A daemon that adds nothing."""
    yield from served(stream_keep_alive_s=None)


def served(**config: Any) -> Iterator[Clients]:
    made = Clients(**config)
    try:
        made.start()
        made.key = made.new_key(key_name="stream")
        yield made
        made.quiet()
        made.verified()
    finally:
        made.stop()


def streamed(machine: Clients, model: str) -> bytes:
    """Every byte of one stream."""
    body = {"model": model, "messages": HELLO, "stream": True}
    headers = {"authorization": f"Bearer {machine.key}"}
    url = f"{machine.url}/chat/completions"
    return httpx.post(url, json=body, headers=headers, timeout=20, verify=False).content


@pytest.mark.parametrize("provider", ["up", "stock"])
def test_comments_stand_between_whole_events_and_the_rest_is_as_it_was(
    lively: Clients, provider: str
) -> None:
    content = streamed(lively, f"{provider}:{PAUSED}")

    events = content.removesuffix(b"\n\n").split(b"\n\n")
    others = [event for event in events if event + b"\n\n" != COMMENT]
    assert len(events) - len(others) >= 2
    assert all(event.startswith(b"data: {") for event in others[:-1])
    assert others[-1] == b"data: [DONE]"


def test_a_comment_counts_for_nothing(lively: Clients) -> None:
    with (
        openai.OpenAI(base_url=lively.url, api_key=lively.key, max_retries=0) as client,
        client.chat.completions.create(model=f"up:{PAUSED}", messages=HELLO, stream=True) as stream,
    ):
        said = [chunk.choices[0].delta.content for chunk in stream]
    lively.quiet()

    assert len([word for word in said if word]) == 2
    row = lively.usage()[0]
    assert (row["reason"], row["completion_tokens"]) == ("usage", 2)


@pytest.mark.parametrize("provider", ["hasty", "hasty_stock"])
def test_comments_do_not_lend_a_silent_provider_time(lively: Clients, provider: str) -> None:
    content = streamed(lively, f"{provider}:{PAUSED}")

    assert COMMENT in content
    assert b'"upstream_timeout"' in content
    assert content.endswith(b"data: [DONE]\n\n")


def test_without_the_key_nothing_is_added(exact: Clients) -> None:
    content = streamed(exact, f"up:{PAUSED}")

    assert content.endswith(b"data: [DONE]\n\n")
    assert all(line.startswith(b"data: ") for line in content.splitlines() if line)
