"""Limits from the operator's side: the real command against a real daemon."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import openai
import pytest

from tests.e2e.machine import Machine

pytestmark = pytest.mark.e2e

HELLO: Any = [{"role": "user", "content": "hi"}]


def otari(machine: Machine, *argv: str) -> str:
    """What a command prints; one that fails is an error."""
    command = [sys.executable, "-m", "otari_cli", "--admin-socket", str(machine.socket), *argv]
    return subprocess.run(command, check=True, capture_output=True, timeout=30, text=True).stdout


def test_a_limit_is_set_met_named_raised_and_shown(machine: Machine) -> None:
    secret = otari(machine, "keys", "create", "ci", "--rpm", "1", "--max-parallel", "4").strip()
    with openai.OpenAI(base_url=machine.url, api_key=secret, max_retries=0) as client:
        client.chat.completions.create(model="up:echo", messages=HELLO)
        with pytest.raises(openai.RateLimitError) as refused:
            client.chat.completions.create(model="up:echo", messages=HELLO)
        otari(machine, "keys", "update", "ci", "--rpm", "3")
        client.chat.completions.create(model="up:echo", messages=HELLO)

    request_id = refused.value.response.headers["x-request-id"]
    assert "this API key is limited to 1 requests per minute" in otari(machine, "explain", request_id)
    assert "rpm of key:ci" in otari(machine, "explain", "--refused")
    shown = [line.split() for line in otari(machine, "keys", "show", "ci").splitlines()]
    assert ["rpm", "key:ci", "2", "3", "own"] in shown
    assert ["max_parallel", "key:ci", "0", "4", "own"] in shown
