"""Requests by the official SDK, sync and async, streamed and not, and what each answer said was used."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionUserMessageParam

from tests.e2e.machine import Machine

MODEL = "llama:gemma"
ANSWER_S_MAX = 60.0
TOKENS_MAX = 32
PARALLEL = 4

RIVERS = "Name three rivers of Norway, and say which one is the longest of them. Use one short sentence."
LEDGER = "Explain to a child in one sentence why a shop keeps a ledger of all that it sells and buys."
TERMINAL = "What is a terminal? One sentence."


class Asked(NamedTuple):
    """One answered request; `usage` is None where the caller did not ask to be told."""

    label: str
    request_id: str
    usage: CompletionUsage | None


def said(text: str) -> list[ChatCompletionUserMessageParam]:
    """A conversation of one message."""
    return [{"role": "user", "content": text}]


def ask_sync(machine: Machine, key: str) -> list[Asked]:
    """One at a time: whole, the same again so that its prompt is cached, streamed with and without usage."""
    with openai.OpenAI(base_url=machine.url, api_key=key, max_retries=0, timeout=ANSWER_S_MAX) as client:
        return [
            whole(client, "sync, whole", RIVERS),
            whole(client, "sync, whole, prompt repeated", RIVERS),
            streamed(client, "sync, streamed", LEDGER, tell=True),
            streamed(client, "sync, streamed, prompt repeated", LEDGER, tell=True),
            streamed(client, "sync, streamed, usage not asked for", LEDGER, tell=False),
        ]


async def ask_async(machine: Machine, key: str) -> list[Asked]:
    """PARALLEL whole ones and PARALLEL streams, all at once."""
    async with openai.AsyncOpenAI(
        base_url=machine.url, api_key=key, max_retries=0, timeout=ANSWER_S_MAX
    ) as client:
        calls = [whole_async(client, f"async, whole, {n + 1} of {PARALLEL}", n) for n in range(PARALLEL)]
        calls += [
            streamed_async(client, f"async, streamed, {n + 1} of {PARALLEL}", n) for n in range(PARALLEL)
        ]
        return await asyncio.gather(*calls)


def whole(client: openai.OpenAI, label: str, text: str, tokens: int = TOKENS_MAX) -> Asked:
    """A whole answer."""
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=said(text), max_tokens=tokens, temperature=0
    )
    answer = raw.parse()
    assert answer.choices[0].message.content, "a real model says something"
    return Asked(label, raw.headers["x-request-id"], answer.usage)


def streamed(client: openai.OpenAI, label: str, text: str, *, tell: bool) -> Asked:
    """A streamed answer, read to its end."""
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL,
        messages=said(text),
        max_tokens=TOKENS_MAX,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True} if tell else openai.omit,
    )
    with raw.parse() as stream:
        usages = [chunk.usage for chunk in stream if chunk.usage is not None]
    assert len(usages) == tell, "usage comes once to whom asks for it, and to nobody else"
    return Asked(label, raw.headers["x-request-id"], usages[0] if tell else None)


async def whole_async(client: openai.AsyncOpenAI, label: str, n: int) -> Asked:
    """A whole answer; the n-th may be a little longer."""
    raw = await client.chat.completions.with_raw_response.create(
        model=MODEL, messages=said(RIVERS), max_tokens=TOKENS_MAX + n, temperature=0
    )
    return Asked(label, raw.headers["x-request-id"], raw.parse().usage)


async def streamed_async(client: openai.AsyncOpenAI, label: str, n: int) -> Asked:
    """A streamed answer; the n-th may be a little longer."""
    raw = await client.chat.completions.with_raw_response.create(
        model=MODEL,
        messages=said(TERMINAL),
        max_tokens=TOKENS_MAX + n,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    async with raw.parse() as stream:
        (usage,) = [chunk.usage async for chunk in stream if chunk.usage is not None]
    return Asked(label, raw.headers["x-request-id"], usage)
