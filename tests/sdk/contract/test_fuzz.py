"""schemathesis walks the whole document, as whoever may do what it describes."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DOCUMENT, URL, Person, call, secret

HERE = Path(__file__).parent
ADMIN = "^/v1/(admin|ledger)/"
# It ends with its session.
ENDLESS = "watch_live"
# Afterwards there is nobody to sign in as, so it has a walk of its own.
ERASURE = "erase_me"


@pytest.fixture(scope="module")
def victim(new_person: Callable[..., Person]) -> Person:
    """A customer who gives ids to things that may be changed and lost."""
    return new_person("5.00")


@pytest.fixture(scope="module")
def existing(admin: str, victim: Person) -> dict[str, str]:
    """An id for every prefix that stands in a path."""
    keys = call("GET", "/v1/auth/api-keys", victim.token)["data"]
    sessions = call("GET", "/v1/auth/sessions", victim.token)["data"]
    me = call("GET", "/v1/auth/me", victim.token)
    body = {
        "label": "fuzz",
        "base_url": "http://127.0.0.1:9",
        "api_key": f"sk-or-v1-{uuid.uuid4()}",
    }
    master = call("POST", "/v1/admin/master-accounts", admin, body)
    call("POST", f"/v1/admin/master-accounts/{master['id']}/disable", admin, {"reason": "fuzz"})
    ids = [victim.account, keys[0]["id"], sessions[0]["id"], me["user_id"], master["id"]]
    return {found.split("_")[0]: found for found in ids}


def walk(existing: dict[str, str], email: str, password: str, key: str, *only: str) -> None:
    environment = os.environ | {
        "FUZZ_EMAIL": email,
        "FUZZ_PASSWORD": password,
        "FUZZ_KEY": key,
        "FUZZ_IDS": json.dumps(existing),
    }
    command = [
        *[str(Path(sys.executable).parent / "schemathesis"), "--no-color"],
        *["--config-file", str(HERE / "schemathesis.toml"), "run", str(DOCUMENT)],
        *["--url", URL, "--max-examples", os.environ.get("FUZZ_EXAMPLES", "15"), *only],
    ]
    done = subprocess.run(command, cwd=HERE, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr


def test_a_customer_and_a_key_get_what_the_document_says(
    existing: dict[str, str], new_person: Callable[..., Person]
) -> None:
    ada = new_person("5.00")
    without = ["--exclude-path-regex", ADMIN, "--exclude-operation-id", ERASURE]
    walk(existing, ada.email, ada.password, ada.key, *without)


def test_somebody_who_erases_themselves_gets_what_the_document_says(
    new_person: Callable[..., Person], tmp_path: Path
) -> None:
    ada = new_person()
    command = [
        *[str(Path(sys.executable).parent / "schemathesis"), "--no-color"],
        *["--config-file", os.devnull, "run", str(DOCUMENT), "--url", URL],
        *["--include-operation-id", ERASURE, "--header", f"Authorization: Bearer {ada.token}"],
        *["--checks", "not_a_server_error,status_code_conformance,response_schema_conformance"],
        *["--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--seed", "1"],
    ]
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr


def test_an_operator_gets_what_the_document_says(existing: dict[str, str], victim: Person) -> None:
    password = secret("admin-password")
    email = "admin@tollgate.local"
    only = ["--include-path-regex", ADMIN, "--exclude-operation-id", ENDLESS]
    walk(existing, email, password, victim.key, *only)
