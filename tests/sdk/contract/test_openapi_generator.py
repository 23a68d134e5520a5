"""The Python client that openapi-generator makes of the document."""

from decimal import Decimal

import pytest
from conftest import MODEL, PASSWORD, URL, new_address, secret
from openapi_generator_client import (
    AdminApi,
    ApiClient,
    ApiException,
    ApiKeysApi,
    AuthApi,
    ChatCompletionRequest,
    ClientApi,
    Configuration,
    ErrorBody,
    HealthApi,
    IssueKeyRequest,
    LimitPeriod,
    LoginRequest,
    ModelsApi,
    ProblemBody,
    RegisterRequest,
    TopUpRequest,
)
from openapi_generator_client.exceptions import (
    BadRequestException,
    ForbiddenException,
    UnauthorizedException,
)
from pydantic import SecretStr

HELLO = [{"role": "user", "content": "Say hello"}]


def client(token: str | None = None) -> ApiClient:
    return ApiClient(Configuration(host=URL, access_token=token))


def sign_in(email: str, password: str) -> ApiClient:
    who = LoginRequest(email=email, password=SecretStr(password))
    tokens = AuthApi(client()).login(who)
    return client(tokens.access_token)


def test_a_customer_is_registered_topped_up_and_charged() -> None:
    email = new_address()
    who = RegisterRequest(email=email, password=PASSWORD, name="Ada")
    AuthApi(client()).register(who)
    session = sign_in(email, PASSWORD)
    account = AuthApi(session).show_me().account_id
    assert account.startswith("acct_")

    wanted = IssueKeyRequest(name="generated", limit_usd="2.50", period=LimitPeriod.DAY)
    issued = ApiKeysApi(session).issue_api_key(wanted)
    listed = ApiKeysApi(session).list_api_keys(limit=1, at_least=issued.position)
    assert [key.id for key in listed.data] == [issued.id]
    assert listed.data[0].revoked_at is None and listed.next_cursor is None

    admin = AdminApi(sign_in("admin@tollgate.local", secret("admin-password")))
    money = TopUpRequest(amount_usd="3.000000000001", reference="generated")
    booked = admin.top_up_client(account, money, idempotency_key=email)
    again = admin.top_up_client(account, money, idempotency_key=email)
    assert (again.id, again.replayed, booked.replayed) == (booked.id, True, False)
    balance = ClientApi(session).show_balance(at_least=booked.position)
    assert Decimal(balance.available_usd) == Decimal("3.000000000001")

    asked = ChatCompletionRequest(model=MODEL, messages=HELLO, max_tokens=50)
    answer = ModelsApi(client(issued.key)).create_chat_completion_with_http_info(asked)
    assert answer.status_code == 200
    assert answer.headers is not None
    assert Decimal(answer.headers["x-tollgate-charge"]) > 0


def test_errors_are_exceptions_with_the_document_s_types(admin: str) -> None:
    with pytest.raises(UnauthorizedException) as nobody:
        ClientApi(client("nobody")).show_balance()
    assert isinstance(nobody.value.data, ProblemBody)
    assert nobody.value.data.code == "not_signed_in"

    session = sign_in("demo@tollgate.local", secret("demo-password"))
    with pytest.raises(ForbiddenException) as customer:
        AdminApi(session).show_stats()
    assert isinstance(customer.value.data, ProblemBody)
    assert customer.value.data.code == "forbidden"

    with pytest.raises(BadRequestException) as amount:
        me = AuthApi(session).show_me()
        AdminApi(client(admin)).top_up_client(me.account_id, TopUpRequest(amount_usd="-1"))
    assert isinstance(amount.value.data, ProblemBody)
    assert amount.value.data.status == 400 and amount.value.data.param == "amount_usd"

    with pytest.raises(UnauthorizedException) as key:
        asked = ChatCompletionRequest(model=MODEL, messages=HELLO)
        ModelsApi(client("sk-tg-nobody")).create_chat_completion(asked)
    assert isinstance(key.value.data, ErrorBody)
    assert key.value.data.error.code == "invalid_api_key"


def test_an_empty_balance_is_an_exception_of_its_own_status() -> None:
    email = new_address()
    who = RegisterRequest(email=email, password=PASSWORD)
    AuthApi(client()).register(who)
    key = ApiKeysApi(sign_in(email, PASSWORD)).issue_api_key(IssueKeyRequest(name="poor")).key
    with pytest.raises(ApiException) as empty:
        asked = ChatCompletionRequest(model=MODEL, messages=HELLO, max_tokens=100)
        ModelsApi(client(key)).create_chat_completion(asked)
    assert empty.value.status == 402
    assert isinstance(empty.value.data, ErrorBody)
    assert empty.value.data.error.code == "insufficient_quota"


def test_the_health_is_typed() -> None:
    health = HealthApi(client()).show_health()
    assert health.status == "ok" and health.database.fsync is True
