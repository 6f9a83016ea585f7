"""A provider that states no usage: our own count is within -1 % and +5 % of its bill."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import pytest

from tests.e2e.machine import Machine, nano

pytestmark = pytest.mark.e2e

ENGLISH = "hello there, how many tokens is this sentence? "
CHINESE = "\u4eca\u5929\u5929\u6c14\u5f88\u597d\u6211\u4eec\u53bb\u516c\u56ed\u6563\u6b65 "


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    made = Machine()
    try:
        made.start()
        made.key = made.new_key(key_name="unstated", budget="1000")
        yield made
        made.verified()
    finally:
        made.stop()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("prompt", [ENGLISH, ENGLISH * 100, CHINESE * 50], ids=["short", "long", "chinese"])
def test_the_charge_is_near_the_bill(machine: Machine, prompt: str, stream: bool) -> None:
    fault = "stream_nousage" if stream else "ok_nousage"
    body = {
        "model": f"up:fault:{fault}",
        "stream": stream,
        "messages": [{"role": "user", "content": prompt}],
    }
    connection = http.client.HTTPConnection("127.0.0.1", machine.port, timeout=20)
    headers = {"Authorization": f"Bearer {machine.key}"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    machine.quiet()

    row = machine.usage()[0]
    billed = machine.billed_nano()
    charged = sum(nano(each) for each in machine.usage())
    assert (answer.status, row["reason"]) == (200, "estimated")
    assert 0.99 * billed <= charged <= 1.05 * billed
