"""What the document shows is what the document allows."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from conftest import DOCUMENT
from jsonschema import Draft202012Validator, FormatChecker

METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


class Body(NamedTuple):
    """A request or an answer in one content type."""

    name: str
    content: dict[str, Any]


def bodies(document: dict[str, Any]) -> Iterator[Body]:
    for item in document["paths"].values():
        for method in METHODS & set(item):
            operation = item[method]
            name = operation["operationId"]
            parts = {"request": operation.get("requestBody", {})} | operation["responses"]
            for part, described in parts.items():
                for kind, content in described.get("content", {}).items():
                    yield Body(f"{name} {part} {kind}", content)


def examples(content: dict[str, Any]) -> list[Any]:
    named = [entry["value"] for entry in content.get("examples", {}).values()]
    return named + ([content["example"]] if "example" in content else [])


@pytest.fixture(scope="session")
def validate(document: dict[str, Any]) -> Any:
    def against(schema: dict[str, Any], value: Any) -> list[str]:
        # References lead into the document, so it goes along.
        whole = {"components": document["components"], **schema}
        checker = Draft202012Validator(whole, format_checker=FormatChecker())
        return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(value)]

    return against


def test_every_body_has_an_example_that_its_schema_allows(
    document: dict[str, Any], validate: Any
) -> None:
    wrong = []
    seen = 0
    for name, content in bodies(document):
        shown = examples(content)
        if not shown:
            wrong.append(f"{name}: no example")
        for value in shown:
            seen += 1
            wrong += [f"{name}: {reason}" for reason in validate(content["schema"], value)]
    assert not wrong, "\n".join(wrong)
    assert seen > 100


def test_every_schema_allows_its_own_examples(document: dict[str, Any], validate: Any) -> None:
    wrong = []
    for name, schema in document["components"]["schemas"].items():
        for member, inner in schema.get("properties", {}).items():
            for value in inner.get("examples", []):
                wrong += [f"{name}.{member}: {reason}" for reason in validate(inner, value)]
    assert not wrong, "\n".join(wrong)


def test_every_parameter_shows_a_value_that_it_allows(
    document: dict[str, Any], validate: Any
) -> None:
    wrong = []
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            for parameter in item[method].get("parameters", []):
                name = f"{method} {path} {parameter['name']}"
                if parameter["in"] == "path" and "example" not in parameter:
                    wrong.append(f"{name}: no example")
                if "example" in parameter:
                    found = validate(parameter["schema"], parameter["example"])
                    wrong += [f"{name}: {reason}" for reason in found]
    assert not wrong, "\n".join(wrong)


def test_the_document_is_an_openapi_document(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert DOCUMENT.read_text().endswith("\n")
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
