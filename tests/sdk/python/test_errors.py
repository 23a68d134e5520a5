"""What a program catches: the SDK's own exception types, and never a wrong one."""

import openai
import pytest
from conftest import MODEL, sdk

HELLO = [{"role": "user", "content": "Hello"}]


def fault(name):
    return {"X-Sandbox-Fault": name}


@pytest.mark.parametrize("key", ["sk-tg-nobody", "", "sk-tg-" + "A" * 43])
def test_a_bad_key_is_an_authentication_error(key):
    with pytest.raises(openai.AuthenticationError) as caught:
        sdk(key or "none").chat.completions.create(model=MODEL, messages=HELLO)
    assert caught.value.status_code == 401
    assert caught.value.code == "invalid_api_key"


def test_a_revoked_key_is_an_authentication_error(new_customer):
    customer = new_customer("1.00")
    keys = customer.session.http.get("/v1/auth/api-keys").json()
    customer.client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=20)
    revoked = customer.session.http.delete(f"/v1/auth/api-keys/{keys['data'][0]['id']}")
    assert revoked.is_success, revoked.text
    with pytest.raises(openai.AuthenticationError):
        customer.client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=20)


def test_an_empty_balance_is_a_402_that_no_sdk_retries(new_customer):
    customer = new_customer()
    with pytest.raises(openai.APIStatusError) as caught:
        # With retries on, as users have them: a 402 must end at the first attempt.
        customer.client.with_options(max_retries=2).chat.completions.create(
            model=MODEL, messages=HELLO, max_tokens=100
        )
    error = caught.value
    assert error.status_code == 402
    assert (error.code, error.type) == ("insufficient_quota", "insufficient_quota")
    assert "You requested up to 100 tokens, but can only afford 0" in error.message


def test_a_small_balance_lowers_the_answer_instead_of_refusing(new_customer):
    customer = new_customer("0.001")
    raw = customer.client.chat.completions.with_raw_response.create(
        model=MODEL, messages=HELLO, extra_headers={"X-Sandbox-Tokens": "10,9999"}
    )
    lowered = int(raw.headers["x-tollgate-max-tokens"])
    assert 16 <= lowered < 16_384
    answer = raw.parse()
    assert answer.usage.completion_tokens == lowered
    assert answer.choices[0].finish_reason == "length"


def test_a_small_balance_refuses_a_bound_that_the_client_gave(new_customer):
    customer = new_customer("0.001")
    with pytest.raises(openai.APIStatusError) as caught:
        customer.client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=16_000)
    assert caught.value.status_code == 402
    assert "You requested up to 16000 tokens" in caught.value.message


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nobody/nothing", messages=HELLO)
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody/nothing")


def test_a_request_without_messages_is_a_bad_request(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=MODEL, messages=[])
    assert caught.value.param == "messages"


def test_an_upstream_rate_limit_is_a_rate_limit_error(client):
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(
            model=MODEL, messages=HELLO, extra_headers=fault("status=429")
        )
    assert caught.value.response.headers["retry-after"] == "1"


@pytest.mark.parametrize("status", [401, 402, 403, 500, 502, 503])
def test_an_upstream_that_refuses_us_is_a_server_error(client, status):
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(
            model=MODEL, messages=HELLO, extra_headers=fault(f"status={status}")
        )
    assert caught.value.status_code in (502, 503)
    assert "openrouter" not in caught.value.message.lower()


@pytest.mark.parametrize("name", ["midstream-error", "midstream-error-nousage", "drop"])
def test_a_stream_that_fails_raises_in_the_middle(client, name):
    stream = client.chat.completions.create(
        model=MODEL, messages=HELLO, stream=True, extra_headers=fault(name)
    )
    seen = []
    with pytest.raises(openai.APIError) as caught:
        for chunk in stream:
            seen.append(chunk)
    assert seen, "the stream had begun well"
    assert caught.value.message


def test_the_sdk_retries_what_may_pass(client):
    """A 503 is tried again, and ends as its typed error where it stays."""
    with pytest.raises(openai.InternalServerError):
        client.with_options(max_retries=1).chat.completions.create(
            model=MODEL, messages=HELLO, extra_headers=fault("status=503,retry-after=0")
        )
