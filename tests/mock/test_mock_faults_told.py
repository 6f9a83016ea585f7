"""Faults of what is told in good order: statuses, and the usage."""

from typing import Any

import pytest

from tests.mock.mock_in_thread import ThreadedMock
from tests.mock.mock_raw_client import sse_data

PROMPT, COMPLETION = 6, 2  # of "hello there"

STATUSES = [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", STATUSES)
def test_a_status_declines_and_bills_nothing(threaded: ThreadedMock, status: int, streamed: bool) -> None:
    client = threaded.connect()
    client.ask(f"fault:s{status}", stream=streamed)

    answer = client.answer()
    assert answer.status == status
    assert answer.json["error"]["message"].startswith("mock: ")
    line = threaded.bill.next_line()
    assert (line.prompt_tokens, line.completion_tokens, line.ended) == (0, 0, "fault")


@pytest.mark.parametrize(
    ("model", "seconds"), [("s429", "1"), ("s429:30", "30"), ("s503", "1"), ("s503:7", "7")]
)
def test_a_status_says_when_to_retry(threaded: ThreadedMock, model: str, seconds: str) -> None:
    client = threaded.connect()
    client.ask(f"fault:{model}")

    assert client.answer().headers["retry-after"] == seconds


def test_an_error_can_come_with_status_200(threaded: ThreadedMock) -> None:
    client = threaded.connect()
    client.ask("fault:s200_error")

    answer = client.answer()
    assert (answer.status, list(answer.json)) == (200, ["error"])


def test_no_content_has_no_body_and_the_connection_goes_on(threaded: ThreadedMock) -> None:
    client = threaded.connect()
    client.ask("fault:s204")
    assert client.answer().status == 204

    client.ask("echo")
    assert client.answer().status == 200


@pytest.mark.parametrize(
    ("fault", "status", "location"),
    [
        ("redirect_same", 307, "/v1/chat/completions"),
        ("redirect_metadata", 302, "http://169.254.169.254/latest/meta-data/"),
    ],
)
def test_a_redirect_points_where_its_name_says(
    threaded: ThreadedMock, fault: str, status: int, location: str
) -> None:
    client = threaded.connect()
    client.ask(f"fault:{fault}")

    answer = client.answer()
    assert (answer.status, answer.headers["location"]) == (status, location)


def told(prompt: Any, completion: Any, total: Any, cached: int = 0) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": total,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


TRUE = told(PROMPT, COMPLETION, PROMPT + COMPLETION)
HUGE = 9_000_000_000_000_000_000
ABSENT = "absent"

LIES: dict[str, Any] = {
    "ok_nousage": ABSENT,
    "stream_nousage": ABSENT,
    "usage_zero": told(0, 0, 0),
    "usage_null": None,
    "usage_negative": told(PROMPT, -5, PROMPT - 5),
    "usage_huge": told(PROMPT, HUGE, HUGE),
    "usage_string": told("6", "2", "8"),
    "usage_mismatch": told(PROMPT, COMPLETION, 2 * (PROMPT + COMPLETION)),
    "cached_gt_prompt": told(PROMPT, COMPLETION, PROMPT + COMPLETION, PROMPT + 1_000),
}


@pytest.mark.parametrize("fault", LIES)
def test_a_whole_answer_lies_about_its_usage_and_the_bill_does_not(
    threaded: ThreadedMock, fault: str
) -> None:
    client = threaded.connect()
    client.ask(f"fault:{fault}")

    answer = client.answer().json
    assert answer.get("usage", ABSENT) == LIES[fault]
    assert answer["choices"][0]["message"]["content"] == "hello there"
    line = threaded.bill.next_line()
    assert (line.prompt_tokens, line.completion_tokens) == (PROMPT, COMPLETION)
    assert (line.cached_tokens, line.ended) == (0, "finished")


@pytest.mark.parametrize("fault", LIES)
def test_a_stream_lies_about_its_usage_and_the_bill_does_not(threaded: ThreadedMock, fault: str) -> None:
    client = threaded.connect()
    client.ask(f"fault:{fault}", stream=True, stream_options={"include_usage": True})

    *chunks, done = sse_data(client.answer().body)
    usages = [chunk["usage"] for chunk in chunks if not chunk["choices"]]
    assert done == "[DONE]"
    assert usages == ([] if LIES[fault] == ABSENT else [LIES[fault]])
    line = threaded.bill.next_line()
    assert (line.prompt_tokens, line.completion_tokens) == (PROMPT, COMPLETION)


@pytest.mark.parametrize(
    ("fault", "usages"),
    [
        ("stream_ok", [None] * 4 + [TRUE]),
        ("usage_first", [TRUE] + [None] * 4),
        ("usage_each", [TRUE] * 5),
        ("usage_twice", [None] * 4 + [TRUE] * 2),
    ],
)
def test_a_stream_tells_its_usage_in_odd_places(
    threaded: ThreadedMock, fault: str, usages: list[Any]
) -> None:
    client = threaded.connect()
    client.ask(f"fault:{fault}", stream=True, stream_options={"include_usage": True})

    *chunks, _ = sse_data(client.answer().body)
    assert [chunk["usage"] for chunk in chunks] == usages
    assert threaded.bill.next_line().ended == "finished"
