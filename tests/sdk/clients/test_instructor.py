"""instructor."""

import instructor
import openai
import pytest
from conftest import GRACE, MODEL, NOBODY, URL, told
from instructor.core import InstructorRetryException
from openai import OpenAI
from pydantic import BaseModel


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


def ask(key, mode, **options):
    client = instructor.from_openai(
        OpenAI(base_url=f"{URL}/v1", api_key=key, max_retries=0), mode=mode
    )
    return client.chat.completions.create_with_completion(
        model=MODEL,
        messages=[{"role": "user", "content": GRACE}],
        response_model=Person,
        max_tokens=300,
        max_retries=1,
        **options,
    )


@pytest.mark.parametrize("mode", [instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA])
def test_an_object_comes_out_and_costs_what_was_said(new_customer, mode):
    customer = new_customer("5.00")
    person, completion = ask(customer.key, mode)
    assert person.age == 47 and person.name
    assert customer.charged() == told(completion.usage.cost)


def test_an_object_can_be_streamed(new_customer):
    customer = new_customer("5.00")
    client = instructor.from_openai(OpenAI(base_url=f"{URL}/v1", api_key=customer.key))
    parts = client.chat.completions.create_partial(
        model=MODEL,
        messages=[{"role": "user", "content": GRACE}],
        response_model=Person,
        max_tokens=300,
    )
    *_, last = parts
    assert last.age == 47
    assert customer.charged() > 0


@pytest.mark.parametrize(("key", "status"), [(NOBODY, 401), (None, 402)])
def test_errors_keep_openai_s_status(new_customer, key, status):
    with pytest.raises((openai.APIStatusError, InstructorRetryException)) as caught:
        ask(key or new_customer().key, instructor.Mode.TOOLS)
    error = caught.value
    while not isinstance(error, openai.APIStatusError):
        error = error.__cause__ or error.args[0]
    assert error.status_code == status
