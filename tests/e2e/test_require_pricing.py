"""With `require_pricing: false`, a model nobody has priced is served, recorded and free."""

from __future__ import annotations

import openai
import pytest

from tests.e2e.machine import Machine, nano

pytestmark = pytest.mark.e2e


def test_an_unpriced_model_is_served_free_and_recorded():
    machine = Machine(require_pricing=False)
    try:
        machine.start()
        key = machine.new_key(key_name="free", budget="0.01/day")
        with openai.OpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
            client.chat.completions.create(model="bare:echo", messages=[{"role": "user", "content": "hi"}])

        machine.quiet()
        (row,) = machine.usage()
        assert (nano(row), row["reason"], row["model"]) == (0, "usage", "bare:echo")
        machine.verified()
    finally:
        machine.stop()
