"""The client that openapi-python-client makes of the document: it returns errors, typed."""

from decimal import Decimal

from conftest import MODEL, PASSWORD, URL, new_address, secret
from openapi_python_client_made import AuthenticatedClient, Client
from openapi_python_client_made.api.admin import show_stats, top_up_client
from openapi_python_client_made.api.api_keys import issue_api_key, list_api_keys
from openapi_python_client_made.api.auth import login, register, show_me
from openapi_python_client_made.api.client import show_balance
from openapi_python_client_made.api.models import create_chat_completion
from openapi_python_client_made.models import (
    BalanceResponse,
    ChatCompletionRequest,
    ChatCompletionRequestMessagesItem,
    ErrorBody,
    IssuedKeyResponse,
    IssueKeyRequest,
    LimitPeriod,
    LoginRequest,
    MeResponse,
    PageApiKeyItem,
    ProblemBody,
    RegisterRequest,
    TokenResponse,
    TopUpRequest,
    TopUpResponse,
)

HELLO = ChatCompletionRequestMessagesItem.from_dict({"role": "user", "content": "Say hello"})


def signed(token: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=URL, token=token)


def sign_in(email: str, password: str) -> AuthenticatedClient:
    body = LoginRequest(email=email, password=password)
    tokens = login.sync(client=Client(base_url=URL), body=body)
    assert isinstance(tokens, TokenResponse)
    return signed(tokens.access_token)


def customer() -> tuple[str, AuthenticatedClient]:
    body = RegisterRequest(email=new_address(), password=PASSWORD, name="Ada")
    new = register.sync_detailed(client=Client(base_url=URL), body=body)
    assert new.status_code == 201
    session = sign_in(body.email, PASSWORD)
    me = show_me.sync(client=session)
    assert isinstance(me, MeResponse)
    return me.account_id, session


def test_a_customer_is_registered_topped_up_and_charged() -> None:
    account, session = customer()
    wanted = IssueKeyRequest(name="generated", limit_usd="2.50", period=LimitPeriod.DAY)
    issued = issue_api_key.sync(client=session, body=wanted)
    assert isinstance(issued, IssuedKeyResponse)
    listed = list_api_keys.sync(client=session, limit=1, at_least=issued.position)
    assert isinstance(listed, PageApiKeyItem)
    assert [key.id for key in listed.data] == [issued.id] and listed.data[0].revoked_at is None

    admin = sign_in("admin@tollgate.local", secret("admin-password"))
    money = TopUpRequest(amount_usd="3.000000000001", reference="generated")
    booked = top_up_client.sync(account, client=admin, body=money, idempotency_key=account)
    assert isinstance(booked, TopUpResponse)
    again = top_up_client.sync(account, client=admin, body=money, idempotency_key=account)
    assert isinstance(again, TopUpResponse)
    assert (again.id, again.replayed, booked.replayed) == (booked.id, True, False)
    balance = show_balance.sync(client=session, at_least=booked.position)
    assert isinstance(balance, BalanceResponse)
    assert Decimal(balance.available_usd) == Decimal("3.000000000001")

    asked = ChatCompletionRequest(model=MODEL, messages=[HELLO], max_tokens=50)
    answer = create_chat_completion.sync_detailed(client=signed(issued.key), body=asked)
    assert answer.status_code == 200
    assert Decimal(answer.headers["x-tollgate-charge"]) > 0


def test_errors_are_values_of_the_document_s_types(admin: str) -> None:
    nobody = show_balance.sync(client=signed("nobody"))
    assert isinstance(nobody, ProblemBody) and nobody.code == "not_signed_in"

    account, session = customer()
    refused = show_stats.sync(client=session)
    assert isinstance(refused, ProblemBody) and refused.code == "forbidden"

    wrong = top_up_client.sync(account, client=signed(admin), body=TopUpRequest(amount_usd="-1"))
    assert isinstance(wrong, ProblemBody)
    assert (wrong.status, wrong.param) == (400, "amount_usd")


def test_model_errors_are_values_in_openai_s_shape() -> None:
    asked = ChatCompletionRequest(model=MODEL, messages=[HELLO], max_tokens=100)
    stranger = create_chat_completion.sync(client=signed("sk-tg-nobody"), body=asked)
    assert isinstance(stranger, ErrorBody) and stranger.error.code == "invalid_api_key"

    _, session = customer()
    issued = issue_api_key.sync(client=session, body=IssueKeyRequest(name="poor"))
    assert isinstance(issued, IssuedKeyResponse)
    empty = create_chat_completion.sync_detailed(client=signed(issued.key), body=asked)
    assert empty.status_code == 402
    assert isinstance(empty.parsed, ErrorBody)
    assert empty.parsed.error.code == "insufficient_quota"
