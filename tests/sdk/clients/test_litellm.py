"""LiteLLM, as a client of ours."""

import conftest  # noqa: F401 -- sets what LiteLLM reads when it is imported
import litellm
import pytest
from conftest import GRACE, MODEL, NOBODY, URL, WEATHER, told

WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def ask(key, content, provider="openai", base="/v1", **options):
    options = {"max_tokens": 200, "num_retries": 0, "max_retries": 0} | options
    return litellm.completion(
        model=f"{provider}/{MODEL}",
        api_base=f"{URL}{base}",
        api_key=key,
        messages=[{"role": "user", "content": content}],
        **options,
    )


# Its adapter for any OpenAI-compatible server, and the one for OpenRouter.
@pytest.mark.parametrize(("provider", "base"), [("openai", "/v1"), ("openrouter", "/api/v1")])
def test_the_charge_is_what_the_answers_said(new_customer, provider, base):
    customer = new_customer("5.00")
    whole = ask(customer.key, "Say hello", provider, base)
    assert "hello" in whole.choices[0].message.content.lower()
    tools = ask(customer.key, WEATHER, provider, base, tools=[WEATHER_TOOL])
    (call,) = tools.choices[0].message.tool_calls
    assert '"Lisbon"' in call.function.arguments
    assert customer.charged() == told(whole.usage.cost) + told(tools.usage.cost)


def test_a_stream_is_put_together(new_customer):
    customer = new_customer("5.00")
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(ask(customer.key, "Explain prepaid accounts", **options))
    whole = litellm.stream_chunk_builder(chunks)
    assert len(chunks) > 5 and "prepaid accounts" in whole.choices[0].message.content
    assert whole.usage.completion_tokens > 5
    assert customer.charged() > 0


def test_a_schema_is_obeyed(new_customer):
    schema = {
        "name": "person",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
            "required": ["name", "age"],
            "additionalProperties": False,
        },
    }
    customer = new_customer("5.00")
    form = {"type": "json_schema", "json_schema": schema}
    answer = ask(customer.key, GRACE, response_format=form)
    assert '"age":47' in answer.choices[0].message.content.replace(" ", "")
    assert customer.charged() == told(answer.usage.cost)


@pytest.mark.parametrize(("provider", "base"), [("openai", "/v1"), ("openrouter", "/api/v1")])
def test_errors_have_litellm_s_types(new_customer, provider, base):
    with pytest.raises(litellm.AuthenticationError):
        ask(NOBODY, "Hello", provider, base)
    with pytest.raises(litellm.exceptions.APIError) as empty:
        ask(new_customer().key, "Hello", provider, base)
    assert empty.value.status_code == 402
    with pytest.raises((litellm.NotFoundError, litellm.BadRequestError)):
        litellm.completion(
            model=f"{provider}/nobody/nothing",
            api_base=f"{URL}{base}",
            api_key=new_customer("1.00").key,
            messages=[{"role": "user", "content": "Hello"}],
        )
