"""The official `openai` package, unmodified, against the mock."""

import openai
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from otari_daemon.mock import MODEL_IDS, MockServer


def user(text: str) -> list[openai.types.chat.ChatCompletionMessageParam]:
    return [{"role": "user", "content": text}]


async def test_a_chat(sdk: AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.create(model="echo", messages=user("Hello, SDK"))

    assert answer.choices[0].message.content == "Hello, SDK"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 3


async def test_a_stream_with_usage(sdk: AsyncOpenAI) -> None:
    stream = await sdk.chat.completions.create(
        model="lorem:9", messages=user("x"), stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]

    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "lorem ipsum dolor sit amet erat sed diam nonumy"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 9


class Point(BaseModel):
    x: int
    label: str


async def test_structured_output_is_parsed(sdk: AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.parse(model="echo", messages=user("a point"), response_format=Point)

    assert answer.choices[0].message.parsed == Point(x=0, label="")


async def test_a_streamed_tool_call_is_assembled(sdk: AsyncOpenAI) -> None:
    tool = openai.pydantic_function_tool(Point, name="plot")
    async with sdk.chat.completions.stream(
        model="echo", messages=user("please call:plot"), tools=[tool]
    ) as stream:
        final = await stream.get_final_completion()

    calls = final.choices[0].message.tool_calls
    assert calls is not None
    (call,) = calls
    assert call.function.name == "plot"
    assert call.function.parsed_arguments == Point(x=0, label="")
    assert final.choices[0].finish_reason == "tool_calls"


async def test_the_models(sdk: AsyncOpenAI) -> None:
    models = [model async for model in sdk.models.list()]

    assert [model.id for model in models] == list(MODEL_IDS)
    assert {model.owned_by for model in models} == {"mock"}


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("lorem:x", openai.BadRequestError),
        ("gpt-4", openai.NotFoundError),
        ("fault:s401", openai.AuthenticationError),
        ("fault:s403", openai.PermissionDeniedError),
        ("fault:s409", openai.ConflictError),
        ("fault:s422", openai.UnprocessableEntityError),
        ("fault:s429", openai.RateLimitError),
        ("fault:s529", openai.InternalServerError),
        ("fault:rst_after_request", openai.APIConnectionError),
        ("fault:cl_long", openai.APIConnectionError),
    ],
)
async def test_an_error_has_its_class(sdk: AsyncOpenAI, model: str, error: type[openai.OpenAIError]) -> None:
    with pytest.raises(error):
        await sdk.chat.completions.create(model=model, messages=user("x"))


async def test_an_error_event_in_a_stream_is_raised(sdk: AsyncOpenAI) -> None:
    stream = await sdk.chat.completions.create(model="fault:sse_error_event", messages=user("x"), stream=True)

    with pytest.raises(openai.APIError, match="failed mid-stream"):
        [chunk async for chunk in stream]


async def test_a_stream_closed_early_is_billed_as_left(mock: MockServer, sdk: AsyncOpenAI) -> None:
    stream = await sdk.chat.completions.create(model="drip:1000:5", messages=user("x"), stream=True)
    await anext(aiter(stream))
    await stream.close()
    answer = await sdk.chat.completions.create(model="slow:50", messages=user("x"))

    assert answer.choices[0].message.content == "x"
    assert [line.ended for line in mock.bill.lines] == ["client_left", "finished"]
