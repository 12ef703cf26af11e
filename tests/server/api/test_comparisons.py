"""Tests of what readers ask: fingerprints and comparisons."""

from datetime import UTC, datetime

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from envparity_agent import schema
from envparity_agent.canonical import canonical, decode
from envparity_agent.documents import from_document
from envparity_server.storage import hosts
from envparity_server.storage.database import writing
from tests.server.api.populated import populated, running
from tests.server.asking import Asking
from tests.server.fleet import enrolled, reported


@pytest.fixture
def fleet(api: Asking) -> Asking:
    """A server with some hosts."""
    return populated(api)


@pytest.fixture
def viewer(fleet: Asking) -> Asking:
    """Somebody who may read."""
    return fleet.as_role("viewer")


def test_the_fingerprint_of_a_host_is_the_document_that_it_sent(viewer: Asking) -> None:
    answer = viewer.get("/api/v1/fingerprints", of="host:web-1").json()
    found = from_document(decode(canonical(answer["fingerprint"])))
    assert (found.root, found.target.name, answer["notes"]) == (running("3.7").root, "web-1", [])
    assert list(Draft202012Validator(schema.fingerprint()).iter_errors(answer["fingerprint"])) == []


def test_the_fingerprint_of_a_split_environment_fits_what_is_promised(fleet: Asking, viewer: Asking) -> None:
    with writing(fleet.engine) as connection:
        reported(connection, "dev-2", running("3.7"), datetime.now(UTC), "dev")
    document = viewer.get("/api/v1/fingerprints", of="env:dev").json()["fingerprint"]
    assert from_document(decode(canonical(document))).sections["python/srv/shop"].items["idna"] == {
        "split": ("3.4: 1 host", "3.7: 1 host")
    }
    assert list(Draft202012Validator(schema.fingerprint()).iter_errors(document)) == []


def test_a_stale_host_is_said_beside_its_fingerprint(viewer: Asking) -> None:
    (note,) = viewer.get("/api/v1/fingerprints", of="host:old-1").json()["notes"]
    assert note.startswith("host:old-1: 1 of 1 stale: old-1 (last seen ")


def test_two_environments_are_compared(viewer: Asking) -> None:
    found = viewer.get("/api/v1/compare", left="env:dev", right="env:prod").json()
    (difference,) = found["differences"]
    assert (difference["item"], difference["left"], difference["right"], difference["severity"]) == (
        "idna", "3.4", "3.7", "medium",
    )  # fmt: skip
    assert found["summary"] == {"same": 3, "changed": 1}
    assert (found["left"], found["right"]) == (
        {"kind": "environment", "name": "env:dev"},
        {"kind": "environment", "name": "env:prod"},
    )
    assert found["not_examined"] == []


def test_a_comparison_has_a_scope(viewer: Asking) -> None:
    assert viewer.get("/api/v1/compare", left="env:dev", right="env:prod", only="os").json()["differences"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"left": "env:dev"}, 422),
        ({"left": "env:dev", "right": "evn:prod"}, 422),
        ({"left": "env:dev", "right": "host:nobody"}, 422),
        ({"left": "env:dev", "right": "env:prod", "only": "pyhton"}, 422),
        ({"left": "env:dev", "right": "env:prod", "only": "os", "app": "shop"}, 422),
        ({"left": "env:dev", "right": "host:web-1@tomorrow"}, 422),
        ({"left": "env:dev", "right": "host:web-1@0001-01-01T00:00+12:00"}, 422),
        ({"left": "env:dev", "right": "host:web-1#nowhere"}, 422),
        ({"left": "env:dev", "right": "x" * 1025}, 422),
        ({"left": "env:dev", "right": "host:a\0b"}, 422),
        ({"left": "env:dev", "right": "env:a\0b"}, 422),
        ({"left": "env:dev", "right": "env:prdo"}, 422),
        ({"left": "env:dev", "right": "host:silent"}, 424),
        ({"left": "env:dev", "right": "host:web-1@2001-01-01"}, 424),
    ],
)
def test_a_wrong_question_is_told_from_one_without_an_answer(
    viewer: Asking, query: dict[str, str], status: int
) -> None:
    answer = viewer.get("/api/v1/compare", **query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_host_of_the_same_name_elsewhere_tells_nothing_of_itself(fleet: Asking) -> None:
    with writing(fleet.engine) as connection:
        enrolled(connection, "staging-1", "staging", {"role": "secret"})
        own = reported(connection, "mine", running("3.7"), datetime.now(UTC), "dev")
        hosts.change(connection, own.id, name="staging-1")
    scoped = fleet.as_role("viewer", frozenset({"dev"}))
    told = scoped.get("/api/v1/fingerprints", of="host:staging-1").json()["subject"]
    assert (told["id"], told["environment"], told["labels"]) == (own.id, "dev", {})
