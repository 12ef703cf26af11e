"""Tests of where tags point, as a reader asks it."""

import pytest

from envparity_agent.fingerprint import Attributes, Fingerprint
from envparity_server.app import create_app
from envparity_server.settings import ServerSettings
from envparity_server.storage import tags
from envparity_server.storage.database import writing
from envparity_server.storage.tags import Pointed, Tag
from tests.server.asking import Asking
from tests.server.fleet import reported
from tests.server.making import ENGINE, NOON, host, section

WEB, JOB = "registry.test/shop/web:1", "elsewhere.test/shop/job:1"
OLD, NEW = (f"sha256:{letter * 64}" for letter in "ab")
SETTINGS = ServerSettings.model_construct(registries=("registry.test",))


def runs(reference: str, **image: str) -> Fingerprint:
    plain: Attributes = {"reference": reference, "platform": "linux/amd64", **image}
    return host(ENGINE, section("container/shop.web", {"image": plain}))


@pytest.fixture
def fleet(api: Asking) -> Asking:
    """Three hosts in prod of which one is behind its tag, and one in dev with a tag of another registry."""
    with writing(api.engine) as connection:
        reported(connection, "web-1", runs(WEB, manifest=NEW), NOON)
        reported(connection, "web-2", runs(WEB, manifest=OLD), NOON)
        reported(connection, "web-3", runs(WEB), NOON)
        reported(connection, "dev-1", runs(JOB, manifest=OLD), NOON, "dev")
        reported(connection, "dev-2", runs(f"{JOB}@{OLD}", manifest=OLD), NOON, "dev")
        tags.put(connection, {WEB: Tag(Pointed(NEW, "manifest", {"": {"manifest": NEW}}), NOON, None, 0)})
    return Asking(create_app(api.engine, SETTINGS), api.engine)


def test_a_reader_learns_where_a_tag_points_and_who_runs_something_else(fleet: Asking) -> None:
    answer = fleet.as_role("viewer").get("/api/v1/tags").json()
    assert answer["total"] == 2  # by digest there is no tag
    job, web = answer["tags"]
    assert (web["reference"], web["digest"], web["kind"], web["problem"]) == (WEB, NEW, "manifest", None)
    assert web["asked_at"] == "2026-11-01T12:00:00Z"
    assert web["counts"] == {"same": 1, "moved": 1, "unknown": 1}
    assert [(one["name"], one["moved"], one["section"]) for one in web["containers"]] == [
        ("web-2", "moved", "container/shop.web"),
        ("web-3", "unknown", "container/shop.web"),
    ]
    assert (job["reference"], job["digest"], job["asked_at"]) == (JOB, None, None)
    assert job["problem"] == "the setting registries does not name elsewhere.test: not asked"
    assert job["counts"] == {"same": 0, "moved": 0, "unknown": 1}
    assert job["containers"][0]["why"] == job["problem"]


def test_only_tags_that_moved_are_told_where_that_is_asked(fleet: Asking) -> None:
    answer = fleet.as_role("viewer").get("/api/v1/tags", moved="true").json()
    assert ([one["reference"] for one in answer["tags"]], answer["total"]) == ([WEB], 1)


def test_a_reader_learns_of_tags_of_environments_that_he_sees(fleet: Asking) -> None:
    answer = fleet.as_role("viewer", frozenset({"dev"})).get("/api/v1/tags").json()
    assert [one["reference"] for one in answer["tags"]] == [JOB]
    assert answer["total"] == 1


def test_of_a_registry_that_failed_nothing_is_said_to_have_moved(fleet: Asking) -> None:
    pointed = Pointed(NEW, "manifest", {"": {"manifest": NEW}})
    with writing(fleet.engine) as connection:
        tags.put(connection, {WEB: Tag(pointed, NOON, "the registry answered 503", 3)})
    (_, web) = fleet.as_role("viewer").get("/api/v1/tags").json()["tags"]
    assert (web["digest"], web["problem"]) == (NEW, "the registry answered 503")
    assert web["counts"] == {"same": 0, "moved": 0, "unknown": 3}


def test_a_tag_that_was_not_asked_yet_says_so(fleet: Asking) -> None:
    with writing(fleet.engine) as connection:
        tags.forget(connection, [WEB])
    (_, web) = fleet.as_role("viewer").get("/api/v1/tags").json()["tags"]
    assert web["problem"] == "not asked yet"


def test_parts_of_the_list_are_told_with_the_whole_number(fleet: Asking) -> None:
    answer = fleet.as_role("viewer").get("/api/v1/tags", limit="1", offset="1").json()
    assert ([one["reference"] for one in answer["tags"]], answer["total"]) == ([WEB], 2)
