"""OpenRouter's own SDK, with only the address changed."""

import pytest
from conftest import GRACE, MODEL, NOBODY, URL, WEATHER, told
from openrouter import OpenRouter, errors
from openrouter.utils import BackoffStrategy, RetryConfig


# It would ask for an hour where a server answers 5xx, and a test wants to see the first answer.
ONCE = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)


def client(key):
    return OpenRouter(api_key=key, server_url=f"{URL}/api/v1", retry_config=ONCE)


def ask(key, content, **options):
    options = {"max_tokens": 200} | options
    messages = [{"role": "user", "content": content}]
    return client(key).chat.send(model=MODEL, messages=messages, **options)


def test_the_charge_is_what_the_answer_said(new_customer):
    customer = new_customer("5.00")
    answer = ask(customer.key, "Say hello")
    assert "hello" in answer.choices[0].message.content.lower()
    assert customer.charged() == told(answer.usage.cost)


def test_a_stream_ends_with_its_cost(new_customer):
    customer = new_customer("5.00")
    text, costs = "", []
    with ask(customer.key, "Explain prepaid accounts", stream=True) as stream:
        for chunk in stream:
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
            if chunk.usage:
                costs.append(told(chunk.usage.cost))
    assert "prepaid accounts" in text
    assert costs == [customer.charged()]


def test_tools_and_schemas(new_customer):
    customer = new_customer("5.00")
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    function = {"name": "get_weather", "parameters": parameters}
    asked = ask(customer.key, WEATHER, tools=[{"type": "function", "function": function}])
    (call,) = asked.choices[0].message.tool_calls
    assert call.function.name == "get_weather" and "Lisbon" in call.function.arguments

    properties = {"name": {"type": "string"}, "age": {"type": "integer"}}
    schema = {"type": "object", "properties": properties, "required": ["name", "age"]}
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema}}
    answer = ask(customer.key, GRACE, response_format=form)
    assert '"age":47' in answer.choices[0].message.content.replace(" ", "")
    assert customer.charged() == told(asked.usage.cost) + told(answer.usage.cost)


def test_the_models_are_listed():
    models = client(None).models.list(limit=500)
    data = models.result.data if hasattr(models, "result") else models.data
    assert len(data) > 300 and MODEL in {model.id for model in data}


def test_errors_have_openrouter_s_types(new_customer):
    with pytest.raises(errors.UnauthorizedResponseError):
        ask(NOBODY, "Hello")
    with pytest.raises(errors.PaymentRequiredResponseError) as empty:
        ask(new_customer().key, "Hello")
    assert "can only afford 0" in empty.value.data.error.message
