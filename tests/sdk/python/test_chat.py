"""What a client does all day: ask, stream, call tools, ask for JSON."""

import json
from decimal import Decimal

import pytest
from conftest import MODEL, exact
from openai import pydantic_function_tool
from pydantic import BaseModel

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAC"
    "hwGA60e6kgAAAABJRU5ErkJggg=="
)


def user(text):
    return [{"role": "user", "content": text}]


def test_an_answer_has_content_and_a_cost(client):
    answer = client.chat.completions.create(model=MODEL, messages=user("Say hello"))
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.role == "assistant"
    assert "hello" in answer.choices[0].message.content.lower()
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.usage.cost > 0


def test_the_cost_is_the_sale_price_and_nothing_tells_ours(client):
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL,
        messages=user("How much is it?"),
        extra_headers={"X-Sandbox-Tokens": "1000,100"},
        max_tokens=200,
    )
    usage = exact(raw.text)["usage"]
    # 1,000 × $0.15 + 100 × $0.60 per million at list price; sold at 80 %.
    assert usage["cost"] == Decimal("0.000168")
    assert Decimal(raw.headers["x-tollgate-charge"]) == usage["cost"]
    assert "cost_details" not in usage and "is_byok" not in usage
    assert raw.headers["x-generation-id"] == raw.parse().id
    assert raw.headers["x-request-id"].startswith("req_")


def test_a_stream_comes_in_chunks_and_ends_with_the_usage(client):
    text, usages = [], []
    chunks = 0
    with client.chat.completions.create(
        model=MODEL, messages=user("Explain prepaid accounts"), stream=True
    ) as stream:
        for chunk in stream:
            chunks += 1
            assert chunk.object == "chat.completion.chunk"
            text += [choice.delta.content or "" for choice in chunk.choices]
            if chunk.usage:
                usages.append(chunk.usage)
    assert chunks > 5 and "prepaid accounts" in "".join(text)
    assert len(usages) == 1
    assert usages[0].cost > 0 and usages[0].completion_tokens > 5


def test_the_stream_helper_puts_the_same_answer_together(client):
    with client.chat.completions.stream(model=MODEL, messages=user("Say good morning")) as stream:
        events = [event.type for event in stream]
        final = stream.get_final_completion()
    assert "content.delta" in events
    assert "good morning" in final.choices[0].message.content.lower()
    assert final.usage.cost > 0


class GetWeather(BaseModel):
    """Get the current weather in a city."""

    city: str
    unit: str


def test_a_tool_call_goes_round(client):
    tools = [pydantic_function_tool(GetWeather, name="get_weather")]
    messages = user("What is the weather in Lisbon?")
    first = client.chat.completions.parse(model=MODEL, messages=messages, tools=tools)
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    call = message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert call.function.parsed_arguments.city == "Lisbon"

    messages += [
        message.to_dict(),
        {"role": "tool", "tool_call_id": call.id, "content": json.dumps({"celsius": 21})},
    ]
    second = client.chat.completions.create(model=MODEL, messages=messages, tools=tools)
    assert second.choices[0].finish_reason == "stop"
    assert "21" in second.choices[0].message.content


def test_a_streamed_tool_call_has_whole_arguments(client):
    tools = [pydantic_function_tool(GetWeather, name="get_weather")]
    with client.chat.completions.stream(
        model=MODEL, messages=user("What is the weather in Oslo?"), tools=tools
    ) as stream:
        stream.until_done()
        final = stream.get_final_completion()
    assert final.choices[0].message.tool_calls[0].function.parsed_arguments.city == "Oslo"


class Person(BaseModel):
    name: str
    age: int
    email: str


def test_a_schema_is_obeyed_and_parsed(client):
    answer = client.chat.completions.parse(
        model=MODEL,
        messages=user("Describe a person named Grace who is 47 years old"),
        response_format=Person,
    )
    person = answer.choices[0].message.parsed
    assert person.age == 47
    assert "@" in person.email and person.name


def test_a_picture_is_counted_and_paid(client):
    def ask(*more):
        parts = [{"type": "text", "text": "What is in the picture?"}, *more]
        return client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": parts}], max_tokens=50
        ).usage

    picture = {"type": "image_url", "image_url": {"url": PIXEL}}
    without, with_one = ask(), ask(picture)
    assert with_one.prompt_tokens - without.prompt_tokens >= 700
    assert with_one.cost > without.cost


def test_reasoning_passes_both_ways(client):
    answer = client.chat.completions.create(
        model="openai/gpt-5-mini",
        messages=user("Think about tides"),
        reasoning_effort="high",
    )
    assert answer.choices[0].message.reasoning
    details = answer.usage.completion_tokens_details
    assert 0 < details.reasoning_tokens <= answer.usage.completion_tokens


def test_a_member_that_nobody_knows_passes_through(client):
    """`sandbox` means something to the sandbox upstream alone: it must arrive there."""
    answer = client.chat.completions.create(
        model=MODEL,
        messages=user("Anything"),
        max_tokens=64,
        extra_body={"sandbox": {"tokens": [123, 45]}, "top_k": 7, "x_unknown": {"a": [1]}},
    )
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (123, 45)


@pytest.mark.parametrize("stream", [False, True])
def test_cyrillic_survives(client, stream):
    words = "Баланс сходится"
    answer = client.chat.completions.create(
        model=MODEL, messages=user(f"Say {words}"), stream=stream
    )
    if stream:
        text = "".join(c.choices[0].delta.content or "" for c in answer if c.choices)
    else:
        text = answer.choices[0].message.content
    assert words in text


def test_the_models_are_listed_with_sale_prices(client):
    models = {model.id: model for model in client.models.list()}
    assert len(models) > 300 and MODEL in models
    assert models[MODEL].pricing["prompt"] == "0.00000012"


def test_a_model_is_found_by_its_id(client):
    model = client.models.retrieve(MODEL)
    assert model.id == MODEL
    assert model.pricing["completion"] == "0.00000048"
