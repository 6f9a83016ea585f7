"""What no endpoint takes, and how each says so."""

from typing import Any

import httpx
import pytest

from otari_daemon.mock import MockServer
from otari_daemon.mock.endpoints import ENDPOINTS

PATHS = sorted(path.decode() for path in ENDPOINTS)
JUNK: list[bytes] = [b"", b"nonsense", b"[]", b"\xff", b"{}", b'{"model":7}', b"[" * 100_000]


def client_of(mock: MockServer) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=mock.address.removesuffix("/v1"))


def message(path: str, answer: httpx.Response) -> str:
    """What an error says, its envelope being that of the API at `path`."""
    body: Any = answer.json()
    if path.startswith("/v1/messages"):
        assert body["type"] == "error"
        assert body.keys() == {"type", "error", "request_id"}
        assert answer.headers["request-id"] == body["request_id"]
    else:
        assert body["error"].keys() == {"message", "type", "param", "code"}
        assert answer.headers["x-request-id"].startswith("req_mock_")
    text: str = body["error"]["message"]
    return text


@pytest.mark.parametrize("path", PATHS)
async def test_junk_is_refused_in_the_envelope_of_its_api_and_billed_nothing(
    mock: MockServer, path: str
) -> None:
    async with client_of(mock) as client:
        answers = [await client.post(path, content=junk) for junk in JUNK]
        answers.append(await client.post(path, files={"x": ("y", b"z")}))
        answers.append(await client.post(path, headers={"content-type": "multipart/form-data; boundary=b"}))

    assert {answer.status_code for answer in answers} == {400}
    assert all(message(path, answer) for answer in answers)
    assert {line.endpoint for line in mock.bill.lines} == {path}
    assert not any(line.prompt_tokens + line.completion_tokens + line.units for line in mock.bill.lines)


@pytest.mark.parametrize("path", PATHS)
async def test_an_endpoint_is_asked_with_post(mock: MockServer, path: str) -> None:
    async with client_of(mock) as client:
        assert (await client.get(path)).status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/files", 200),
        ("GET", "/v1/files/none", 404),
        ("GET", "/v1/files/none/more/than/that", 405),
        ("PUT", "/v1/files", 405),
        ("POST", "/v1/files", 400),
        ("GET", "/v1/batches", 200),
        ("POST", "/v1/batches", 400),
        ("POST", "/v1/batches/none/cancel", 404),
        ("DELETE", "/v1/batches/none", 405),
        ("GET", "/v1/models/lorem%3A5", 200),
        ("GET", "/v1", 404),
        ("GET", "/v2/files", 404),
    ],
)
async def test_a_resource_answers(mock: MockServer, method: str, path: str, status: int) -> None:
    async with client_of(mock) as client:
        answer = await client.request(method, path)

    assert answer.status_code == status
    assert not mock.bill.lines
