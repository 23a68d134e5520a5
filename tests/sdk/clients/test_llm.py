"""llm, the command, with the file in which it is told of other servers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import GRACE, MODEL, NOBODY, URL, WEATHER


@pytest.fixture
def llm(tmp_path):
    lines = [
        "- model_id: tollgate",
        f"  model_name: {MODEL}",
        f"  api_base: {URL}/v1",
        "  api_key_name: tollgate",
        "  supports_tools: true",
        "  supports_schema: true",
    ]
    (tmp_path / "extra-openai-models.yaml").write_text("\n".join(lines) + "\n")

    def run(key, *arguments):
        environment = os.environ | {"LLM_USER_PATH": str(tmp_path)}
        command = [str(Path(sys.executable).parent / "llm"), *arguments]
        command += ["-m", "tollgate", "--key", key, "-o", "max_tokens", "200"]
        return subprocess.run(command, env=environment, text=True, capture_output=True)

    def logged():
        environment = os.environ | {"LLM_USER_PATH": str(tmp_path)}
        command = [str(Path(sys.executable).parent / "llm"), "logs", "-n", "1", "--json"]
        return json.loads(subprocess.check_output(command, env=environment, text=True))[0]

    run.logged = logged
    return run


@pytest.mark.parametrize("how", [[], ["--no-stream"]])
def test_a_prompt_is_answered_and_its_tokens_are_logged(llm, new_customer, how):
    customer = new_customer("5.00")
    done = llm(customer.key, "Explain prepaid accounts", *how)
    assert done.returncode == 0 and "prepaid accounts" in done.stdout, done.stderr
    entry = llm.logged()
    tokens = entry["input_tokens"], entry["output_tokens"]
    (request,) = customer.session.call("GET", "/v1/client/recent-requests")["data"]
    assert customer.charged() > 0
    assert tokens == (request["prompt_tokens"], request["completion_tokens"])


def test_a_schema_is_obeyed(llm, new_customer):
    done = llm(new_customer("5.00").key, GRACE, "--schema", "name, age int")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["age"] == 47


def test_a_tool_is_called(llm, new_customer):
    function = 'def get_weather(city: str) -> str:\n    "Weather."\n    return "21 degrees"'
    done = llm(new_customer("5.00").key, WEATHER, "--functions", function, "--td")
    assert done.returncode == 0, done.stderr
    assert "get_weather" in done.stderr and "21" in done.stdout


def test_errors_say_what_is_wrong(llm, new_customer):
    stranger = llm(NOBODY, "Hello")
    assert stranger.returncode != 0 and "Incorrect API key" in stranger.stderr
    poor = llm(new_customer().key, "Hello")
    assert poor.returncode != 0 and "requires more credits" in poor.stderr
