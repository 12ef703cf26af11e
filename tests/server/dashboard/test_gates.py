"""Tests of the pages of gates: the list, one run, and its form for operators."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import pytest

from envparity_server.gating.model import Coverage, Place, Standing, Suspected, Verdict
from envparity_server.storage.actors import Role
from envparity_server.storage.database import writing
from envparity_server.storage.gate_runs import Key, Origin
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.gating.running import SHOP, finding, kept, report

NOW = datetime.now(UTC)
WHOLE = report(
    findings=[
        finding(origin="via base image debian:bookworm (digest moved)", place=Place("Dockerfile", 3)),
        finding("flask", Standing.DECLARED, why="uv.lock"),
        finding("linux", Standing.EXPECTED, why="kernels differ"),
        finding("zlib1g", Standing.KNOWN, why="run 7"),
        finding("tzdata", Standing.BELOW),
        finding("secret", Standing.UNKNOWN, why="permission"),
    ],
    summary="1 undeclared: libssl3",
    reasons=("web-3 is stale: last report 2026-10-01",),
    notes=("2 hosts are stale",),
    remarks=("a rule has expired",),
    coverage=Coverage(411, 412),
    causes=(Suspected(1, "os-packages", "libssl3", ("it is loaded",), ("apt-get install libssl3=3.0.15",), "at most"),),
)


def run(pages: Asking, **more: object) -> int:
    """A run that is kept, of now by default."""
    with writing(pages.engine) as connection:
        return kept(connection, **{"at": NOW, **more})  # type: ignore[arg-type]  # as `kept` takes them


def accept(asking: Asking, id: int, reason: str, **headers: str) -> httpx.Response:
    """Send the form."""
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return asking.ask("POST", f"/gates/{id}/accept", content=urlencode({"reason": reason}), headers=sent)


def test_without_a_run_the_page_tells_which_command_makes_one(pages: Asking) -> None:
    text = seen(pages.get("/gates")).text
    assert "No gate has run yet" in text
    assert "envparity server token ci" in text
    assert "envparity gate --server http://envparity.test/ --token-file token --against env:prod" in text


def test_the_list_has_the_newest_first_with_verdict_and_answer(pages: Asking) -> None:
    old = run(pages, one=report(Verdict.PARITY), at=NOW - timedelta(hours=3))
    new = run(pages, one=WHOLE, key=Key("acme/shop", "env:prod", "app=shop", "image shop"))
    page = seen(pages.get("/gates"))
    assert f"{new} ✗ drift acme/shop main image shop against env:prod, app=shop 1 undeclared: libssl3" in page.text
    assert f"{old} ✓ parity" in page.text
    assert page.text.index(f"{new} ✗") < page.text.index(f"{old} ✓")
    assert "1 in parity · 1 with drift · 0 that could not tell" in page.text
    assert {f"/gates/{new}", f"/gates/{old}", "/gates?repository=acme%2Fshop&ref=main"} <= set(page.links)
    assert {"/gates?verdict=parity", "/gates?verdict=drift", "/gates?verdict=unknown"} <= set(page.links)


def test_the_list_is_filtered_and_says_where_nothing_matches(pages: Asking) -> None:
    run(pages, one=report(Verdict.PARITY))
    other = run(pages, key=Key("acme/other", "env:prod", "", "lock x"), origin=Origin("acme/other", "v1"))
    links = seen(pages.get("/gates", repository="acme/other", ref="v1", verdict="drift")).links
    assert [one for one in links if one.startswith("/gates/")] == [f"/gates/{other}"]
    nothing = seen(pages.get("/gates", repository="acme/shop", verdict="drift")).text
    assert "No run matches" in nothing
    assert "1 in parity · 0 with drift · 0 that could not tell, of acme/shop" in nothing.replace(" ,", ",")


def test_many_runs_come_in_pages_that_keep_the_filter(pages: Asking) -> None:
    for _ in range(51):
        run(pages)
    first = seen(pages.get("/gates", ref="main"))
    assert "51 runs, page 1 of 2" in first.text
    assert "/gates?ref=main&page=2" in first.links
    last = seen(pages.get("/gates", ref="main", page="2"))
    assert len([one for one in last.links if one.startswith("/gates/")]) == 1
    assert "No run matches" in seen(pages.get("/gates", page="3")).text


def test_a_run_tells_what_fails_how_to_undo_it_and_what_is_accounted_for(pages: Asking) -> None:
    text = seen(pages.get(f"/gates/{run(pages, one=WHOLE)}")).text
    for told in (
        "✗ drift", "1 undeclared: libssl3", "9fceb02d", "99.7 %: 411 of 412 items compared", "2 hosts are stale",
        "a rule has expired", "it is loaded apt-get install libssl3=3.0.15 at most",
        "1 difference that nobody declared, expected or accepted",
        "libssl3 os-packages 3.0.15 → 3.0.11 (patch) via base image debian:bookworm (digest moved) Dockerfile:3",
        "web-3 is stale: last report 2026-10-01", "1 declared", "uv.lock", "1 expected by rules", "kernels differ",
        "1 known from the last accepted run", "run 7", "1 under the threshold", "permission",
    ):  # fmt: skip
        assert told in text


def test_a_run_in_parity_has_nothing_to_accept(pages: Asking) -> None:
    text = seen(pages.get(f"/gates/{run(pages, one=report(Verdict.PARITY))}")).text
    assert "No difference was declared, expected, known or under the threshold." in text
    assert "Accept this run" not in text
    assert "Could not be told" not in text


def test_very_many_differences_are_cut_and_the_page_leads_to_all(pages: Asking) -> None:
    id = run(pages, one=report(findings=[finding(f"package-{number:03}") for number in range(250)]))
    page = seen(pages.get(f"/gates/{id}"))
    assert "The first 200 of 250" in page.text
    assert "package-199" in page.text
    assert "package-200" not in page.text
    assert pages.get(f"/api/v1/gate-runs/{id}").json()["report"]["differences"][249]["item"] == "package-249"
    assert f"/api/v1/gate-runs/{id}" in page.links


def test_the_link_of_a_pipeline_leads_there_without_telling_whence(pages: Asking) -> None:
    answer = pages.get(f"/gates/{run(pages)}")
    assert '<a class="btn" href="https://ci.example/shop/512" rel="noreferrer">' in answer.text
    without = seen(pages.get(f"/gates/{run(pages, origin=Origin())}")).text
    assert "The pipeline's run" not in without


def test_an_operator_accepts_a_run_for_a_reason(pages: Asking) -> None:
    id = run(pages, one=WHOLE)
    operator = pages.as_person("ada", Role.OPERATOR)
    assert "Accept this run" in seen(operator.get(f"/gates/{id}")).text
    answer = accept(operator, id, " the new base image is meant ")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/gates/{id}")
    text = seen(operator.get(f"/gates/{id}")).text
    assert "✗ drift, accepted" in text
    assert "by person:ada" in text
    assert ": the new base image is meant" in text
    assert "Accept this run" not in text


def test_without_a_reason_or_from_another_site_nothing_is_accepted(pages: Asking) -> None:
    id = run(pages, one=WHOLE)
    operator = pages.as_person("ada", Role.OPERATOR)
    for nothing in ("  ", "the new base image is meant\0"):
        assert accept(operator, id, nothing).status_code == 422
    assert accept(operator, id, "meant", Origin="https://evil.example").status_code == 403
    assert "Accept this run" in seen(operator.get(f"/gates/{id}")).text


def test_a_viewer_sees_a_run_and_cannot_accept_it(pages: Asking) -> None:
    id = run(pages, one=WHOLE)
    viewer = pages.as_person("bob", Role.VIEWER)
    assert "Accept this run" not in seen(viewer.get(f"/gates/{id}")).text
    assert accept(viewer, id, "meant").status_code == 403


def test_runs_against_environments_of_others_are_not_there(pages: Asking) -> None:
    hidden = run(pages, one=WHOLE)
    shown = run(
        pages, environments=("dev",), key=Key("acme/dev", "env:dev", "", "image shop"), origin=Origin("acme/dev")
    )
    of_dev = pages.as_person("ada", Role.OPERATOR, frozenset({"dev"}))
    page = of_dev.get("/gates")
    assert SHOP.repository not in page.text
    assert f"/gates/{shown}" in seen(page).links
    assert of_dev.get(f"/gates/{hidden}").status_code == accept(of_dev, hidden, "meant").status_code == 404


@pytest.mark.parametrize(
    "address", ["/gates/0", "/gates/x", "/gates/99999", "/gates/99999999999999999999", "/gates/%00"]
)
def test_a_run_that_is_none_has_a_page_that_says_so(pages: Asking, address: str) -> None:
    answer = pages.get(address)
    assert answer.status_code in (404, 422)
    assert seen(answer).dangers() == []


def test_whoever_is_not_logged_in_is_asked_to(small_api: Asking) -> None:
    for method, address in (("GET", "/gates"), ("GET", "/gates/1"), ("POST", "/gates/1/accept")):
        assert small_api.ask(method, address).headers["location"].startswith("/login")
