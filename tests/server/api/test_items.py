"""Tests of the questions who has what, and what changed, as a reader asks them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from envparity_server.api.changes import UNSEEN
from envparity_server.storage import access
from envparity_server.storage.database import writing
from tests.server.asking import LIFE, Asking
from tests.server.fleet import enrolled, report, reported
from tests.server.making import NOON, SEARCHED, host, packages, section, versions

HOUR = timedelta(hours=1)


@pytest.fixture
def fleet(api: Asking) -> Asking:
    """Two hosts in prod, one of which changed, and one in dev."""
    with writing(api.engine) as connection:
        one = enrolled(connection, "web-1", labels={"role": "web"})
        report(connection, one, host(SEARCHED, packages({"idna": "3.4"})), NOON)
        log = {"os-packages": {"2026-11-01 12:30:00": "apt install by ada (1000): +curl 8.1"}}
        shop, vim = packages({"idna": "3.7"}), section("os-packages", versions({"vim": "9"}))
        report(connection, one, host(SEARCHED, shop, vim), NOON + HOUR)
        both = section("os-packages", versions({"vim": "9", "curl": "8.1"}))
        report(connection, one, host(SEARCHED, shop, both), NOON + 14 * HOUR, observed=log)
        reported(connection, "web-2", host(SEARCHED, packages({"idna": "3.4"})), NOON)
        reported(connection, "dev-1", host(SEARCHED, packages({"idna": "3.8"})), NOON, "dev")
    return api


def test_a_reader_learns_who_has_an_item_and_since_when(fleet: Asking) -> None:
    answer = fleet.as_role("viewer").get("/api/v1/items", name="idna").json()
    assert [(one["name"], one["value"], one["since"]["words"]) for one in answer["items"]] == [
        ("dev-1", "3.8", "since 2026-11-01 12:00 UTC at the latest"),
        ("web-1", "3.7", "between 2026-11-01 12:00 and 13:00 UTC"),
        ("web-2", "3.4", "since 2026-11-01 12:00 UTC at the latest"),
    ]
    assert answer["total"] == 3
    assert fleet.as_role("viewer").get("/api/v1/items", name="idna", value="3.4").json()["total"] == 1
    assert fleet.as_role("viewer").get("/api/v1/items", name="*").status_code == 422


def test_a_reader_learns_which_values_there_are(fleet: Asking) -> None:
    answer = fleet.as_role("viewer").get("/api/v1/items/values", name="idna", kind="python").json()
    assert [(one["value"], one["hosts"]) for one in answer["values"]] == [
        ("3.4", {"prod": 1}),
        ("3.7", {"prod": 1}),
        ("3.8", {"dev": 1}),
    ]


def test_a_reader_learns_what_changed_between_which_reports_and_by_whom(fleet: Asking) -> None:
    answer = fleet.as_role("viewer").get("/api/v1/changes", of="env:prod").json()
    shown = [(one["name"], one["item"], one["words"], one["actor"], one["when"]["words"]) for one in answer["changes"]]
    assert shown == [
        ("web-1", "curl", "added: 8.1", "apt install (by ada)", "between 2026-11-01 13:00 and 2026-11-02 02:00 UTC"),
        ("web-1", "idna", "3.4 → 3.7", "actor unknown", "between 2026-11-01 12:00 and 13:00 UTC"),
    ]
    assert answer["notes"] == [UNSEEN]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 2), ({"of": "host:web-2"}, 0), ({"of": "env:prod,role=web"}, 2), ({"of": "host:web-1#os-packages"}, 1),
        ({"of": "host:web-1@2026-11-01T20:00"}, 1), ({"since": "2026-11-01T20:00"}, 1), ({"limit": "1"}, 1),
        ({"until": "2026-11-01T20:00"}, 1), ({"section": "python"}, 1), ({"item": "c*"}, 1), ({"offset": "2"}, 0),
    ],
)  # fmt: skip
def test_changes_are_chosen(fleet: Asking, query: dict[str, str], count: int) -> None:
    answer = fleet.as_role("viewer").get("/api/v1/changes", **query)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["changes"]) == count


@pytest.mark.parametrize(
    "query",
    [{"of": "web-1"}, {"of": "baseline:shop"}, {"since": "noon"}, {"of": "host:web-9"}, {"limit": "0"},
     {"limit": "1001"}, {"until": "0001-01-01T00:00+05:00"}, {"offset": "-1"}],
)  # fmt: skip
def test_a_wrong_question_is_refused(fleet: Asking, query: dict[str, str]) -> None:
    assert fleet.as_role("viewer").get("/api/v1/changes", **query).status_code == 422


def token_of_dev(connection: Connection) -> str:
    return access.make_access_token(
        connection, "viewer", "dev", LIFE, datetime.now(UTC), environments=frozenset({"dev"})
    )


def test_an_environment_that_one_does_not_see_is_not_there(fleet: Asking) -> None:
    with writing(fleet.engine) as connection:
        from_dev = fleet.bearing(token_of_dev(connection))
    assert [one["name"] for one in from_dev.get("/api/v1/items", name="idna").json()["items"]] == ["dev-1"]
    assert [one["value"] for one in from_dev.get("/api/v1/items/values", name="id*").json()["values"]] == ["3.8"]
    assert from_dev.get("/api/v1/changes").json()["total"] == 0
    for of in ("host:web-1", "env:prod"):
        answer, other = (from_dev.get("/api/v1/changes", of=one) for one in (of, f"{of}9"))
        assert (answer.status_code, answer.json()["advice"]) == (other.status_code, other.json()["advice"])
        assert answer.status_code in (422, 424)
