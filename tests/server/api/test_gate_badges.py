"""Tests of badges: made by operators, and seen by whoever has the address."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from envparity_server.app import create_app
from envparity_server.gating.model import Report, Verdict
from envparity_server.settings import DEFAULTS
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.gating.running import finding, kept, report

MAIN = {"repository": "acme/shop", "ref": "main", "against": "env:prod"}
HOST = "http://envparity.test"


def ran(asking: Asking, one: Report, hours: float = 3) -> int:
    """A run that ended some hours ago."""
    with writing(asking.engine) as connection:
        return kept(connection, one, at=datetime.now(UTC) - timedelta(hours=hours))


def made(asking: Asking) -> str:
    """The path of a badge of main that an operator makes."""
    answer = asking.as_role("operator").ask("PUT", "/api/v1/gate-badges", json=MAIN)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["address"]).removeprefix(HOST)


def title(asking: Asking, path: str) -> str | None:
    """What a badge says."""
    answer = asking.get(path)
    assert answer.status_code == 200, answer.text
    return ElementTree.fromstring(answer.content).findtext("{http://www.w3.org/2000/svg}title")  # noqa: S314  # our own


@pytest.mark.parametrize(("verdict", "words"), [("parity", "parity"), ("drift", "drift"), ("unknown", "cannot tell")])
def test_a_badge_tells_the_newest_verdict_and_its_age_to_anybody(api: Asking, verdict: str, words: str) -> None:
    ran(api, report(Verdict.PARITY), 30)
    path = made(api)
    assert title(api, path) == "envparity: parity, 1 d ago"
    ran(api, report(Verdict(verdict)))
    assert title(api, path) == f"envparity: {words}, 3 h ago"


def test_a_badge_tells_that_drift_was_accepted(api: Asking) -> None:
    run = ran(api, report())
    path = made(api)
    api.as_role("operator").ask("POST", f"/api/v1/gate-runs/{run}/accept", json={"reason": "meant"})
    assert title(api, path) == "envparity: drift, accepted, 3 h ago"


def test_a_badge_is_an_inert_picture_that_may_be_kept_for_a_minute(api: Asking) -> None:
    hostile = "<script>alert(1)</script>"
    ran(api, report(findings=[finding(hostile)], summary=hostile))
    answer = api.get(made(api))
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    tags = {one.tag.rpartition("}")[2] for one in ElementTree.fromstring(answer.content).iter()}  # noqa: S314  # our own
    assert tags == {"svg", "title", "rect", "g", "text"}
    assert not any(word in answer.text for word in ("acme", "main", "prod", "script", "style", "href", "url("))


def test_there_is_no_badge_before_somebody_makes_one_and_none_after_it_was_removed(api: Asking) -> None:
    ran(api, report())
    guessed = "/badges/" + "A" * 43 + ".svg"
    assert api.get(guessed).status_code == api.get("/badges/%ff%00.svg").status_code == 404
    assert "no-store" in api.get(guessed).headers["cache-control"]
    first, second = made(api), made(api)
    assert (api.get(first).status_code, api.get(second).status_code) == (404, 200)
    operator = api.as_role("operator")
    removed = operator.ask("DELETE", "/api/v1/gate-badges", params=MAIN)
    assert removed.json() == {"removed": "acme/shop main against env:prod"}
    assert operator.ask("DELETE", "/api/v1/gate-badges", params=MAIN).status_code == 404
    assert api.get(second).status_code == 404


def test_badges_are_listed_without_their_addresses(api: Asking) -> None:
    ran(api, report())
    secret = made(api).removeprefix("/badges/").removesuffix(".svg")
    answer = api.as_role("operator").get("/api/v1/gate-badges")
    assert {**answer.json()["badges"][0], "created_at": ""} == {**MAIN, "created_by": "token:tests", "created_at": ""}
    assert secret not in answer.text


def test_an_operator_of_another_environment_makes_and_sees_no_badge(api: Asking) -> None:
    ran(api, report())
    made(api)
    of_dev = api.as_role("operator", frozenset({"dev"}))
    assert of_dev.ask("PUT", "/api/v1/gate-badges", json=MAIN).status_code == 404
    assert of_dev.ask("DELETE", "/api/v1/gate-badges", params=MAIN).status_code == 404
    assert of_dev.get("/api/v1/gate-badges").json()["total"] == 0


def test_a_badge_of_what_never_ran_says_what_to_do(api: Asking) -> None:
    answer = api.as_role("operator").ask("PUT", "/api/v1/gate-badges", json=MAIN)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "no run of acme/shop main against env:prod"


def test_the_address_is_where_people_reach_the_server(small_api: Asking) -> None:
    settings = DEFAULTS.model_copy(update={"public_url": "https://parity.example/x/"})
    asking = Asking(create_app(small_api.engine, settings), small_api.engine)
    ran(asking, report())
    assert made(asking).startswith("https://parity.example/x/badges/")
