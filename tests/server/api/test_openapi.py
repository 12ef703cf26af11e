"""Tests of the OpenAPI document: every operation is told whole, its examples fit, and what may go wrong is in it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from schemathesis.core.result import Ok

from envparity_server.api.examples import WORDS, NoExample, example
from envparity_server.api.openapi import PROBLEMS, operations
from envparity_server.api.roles import NEEDS, Stranger
from envparity_server.app import create_app
from envparity_server.storage.actors import Role
from envparity_server.storage.database import open_database
from tests.server.asking import Asking

Document = dict[str, Any]


def document() -> Document:
    """The document, of an application that needs no database to tell it."""
    made: Document = create_app(open_database("sqlite://")).openapi()
    return made


DOCUMENT = document()
OPERATIONS = [pytest.param(*one, id=f"{one[0]} {one[1]}") for one in operations(DOCUMENT)]
every_operation = pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)


def contents(operation: Document) -> Iterator[tuple[str, str, Document]]:
    """Where, media type and content of the body and of every answer."""
    for media, one in operation.get("requestBody", {}).get("content", {}).items():
        yield "the body", media, one
    for status, response in operation["responses"].items():
        for media, one in response.get("content", {}).items():
            yield f"the answer {status}", media, one


def misfits(schema: Document, value: object) -> list[str]:
    """What of a value does not fit a schema, whose references lead to the document's models."""
    whole = {**schema, "components": DOCUMENT["components"]}
    return [one.message for one in Draft202012Validator(whole).iter_errors(value)]


@every_operation
def test_an_operation_says_what_it_does(method: str, path: str, operation: Document) -> None:
    for field, how in (
        ("summary", "name its function by what it does"),
        ("description", "write a docstring for its function"),
        ("tags", "give its router tags=[...]"),
        ("x-role", "enter it in api/roles.NEEDS"),
        ("security", "enter it in api/roles.NEEDS"),
    ):
        assert field in operation, f"{method} {path} has no {field}: {how}"
    for one in operation.get("parameters", ()):
        assert one["schema"], f"{method} {path}: the parameter {one['name']} has no schema: annotate it"


@every_operation
def test_a_body_and_an_answer_have_a_schema_that_says_something(method: str, path: str, operation: Document) -> None:
    if method in ("PUT", "PATCH"):
        assert "requestBody" in operation, f"{method} {path} has no body: give it a model, or openapi.documented(...)"
    successes = [status for status in operation["responses"] if status.startswith("2")]
    assert successes, f"{method} {path} has no answer 2xx"
    for where, _, content in contents(operation):
        schema = content.get("schema", {})
        named = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        says = named.get("properties") or named.get("type") == "string"
        assert says, f"{method} {path}: {where} is a bare {named.get('type')}: annotate a model, not a dict"


@every_operation
def test_a_body_and_an_answer_have_an_example_that_fits(method: str, path: str, operation: Document) -> None:
    for where, media, content in contents(operation):
        assert "example" in content, (
            f"{method} {path}: {where} has no example, for want of one for {_wanting(content)!r}:"
            " give that field Field(examples=[...]), or a word in api/examples.WORDS"
        )
        if media.endswith("json"):
            wrong = misfits(content["schema"], content["example"])
            assert wrong == [], f"{method} {path}: the example of {where} does not fit its schema"


def _wanting(content: Document) -> str:
    try:
        example(content.get("schema", {}), DOCUMENT["components"]["schemas"])
    except NoExample as problem:
        return str(problem)
    return ""


@every_operation
def test_every_example_of_a_schema_fits_it(method: str, path: str, operation: Document) -> None:
    for one in (*operation.get("parameters", ()), *(content for _, _, content in contents(operation))):
        for shown in one.get("schema", {}).get("examples", ()):
            assert misfits(one["schema"], shown) == [], (
                f"{method} {path}: {shown} does not fit {one.get('name', 'its schema')}"
            )


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_example_of_a_model_fits_it(name: str) -> None:
    model = DOCUMENT["components"]["schemas"][name]
    for place, schema in (("the model", model), *model.get("properties", {}).items()):
        for shown in schema.get("examples", ()):
            assert misfits(schema, shown) == [], f"{name}: an example of {place} does not fit"


def test_models_have_names_of_their_own() -> None:
    doubled = [name for name in DOCUMENT["components"]["schemas"] if "__" in name]
    assert doubled == [], "two models share a name, and the document tells where they lie: rename one"


@every_operation
def test_what_can_go_wrong_is_told_as_a_problem(method: str, path: str, operation: Document) -> None:
    refused = {int(status): one for status, one in operation["responses"].items() if not status.startswith("2")}
    for status, response in refused.items():
        assert list(response["content"]) == ["application/problem+json"], f"{method} {path}: {status}"
        assert response["content"]["application/problem+json"]["example"]["status"] == status
    needs = NEEDS.get((method, path), Stranger.ANYBODY)
    expected = set() if needs == Stranger.ANYBODY else {401, 403, 503}
    if "requestBody" in operation:
        expected |= {413, 415, 422}
    if "{" in path and isinstance(needs, Role):
        expected |= {404}
    assert expected <= set(refused) <= set(PROBLEMS), f"{method} {path}: see api/openapi.py"


@every_operation
def test_who_may_ask_is_in_the_document(method: str, path: str, operation: Document) -> None:
    needs = NEEDS.get((method, path), Stranger.ANYBODY)
    assert operation["x-role"] == str(needs)
    schemes = {name for one in operation["security"] for name in one}
    by_person = {"bearer", "session"} if isinstance(needs, Role) else {"bearer"}
    assert schemes == (set() if needs == Stranger.ANYBODY else by_person)
    assert schemes <= set(DOCUMENT["components"]["securitySchemes"])


def test_the_framework_s_own_errors_are_not_promised() -> None:
    assert "HTTPValidationError" not in json.dumps(DOCUMENT)


def test_every_reference_leads_somewhere() -> None:
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(DOCUMENT)))
    assert named <= set(DOCUMENT["components"]["schemas"])
    assert set(re.findall(r'"\$ref": "(#/[^"]+)"', json.dumps(DOCUMENT))) == {
        f"#/components/schemas/{name}" for name in named
    }


def test_the_document_follows_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    schema.validate()
    loaded = {(one.ok().method.upper(), one.ok().path) for one in schema.get_all_operations() if isinstance(one, Ok)}
    assert loaded == {(method, path) for method, path, _ in operations(DOCUMENT)}


def test_operations_have_an_id_each_and_models_are_schemas() -> None:
    ids = [operation["operationId"] for _, _, operation in operations(DOCUMENT)]
    assert len(ids) == len(set(ids))
    for model in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(model)


def test_each_word_for_examples_is_needed() -> None:
    text = json.dumps(DOCUMENT["components"]["schemas"])
    assert [word for word in WORDS if f'"{word.removesuffix("[]")}": {{' not in text] == []


def test_what_is_served_is_the_document(small_api: Asking) -> None:
    assert small_api.get("/openapi.json").json() == DOCUMENT


def test_an_example_needs_a_word_for_a_text() -> None:
    model: Document = {"type": "object", "properties": {"nobody_knows": {"type": "string"}}}
    with pytest.raises(NoExample, match="nobody_knows"):
        example({"$ref": "#/components/schemas/Model"}, {"Model": model})
