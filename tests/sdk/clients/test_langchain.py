"""langchain-openai."""

import openai
import pytest
from conftest import GRACE, MODEL, NOBODY, URL, WEATHER, told
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel


def chat(key, **options):
    options = {"max_retries": 0, "max_tokens": 200} | options
    return ChatOpenAI(model=MODEL, base_url=f"{URL}/v1", api_key=key, **options)


def cost(message):
    return told(message.response_metadata["token_usage"]["cost"])


def test_the_charge_is_what_the_answers_said(new_customer):
    customer = new_customer("5.00")
    answers = [chat(customer.key).invoke(f"Say number {number}") for number in range(3)]
    assert all("number" in answer.content for answer in answers)
    assert all(answer.usage_metadata["total_tokens"] > 0 for answer in answers)
    assert customer.charged() == sum(map(cost, answers))


def test_a_stream_ends_with_its_usage(new_customer):
    customer = new_customer("5.00")
    chunks = list(chat(customer.key, stream_usage=True).stream("Explain prepaid accounts"))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert len(chunks) > 5 and "prepaid accounts" in whole.content
    assert whole.usage_metadata["output_tokens"] > 5
    assert customer.charged() > 0


@tool
def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    return f"21 degrees in {city}"


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


def test_tools_and_schemas(new_customer):
    customer = new_customer("5.00")
    with_tools = chat(customer.key).bind_tools([get_weather])
    asked = with_tools.invoke(WEATHER)
    (call,) = asked.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Lisbon"})
    result = get_weather.invoke(call)
    answer = with_tools.invoke([("user", WEATHER), asked, result])
    assert "21" in answer.content

    both = chat(customer.key).with_structured_output(Person, include_raw=True).invoke(GRACE)
    assert both["parsed"].age == 47
    assert customer.charged() == cost(asked) + cost(answer) + cost(both["raw"])


def test_vectors(new_customer):
    customer = new_customer("5.00")
    vectors = OpenAIEmbeddings(
        model="openai/text-embedding-3-small",
        base_url=f"{URL}/v1",
        api_key=customer.key,
        # Else it sends tokens of OpenAI's tokenizer, for which it asks the network.
        check_embedding_ctx_length=False,
    ).embed_documents(["double-entry", "bookkeeping"])
    assert len(vectors) == 2 and len(vectors[0]) == 1536
    assert customer.charged() > 0


def test_errors_are_openai_s(new_customer):
    with pytest.raises(openai.AuthenticationError):
        chat(NOBODY).invoke("Hello")
    with pytest.raises(openai.APIStatusError) as empty:
        chat(new_customer().key, max_retries=2).invoke("Hello")
    assert (empty.value.status_code, empty.value.code) == (402, "insufficient_quota")
