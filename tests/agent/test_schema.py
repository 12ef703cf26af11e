"""Checks that what is printed keeps the JSON Schema that is published, and that the schema means something."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given

from envparity_agent import schema
from envparity_agent.canonical import decode
from envparity_agent.documents import from_document
from envparity_agent.fingerprint import MAX_STRING, Fingerprint
from tests.agent.roots import fingerprint_of, whole_root
from tests.agent.strategies import fingerprints, replaced


def violations(document: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(
        schema.fingerprint(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    return [problem.message for problem in validator.iter_errors(document)]


def printed(fingerprint: Fingerprint) -> Any:
    return json.loads(json.dumps(fingerprint.document()))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return printed(fingerprint_of(whole_root(tmp_path_factory.mktemp("root"))))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.fingerprint())


def test_the_fingerprint_of_a_host_keeps_the_schema(document: Any) -> None:
    assert violations(document) == []
    assert {"os", "os-packages", "python", "python/srv/shop", "containers"} <= document["sections"].keys()


def test_the_fingerprint_of_a_python_environment_keeps_the_schema(tmp_path: Path) -> None:
    found = fingerprint_of(whole_root(tmp_path))
    alone = Fingerprint(found.target, found.taken_at, {"python/srv/shop": found.sections["python/srv/shop"]})
    assert violations(printed(alone)) == []


@given(fingerprints())
def test_what_the_contract_takes_of_unknown_kinds_keeps_the_schema(fingerprint: Fingerprint) -> None:
    sections = {path: one for path, one in fingerprint.sections.items() if one.kind == "unheard-of"}
    assert violations(printed(Fingerprint(fingerprint.target, fingerprint.taken_at, sections))) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("root",), "sha256:1"),
        (("schema",), 2),
        (("sections", "os", "status"), "fine"),
        (("sections", "os", "items", "distribution", "id"), 1.5),
        (("sections", "os", "items", "distribution", "id"), "x" * (MAX_STRING + 1)),
        (("sections", "os", "items", "distribution", "id"), {"deep": "er"}),
        (("sections", "os", "items", "distribution"), {"undeclared": "attribute"}),
        (("sections", "os"), {}),
    ],
    ids=lambda part: str(part)[:40],
)
def test_what_breaks_the_contract_breaks_the_schema(document: Any, place: tuple[str, ...], value: Any) -> None:
    assert violations(replaced(document, place, value))


def test_what_a_newer_agent_adds_keeps_the_schema(document: Any) -> None:
    newer = {**document["sections"]["os"], "kind": "weather", "items": {"rain": {"undeclared": 1}}, "more": 1}
    added = {**document, "more": [1], "sections": {**document["sections"], "weather": newer}}
    assert violations(added) == []


def test_every_declared_attribute_is_described() -> None:
    described = schema.fingerprint()["$defs"]["python-1"]["additionalProperties"]["properties"]
    assert "wheel" in described["tags"]["description"]
    assert described["installer"]["description"].endswith("(kept, not compared)")


def test_a_document_that_keeps_the_schema_can_be_read(document: Any) -> None:
    assert printed(from_document(decode(json.dumps(document).encode()))) == document
