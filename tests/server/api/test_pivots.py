"""Tests of what selectors agree on, of several of them side by side, and of applications over hosts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from envparity_agent.fingerprint import Fingerprint, Reason, Section, Status
from envparity_server.storage import access, hosts
from envparity_server.storage.database import writing
from tests.server.asking import LIFE, Asking
from tests.server.fleet import report, reported
from tests.server.making import OPERATING_SYSTEM, host, section

CONTAINERS = section("containers", {"engine": {"version": "26.1", "cgroup": "2"}})
LISTED = section("python", schema=2)


def running(idna: str, commit: str = "c0ffee", image: str = "sha256:1", path: str = "python/shop") -> Fingerprint:
    """A host that runs the application shop."""
    installed = {"@python": {"implementation": "cpython", "version": "3.11.2"}, "idna": {"version": idna}}
    return host(
        OPERATING_SYSTEM,
        LISTED,
        CONTAINERS,
        section(path, {**installed, "flask": {"version": "3.0"}}, kind="python", schema=2),
        section("app/shop", {"code": {"commit": commit, "dirty": False}}, kind="application"),
        section("container/shop.web", {"image": {"reference": "shop:4.2", "manifest": image}}, schema=2),
        section("container/other", {"image": {"reference": "other:1", "manifest": "sha256:9"}}, schema=2),
    )


@pytest.fixture
def fleet(api: Asking) -> Asking:
    """Three hosts of prod of which one deviates, two of test that do not agree, one of dev with another place."""
    now = datetime.now(UTC)
    with writing(api.engine) as connection:
        for name, version in (("web-1", "3.7"), ("web-2", "3.7"), ("web-3", "3.4")):
            reported(connection, name, running(version), now, "prod", {"role": "web"})
        reported(connection, "test-1", running("3.7"), now, "test", {"role": "web"})
        reported(connection, "test-2", running("3.4"), now, "test", {"role": "web"})
        reported(connection, "dev-1", running("3.7", path="python/home/ada/shop"), now, "dev")
        reported(connection, "bare-1", host(OPERATING_SYSTEM, LISTED, CONTAINERS), now, "bare")
        reported(connection, "old-1", running("1.0"), now - timedelta(days=3), "prod", {"role": "web"})
    return api


@pytest.fixture
def viewer(fleet: Asking) -> Asking:
    """Somebody who may read."""
    return fleet.as_role("viewer")


def scoped(asking: Asking, *environments: str) -> Asking:
    """A viewer of some environments."""
    with writing(asking.engine) as connection:
        token = access.make_access_token(
            connection, "viewer", "scoped", LIFE, datetime.now(UTC), environments=frozenset(environments)
        )
    return asking.bearing(token)


def answered(asking: Asking, path: str, **query: Any) -> dict[str, Any]:
    """The answer to a question that has one."""
    answer = asking.get(f"/api/v1/{path}", **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_majority_says_its_share_and_who_deviates(viewer: Asking) -> None:
    found = answered(viewer, "majority", of="env:prod")
    (one,) = found["majority"]
    assert (one["section"], one["item"], one["value"], one["share"], one["split"]) == (
        "python/shop", "idna", "3.7", "2 of 3", False,
    )  # fmt: skip
    assert [(each["name"], each["value"]) for each in one["deviators"]] == [("web-3", "3.4")]
    assert (found["hosts"], found["total"], found["agreed"]) == (3, 1, 7)
    assert found["notes"][0].startswith("env:prod: 1 of 4 stale: old-1")


def test_a_deviator_is_told_with_the_reports_between_which_it_changed(fleet: Asking, viewer: Asking) -> None:
    now = datetime.now(UTC)
    with writing(fleet.engine) as connection:
        (one,) = hosts.named(connection, "web-1")
        report(connection, one, running("3.9"), now)
    found = answered(viewer, "majority", of="env:prod", section="python/shop", item="idna")["majority"]
    assert [(each["split"], each["deviators"]) for each in found] == [(True, [])]
    with writing(fleet.engine) as connection:
        reported(connection, "web-4", running("3.7"), now, "prod", {"role": "web"})
        reported(connection, "web-5", running("3.7"), now, "prod", {"role": "web"})
    (found,) = answered(viewer, "majority", of="env:prod", section="python/shop", item="idna")["majority"]
    since = {each["name"]: each["since"] for each in found["deviators"]}
    assert since["web-3"] is None
    assert datetime.fromisoformat(since["web-1"]["before"]) == now
    assert datetime.fromisoformat(since["web-1"]["after"]) < now


def test_hosts_that_do_not_agree_are_split_with_the_count_of_each_value(viewer: Asking) -> None:
    (one,) = answered(viewer, "majority", of="env:test")["majority"]
    assert (one["split"], one["value"], one["share"], one["deviators"]) == (True, None, None, [])
    assert {each["value"]: each["hosts"] for each in one["values"]} == {"3.4": 1, "3.7": 1}


def test_the_majority_can_be_asked_for_one_item_and_for_all(viewer: Asking) -> None:
    assert answered(viewer, "majority", of="env:prod", item="flask")["total"] == 0
    found = answered(viewer, "majority", of="env:prod", section="python/shop", all="true")
    assert [one["item"] for one in found["majority"]] == ["@python", "flask", "idna"]
    (one,) = answered(viewer, "majority", of="role=web", item="idna", section="python")["majority"]
    assert one["share"] == "3 of 5"


def test_a_section_that_some_hosts_lack_is_told_as_a_whole(fleet: Asking, viewer: Asking) -> None:
    with writing(fleet.engine) as connection:
        reported(connection, "web-9", host(OPERATING_SYSTEM, LISTED, CONTAINERS), datetime.now(UTC), "prod")
    found = answered(viewer, "majority", of="env:prod", section="app")["majority"]
    assert [(one["section"], one["item"], one["value"], one["share"]) for one in found] == [
        ("app/shop", None, "there", "3 of 4")
    ]


def test_hosts_whose_section_could_not_be_read_are_said(fleet: Asking, viewer: Asking) -> None:
    blind = section("os", {}, Status.FAILED, Reason.PERMISSION)
    with writing(fleet.engine) as connection:
        reported(connection, "web-9", host(blind, LISTED, CONTAINERS), datetime.now(UTC), "prod")
    found = answered(viewer, "majority", of="env:prod", section="os")
    assert (found["unread"], found["majority"]) == ([{"section": "os", "hosts": ["web-9"]}], [])


def test_columns_stand_against_the_reference(viewer: Asking) -> None:
    found = answered(
        viewer, "pivot", of=["env:dev", "env:test", "env:bare", "env:prod"], reference="env:prod", kind="python"
    )
    assert [(one["of"], one["hosts"]) for one in found["columns"]] == [
        ("env:dev", 1), ("env:test", 2), ("env:bare", 1), ("env:prod", 3),
    ]  # fmt: skip
    assert found["reference"] == 3
    whole, idna = found["rows"]
    assert (whole["section"], whole["item"]) == ("python/shop", None)
    assert [one["state"] for one in whole["cells"]] == ["same", "same", "missing", "same"]
    assert (idna["section"], idna["kind"], idna["item"]) == ("python/shop", "python", "idna")
    assert [(one["state"], one["value"], one["share"], one["section"]) for one in idna["cells"]] == [
        ("same", "3.7", "1 of 1", "python/home/ada/shop"),
        ("split", None, "1 of 2", None),
        ("missing", None, None, None),
        ("same", "3.7", "2 of 3", None),
    ]


def test_a_pivot_is_paged_and_tells_everything_if_asked(viewer: Asking) -> None:
    asked = {"of": ["env:dev", "env:prod"], "kind": "python", "only_different": "false"}
    whole = answered(viewer, "pivot", **asked)
    assert [one["item"] for one in whole["rows"]] == ["@python", "flask", "idna"]
    assert all(cell["state"] == "same" for one in whole["rows"] for cell in one["cells"])
    page = answered(viewer, "pivot", **asked, limit="1", offset="1")
    assert ([one["item"] for one in page["rows"]], page["total"]) == (["flask"], 3)


def test_what_only_another_column_has_is_missing_in_the_reference(viewer: Asking) -> None:
    found = answered(viewer, "pivot", of=["env:prod", "env:bare"], kind="application")
    (row,) = found["rows"]
    assert (row["section"], [one["state"] for one in row["cells"]]) == ("app/shop", ["changed", "missing"])


def test_a_column_that_could_not_be_read_is_unknown(fleet: Asking, viewer: Asking) -> None:
    blind = section("python/shop", {}, Status.FAILED, Reason.PERMISSION, kind="python", schema=2)
    with writing(fleet.engine) as connection:
        reported(connection, "blind-1", host(OPERATING_SYSTEM, LISTED, CONTAINERS, blind), datetime.now(UTC), "blind")
    found = answered(viewer, "pivot", of=["env:blind", "env:prod"], kind="python", only_different="false")
    assert {one["cells"][0]["state"] for one in found["rows"]} == {"unknown"}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"of": ["env:prod"]}, 422),
        ({"of": ["env:prod"] * 61}, 422),
        ({"of": ["env:prod", "evn:dev"]}, 422),
        ({"of": ["env:prod", "env:prdo"]}, 422),
        ({"of": ["env:prod", "env:dev"], "reference": "env:test"}, 422),
        ({"of": ["env:prod", "env:dev"], "kind": "pyhton"}, 422),
        ({"of": ["env:prod", "env:dev"], "limit": "1001"}, 422),
        ({"of": ["env:prod", "x" * 1025]}, 422),
    ],
)
def test_a_wrong_pivot_is_refused(viewer: Asking, query: dict[str, Any], status: int) -> None:
    assert viewer.get("/api/v1/pivot", **query).status_code == status


def test_applications_tie_code_environments_and_containers_together(viewer: Asking) -> None:
    found = answered(viewer, "applications")
    assert found["total"] == 2
    assert found["applications"][1] == {
        "name": "shop",
        "sections": ["app/shop", "container/shop.web", "python/shop"],
        "environments": {"dev": 1, "prod": 4, "test": 2},
    }


def test_an_application_is_told_for_each_host_with_whether_they_agree(viewer: Asking) -> None:
    found = answered(viewer, "applications/shop")
    dev, prod, test = found["environments"]
    assert [(one["environment"], one["agrees"]) for one in (dev, prod, test)] == [
        ("dev", True), ("prod", False), ("test", False),
    ]  # fmt: skip
    assert prod["differences"] == [{"section": "python/shop", "item": "idna", "values": {"3.7": 2, "3.4": 1}}]
    assert (prod["hosts"][0]["name"], prod["hosts"][0]["state"]) == ("old-1", "stale")
    assert prod["hosts"][1] == {
        "host": access.hashed("web-1")[:16],
        "name": "web-1",
        "state": "fresh",
        "code": {"section": "app/shop", "status": "ok", "commit": "c0ffee", "dirty": False, "tree": None},
        "python": {"section": "python/shop", "status": "ok", "interpreter": "cpython 3.11.2", "packages": 2},
        "containers": [{"section": "container/shop.web", "status": "ok", "reference": "shop:4.2", "image": "sha256:1"}],
    }
    assert dev["hosts"][0]["python"] is None  # a path ties nothing together


def test_an_application_that_could_not_be_read_is_not_said_to_agree(fleet: Asking, viewer: Asking) -> None:
    blind = Section("app/shop", "application", 1, {}, Status.FAILED, (Reason.PERMISSION,))
    with writing(fleet.engine) as connection:
        reported(connection, "dev-2", host(LISTED, CONTAINERS, blind), datetime.now(UTC), "blind")
    (_, *_, dev) = sorted(
        answered(viewer, "applications/shop")["environments"], key=lambda one: one["environment"] == "blind"
    )
    assert (dev["agrees"], dev["hosts"][0]["code"]["status"]) == (None, "failed(permission)")


@pytest.mark.parametrize("name", ["nowhere", "sho", "sh%p", "SHOP", "%00"])
def test_an_application_that_nobody_has_is_not_there(viewer: Asking, name: str) -> None:
    assert viewer.get(f"/api/v1/applications/{name}").status_code == 404


def test_what_is_in_another_environment_is_not_there(fleet: Asking) -> None:
    stranger = scoped(fleet, "bare")
    assert answered(stranger, "applications") == {"applications": [], "total": 0}
    assert stranger.get("/api/v1/applications/shop").status_code == 404
    assert stranger.get("/api/v1/majority", of="env:prod").status_code == 422
    assert stranger.get("/api/v1/majority", of="role=web").status_code == 424
    assert stranger.get("/api/v1/pivot", of=["env:bare", "env:prod"]).status_code == 422
    assert stranger.get("/api/v1/majority", of="host:web-1").status_code == 422
    assert answered(stranger, "majority", of="env:*")["hosts"] == 1
