"""The running server, and customers who pay for what a client does."""

import os
import time
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

# Without a network these would ask for news, and wait for it.
os.environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
os.environ |= {"LANGCHAIN_TRACING_V2": "false", "LANGSMITH_TRACING": "false"}
for name in ("OPENAI_API_KEY", "OPENROUTER_API_KEY", "OPENAI_BASE_URL"):
    os.environ.pop(name, None)

URL = os.environ["TOLLGATE_URL"]
SECRETS = Path(os.environ["TOLLGATE_SECRETS"])
MODEL = "openai/gpt-4o-mini"
WEATHER = "What is the weather in Lisbon?"
GRACE = "Describe a person named Grace who is 47 years old"
NOBODY = "sk-tg-" + "A" * 43


def told(cost: float | None) -> Decimal:
    """What an answer said that it cost. Clients read it as a float; its shortest text is exact."""
    assert cost is not None
    return Decimal(repr(cost))


class Session:
    """A signed-in person at the HTTP API."""

    def __init__(self, email: str, password: str) -> None:
        self.http = httpx.Client(base_url=URL, timeout=30)
        tokens = self.call("POST", "/v1/auth/login", {"email": email, "password": password})
        self.http.headers["authorization"] = f"Bearer {tokens['access_token']}"

    def call(self, method: str, path: str, body: object = None) -> dict:
        answer = self.http.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()


class Customer:
    """A new customer with a key, and with money if the admin tops the account up."""

    def __init__(self, admin: Session, dollars: str | None) -> None:
        email, password = f"client-{uuid.uuid4()}@example.com", "correct horse battery"
        body = {"email": email, "password": password}
        registered = admin.http.post("/v1/auth/register", json=body)
        assert registered.is_success, registered.text
        self.session = Session(email, password)
        self.key: str = self.session.call("POST", "/v1/auth/api-keys", {"name": "test"})["key"]
        if dollars:
            account = self.session.call("GET", "/v1/auth/me")["account_id"]
            body = {"amount_usd": dollars, "reference": "test"}
            booked = admin.call("POST", f"/v1/admin/clients/{account}/top-ups", body)
            self.session.call("GET", f"/v1/client/balance?at_least={booked['position']}")

    def charged(self) -> Decimal:
        """Everything charged, once nothing is reserved: settlements follow the answers."""
        # An answer begins after its reservation is in the log, and read models follow the log.
        head = self.session.call("GET", "/health")["ledger_head"]
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            balance = self.session.call("GET", f"/v1/client/balance?at_least={head}")
            if Decimal(balance["reserved_usd"]) == 0:
                return Decimal(balance["lifetime_spent_usd"])
            time.sleep(0.05)
        raise AssertionError(f"still reserved: {balance}")


@pytest.fixture(scope="session")
def new_customer() -> Callable[..., Customer]:
    admin = Session("admin@tollgate.local", (SECRETS / "admin-password").read_text().strip())
    return lambda dollars=None: Customer(admin, dollars)
