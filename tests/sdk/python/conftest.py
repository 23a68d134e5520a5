"""What the tests share: the running server, its demo customer, and customers of their own.

Amounts are read from the raw text of answers, as decimals: a float would make any comparison of
money worthless.
"""

import itertools
import json
import os
import time
import uuid
from decimal import Decimal
from pathlib import Path

import httpx2 as httpx
import pytest
from openai import OpenAI

URL = os.environ["TOLLGATE_URL"]
SECRETS = Path(os.environ["TOLLGATE_SECRETS"])
MODEL = "openai/gpt-4o-mini"


def exact(text):
    """Parses JSON with every number as it is written."""
    return json.loads(text, parse_float=Decimal)


def secret(name):
    return (SECRETS / name).read_text().strip()


def sdk(key, **options):
    """The SDK as its manual says, but for retries: a test wants to see the first answer."""
    return OpenAI(base_url=f"{URL}/v1", api_key=key, max_retries=0, **options)


class Session:
    """A signed-in person at the HTTP API."""

    def __init__(self, email, password):
        self.http = httpx.Client(base_url=URL, timeout=30)
        tokens = self.post("/v1/auth/login", {"email": email, "password": password})
        self.http.headers["authorization"] = f"Bearer {tokens['access_token']}"

    def post(self, path, body):
        answer = self.http.post(path, json=body)
        assert answer.is_success, answer.text
        return exact(answer.text)

    def balance(self):
        # An answer begins after its reservation is in the log, and read models follow the log.
        head = self.http.get("/health").json()["ledger_head"]
        answer = self.http.get("/v1/client/balance", params={"at_least": head})
        assert answer.is_success, answer.text
        return exact(answer.text)

    def settled_balance(self):
        """The balance once nothing is reserved: settlements follow the answers."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            balance = self.balance()
            if Decimal(balance["reserved_usd"]) == 0:
                return balance
            time.sleep(0.05)
        raise AssertionError(f"still reserved: {balance}")


class Customer:
    """A new customer with a key, and with money if the admin tops the account up."""

    def __init__(self, admin, number, dollars=None):
        email = f"customer{number}-{uuid.uuid4().hex[:8]}@example.com"
        password = "correct horse battery"
        registered = admin.http.post(
            "/v1/auth/register", json={"email": email, "password": password, "name": "Test"}
        )
        assert registered.status_code == 201, registered.text
        self.session = Session(email, password)
        self.account = self.session.http.get("/v1/auth/me").json()["account_id"]
        self.key = self.session.post("/v1/auth/api-keys", {"name": "test"})["key"]
        self.client = sdk(self.key)
        if dollars is not None:
            booked = admin.post(
                f"/v1/admin/clients/{self.account}/top-ups",
                {"amount_usd": dollars, "reference": "test"},
            )
            self.see(booked["position"])

    def see(self, position):
        """Waits until the read models show what was booked at this position."""
        answer = self.session.http.get("/v1/client/balance", params={"at_least": position})
        assert answer.is_success, answer.text


@pytest.fixture(scope="session")
def client():
    """The SDK with the demo customer's key."""
    return sdk(secret("demo-key"))


@pytest.fixture(scope="session")
def admin():
    return Session("admin@tollgate.local", secret("admin-password"))


@pytest.fixture(scope="session")
def new_customer(admin):
    numbers = itertools.count(1)
    return lambda dollars=None: Customer(admin, next(numbers), dollars)
