"""Tests of outcomes of checks over the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from envparity_agent.fingerprint import Fingerprint
from envparity_server.storage import audit, hosts
from envparity_server.storage.database import reading, writing
from tests.server.asking import Asking
from tests.server.fleet import enrolled, report
from tests.server.making import OPERATING_SYSTEM, SEARCHED, host, packages

NOW = datetime.now(UTC)
BAD, GOOD = ({"idna": "3.4", "urllib3": version} for version in ("2.2.1", "2.0.7"))


def app(pinned: dict[str, str]) -> Fingerprint:
    return host(OPERATING_SYSTEM, SEARCHED, packages(pinned, "python/app"))


@pytest.fixture
def fleet(api: Asking) -> Asking:
    """Somebody of CI, and twenty hosts of which the first ten have the bad version; one more is in test."""
    with writing(api.engine) as connection:
        for number in range(20):
            one = enrolled(connection, f"web-{number:02}", "prod", {"role": "web"})
            report(connection, one, app(GOOD), NOW - timedelta(hours=2))
            report(connection, one, app(BAD if number < 10 else GOOD), NOW)
        report(connection, enrolled(connection, "test-1", "test"), app(GOOD), NOW)
    return api.as_role("ci")


def tell(asking: Asking, **body: Any) -> httpx.Response:
    """The answer to outcomes that are told."""
    return asking.ask("POST", "/api/v1/outcomes", json=body)


def told(asking: Asking, outcome: str, *numbers: int) -> None:
    """Tell an outcome of the smoke test on hosts by their numbers."""
    for number in numbers:
        answer = tell(asking, hosts=f"host:web-{number:02}", outcomes={"smoke": outcome})
        assert answer.status_code == 200, answer.text


def job(asking: Asking, run: str, outcome: str, ran: Fingerprint, **more: str) -> httpx.Response:
    outcomes = {"tests::test_cart": outcome, "tests::test_pay": "pass"}
    return tell(asking, job="tests", run=run, fingerprint=ran.document(), outcomes=outcomes, **more)


def explained(asking: Asking, check: str = "smoke", **query: str) -> Any:
    """What separates the runs of a check."""
    answer = asking.as_role("viewer").get("/api/v1/explain/outcomes", check=check, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_separates_the_hosts_is_told_with_what_to_try_next(fleet: Asking) -> None:
    told(fleet, "fail", *range(9), 19)
    told(fleet, "pass", *range(10, 19))
    found = explained(fleet)
    best = found["suspects"][0]
    assert best["words"] == "on 9 of 10 failing and 0 of 9 passing: urllib3 2.2.1"
    assert (found["failing"], found["passing"], found["doubt"], best["significant"]) == (10, 9, "", True)
    assert best["claims"] == [{
        "section": "python/app", "item": "urllib3", "attribute": "version", "relation": "is", "value": "2.2.1",
        "words": "urllib3 2.2.1",
    }]  # fmt: skip


def test_too_few_labels_are_told_as_such(fleet: Asking) -> None:
    told(fleet, "fail", 0)
    assert explained(fleet)["doubt"] == "cannot tell: 1 failing run, 0 passing; label passing runs as well"


def test_the_hosts_of_a_selector_are_labelled_at_once_and_the_last_word_counts(fleet: Asking) -> None:
    answer = tell(fleet, hosts="env:prod,role=web", outcomes={"smoke": "fail", "start": "pass"})
    assert (len(answer.json()["labelled"]), answer.json()["checks"]) == (20, 2)
    told(fleet, "pass", 3)
    viewer = fleet.as_role("viewer")
    found = viewer.get("/api/v1/outcomes", check="smoke", limit="2").json()
    assert found["total"] == 20
    assert (found["outcomes"][0]["subject"], found["outcomes"][0]["outcome"]) == ("web-03", "pass")
    assert viewer.get("/api/v1/outcomes").json()["total"] == 40


def test_a_moment_is_labelled_with_what_the_host_ran_then(fleet: Asking) -> None:
    for number in range(6):
        moment = (NOW - timedelta(hours=1)).isoformat()
        tell(fleet, hosts=f"host:web-{number:02}@{moment}", outcomes={"smoke": "pass"})
        told(fleet, "fail", number)
    found = explained(fleet)
    assert found["suspects"][0]["words"] == "on 6 of 6 failing and 0 of 6 passing: urllib3 2.2.1"
    before = explained(fleet, of=f"env:prod@{(NOW - timedelta(minutes=30)).isoformat()}")
    assert (before["failing"], before["passing"]) == (0, 6)


def test_jobs_bring_their_fingerprint(fleet: Asking) -> None:
    for number in range(12):
        bad = number < 6
        answer = job(fleet, f"{number}", "fail" if bad else "pass", app(BAD if bad else GOOD))
        assert answer.json() == {"labelled": [f"tests/{number}"], "checks": 2, "notes": []}
    found = explained(fleet, "tests::test_cart")
    assert found["suspects"][0]["words"] == "on 6 of 6 failing and 0 of 6 passing: urllib3 2.2.1"
    assert explained(fleet, "tests::test_cart", of="env:ci")["failing"] == 6
    assert explained(fleet, "tests::test_cart", of="env:prod")["failing"] == 0


def test_a_selector_narrows_it_down(fleet: Asking) -> None:
    told(fleet, "fail", *range(4))
    tell(fleet, hosts="env:test", outcomes={"smoke": "pass"})
    for of, passing in (("", 1), ("env:*", 1), ("env:prod", 0), ("env:prod,role=db", 0), ("host:test-1", 1)):
        assert explained(fleet, of=of)["passing"] == passing, of


def test_a_host_without_a_label_is_what_to_try_where_suspects_differ_there(fleet: Asking) -> None:
    with writing(fleet.engine) as connection:
        for number in range(8):
            one = hosts.named(connection, f"web-{number:02}")[0]
            report(connection, one, app({"idna": "3.7", "urllib3": "2.2.1"}), NOW + timedelta(seconds=1))
    told(fleet, "fail", *range(7))
    told(fleet, "pass", *range(10, 18))
    [best, *_] = explained(fleet)["next"]
    assert best["words"] in {
        f"label web-{number:02}, which has no label yet: if it fails, urllib3 2.2.1 is likelier; if it passes, idna 3.7"
        for number in (8, 9)
    }


def test_others_environments_are_not_there(fleet: Asking) -> None:
    told(fleet, "fail", *range(10))
    told(fleet, "pass", *range(10, 20))
    of_test = fleet.as_role("admin", frozenset({"test"}))
    assert of_test.get("/api/v1/outcomes").json()["total"] == 0
    assert of_test.get("/api/v1/explain/outcomes", check="smoke").status_code == 422
    assert tell(of_test, hosts="host:web-01", outcomes={"smoke": "pass"}).status_code == 422
    assert job(of_test, "1", "fail", app(BAD), environment="prod").status_code == 422
    assert job(of_test, "1", "fail", app(BAD)).status_code == 200
    assert [one["environment"] for one in of_test.get("/api/v1/outcomes").json()["outcomes"]] == ["test", "test"]


def test_who_told_is_in_the_audit_log(fleet: Asking) -> None:
    tell(fleet, hosts="env:prod", outcomes={"smoke": "fail", "start": "pass"})
    with reading(fleet.engine) as connection:
        one = next(one for one in audit.entries(connection) if one.action == "outcome.tell")
    assert (one.actor, one.object, one.environment) == ("token:tests", "env:prod", "prod")
    assert one.detail == {"failed": 1, "passed": 1, "first": "smoke"}


def test_a_host_that_is_silent_is_labelled_with_what_it_last_reported_and_that_is_said(fleet: Asking) -> None:
    with writing(fleet.engine) as connection:
        enrolled(connection, "new", "old")
        report(connection, enrolled(connection, "silent", "old"), app(GOOD), NOW - timedelta(days=1))
    notes = tell(fleet, hosts="env:old", outcomes={"smoke": "fail"}).json()["notes"]
    assert notes == ["silent is stale: it was labelled with what it last reported", "new has not reported"]


@pytest.mark.parametrize(
    "body",
    [
        {"outcomes": {"smoke": "fail"}},
        {"hosts": "host:web-01", "job": "a", "run": "1", "fingerprint": {}, "outcomes": {"smoke": "fail"}},
        {"job": "a", "fingerprint": {}, "outcomes": {"smoke": "fail"}},
        {"job": "a/b", "run": "1", "fingerprint": app(GOOD).document(), "outcomes": {"smoke": "fail"}},
        {"job": "a", "run": "1", "fingerprint": host().document(), "outcomes": {"smoke": "fail"}},
        {"job": "a", "run": "1", "fingerprint": {}, "outcomes": {"smoke": "fail"}},
        {"hosts": "host:web-01", "outcomes": {}},
        {"hosts": "host:web-01", "outcomes": {"smoke": "flaky"}},
        {"hosts": "host:web-01", "outcomes": {"a\0b": "fail"}},
        {"hosts": "host:web-99", "outcomes": {"smoke": "fail"}},
        {"hosts": "baseline:shop", "outcomes": {"smoke": "fail"}},
        {"hosts": "host:web-01#os", "outcomes": {"smoke": "fail"}},
        {"hosts": "host:web-01@2999-01-01", "outcomes": {"smoke": "fail"}},
        {"hosts": "host:web-01", "outcomes": {"smoke": "fail"}, "more": 1},
    ],
)
def test_what_makes_no_sense_is_refused(fleet: Asking, body: Any) -> None:
    assert tell(fleet, **body).status_code == 422


def test_before_its_first_report_a_host_cannot_be_labelled(fleet: Asking) -> None:
    assert tell(fleet, hosts="env:prod@2020-01-01", outcomes={"smoke": "fail"}).status_code == 424
