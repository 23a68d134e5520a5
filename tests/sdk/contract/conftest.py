"""The running server, the document it was written by, and people with accounts of their own."""

import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

URL = os.environ["TOLLGATE_URL"]
SECRETS = Path(os.environ["TOLLGATE_SECRETS"])
DOCUMENT = Path(__file__).parents[3] / "openapi/openapi.json"
MODEL = "openai/gpt-4o-mini"
PASSWORD = "correct horse battery"


def secret(name: str) -> str:
    return (SECRETS / name).read_text().strip()


def new_address() -> str:
    return f"contract-{uuid.uuid4()}@example.com"


class Person(NamedTuple):
    """A customer with a session and, if asked for, with a key and money."""

    email: str
    account: str
    token: str
    key: str


def call(method: str, path: str, token: str | None = None, body: Any = None) -> Any:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = httpx.request(method, URL + path, headers=headers, json=body, timeout=30)
    assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


def sign_in(email: str, password: str) -> str:
    tokens = call("POST", "/v1/auth/login", body={"email": email, "password": password})
    return str(tokens["access_token"])


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    return dict(json.loads(DOCUMENT.read_text()))


@pytest.fixture(scope="session")
def admin() -> str:
    """An access token of the operator."""
    return sign_in("admin@tollgate.local", secret("admin-password"))


@pytest.fixture(scope="session")
def new_person(admin: str) -> Callable[..., Person]:
    def make(dollars: str | None = None) -> Person:
        email = new_address()
        call("POST", "/v1/auth/register", body={"email": email, "password": PASSWORD})
        token = sign_in(email, PASSWORD)
        account = call("GET", "/v1/auth/me", token)["account_id"]
        key = call("POST", "/v1/auth/api-keys", token, {"name": "contract"})["key"]
        if dollars:
            body = {"amount_usd": dollars, "reference": "contract"}
            booked = call("POST", f"/v1/admin/clients/{account}/top-ups", admin, body)
            call("GET", f"/v1/client/balance?at_least={booked['position']}", token)
        return Person(email, account, token, key)

    return make
