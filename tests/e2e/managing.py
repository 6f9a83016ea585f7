"""A daemon with a master key, and somebody who asks its public port from an address of their own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.e2e.machine import Machine

MASTER_KEY = "mk-0123456789-of-the-operator"
TIMEOUT_S = 30.0
_addresses = itertools.count(2)


def address() -> str:
    """A loopback address nobody else in this run has asked from."""
    number = next(_addresses)
    return f"127.0.{number // 250}.{number % 250 + 1}"


@contextmanager
def client(machine: Machine, credential: str | None = MASTER_KEY) -> Iterator[httpx.Client]:
    """Plain HTTP to the public port with one credential, from a fresh address."""
    headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
    transport = httpx.HTTPTransport(verify=False, local_address=address())
    with httpx.Client(
        base_url=machine.url, headers=headers, transport=transport, timeout=TIMEOUT_S
    ) as asking:
        yield asking


def told(answer: httpx.Response, status: int) -> Any:
    """The decoded body of an answer of this status."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    return answer.json() if answer.content else None


def refused(answer: httpx.Response, status: int, code: str, param: str | None = None) -> str:
    """The message of a refusal in the OpenAI form, which names its request."""
    body = told(answer, status)
    error = body["error"]
    assert (error["code"], error["param"]) == (code, param), body
    assert body["detail"] == error["message"]
    assert body["request_id"] == answer.headers["x-request-id"]
    message: str = error["message"]
    return message


def chat(machine: Machine, key: str, model: str = "up:echo") -> httpx.Response:
    """One inference request."""
    with client(machine, key) as asking:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
        return asking.post("/chat/completions", json=body)
