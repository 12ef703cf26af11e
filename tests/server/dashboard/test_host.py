"""Tests of the page of one host: sections, items, changes, the raw fingerprint."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import Engine

from envparity_agent.canonical import decode
from envparity_agent.documents import from_document
from envparity_agent.fingerprint import Reason, Status
from envparity_server.app import create_app
from envparity_server.dashboard.host_views import clock, gaps
from envparity_server.evaluation import evaluate
from envparity_server.storage import audit
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading, writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.fleet import enrolled, known, report, reported
from tests.server.making import ENGINE, NOON, OPERATING_SYSTEM, SEARCHED, host, packages, section, versions

HOUR = timedelta(hours=1)


def test_an_unknown_host_has_a_page_that_says_so(pages: Asking) -> None:
    for address in ("/hosts/0123456789abcdef", "/hosts/0123456789abcdef/fingerprint.json", "/hosts/x%0ay"):
        answer = pages.get(address)
        assert answer.status_code == 404
        assert "There is no such page" in seen(answer).text


@pytest.mark.parametrize(
    "address", ["/hosts/%00", "/hosts/a%00b/fingerprint.json", "/hosts/%ff", "/hosts/%F0%9F%92%A5"]
)
def test_a_host_whose_id_is_none_has_such_a_page_too(database: Engine, address: str) -> None:
    answer = Asking(create_app(database), database).logged_in().get(address)
    assert answer.status_code in (404, 422)


def test_a_host_that_never_reported_says_what_to_look_at(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        one = enrolled(connection, "web-1")
    page = seen(pages.get(f"/hosts/{one.id}"))
    assert "No report yet" in page.text
    assert "envparity agent once" in page.text
    assert pages.get(f"/hosts/{one.id}/fingerprint.json").status_code == 404


def test_a_host_shows_its_sections_with_their_status(pages: Asking) -> None:
    blind = section("containers", {}, Status.FAILED, Reason.PERMISSION)
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(OPERATING_SYSTEM, SEARCHED, blind), NOON, "prod", {"role": "web"})
    text = seen(pages.get(f"/hosts/{one.id}")).text
    assert "web-1 ◌ stale prod role=web" in text
    assert "Operating system Debian GNU/Linux 12" in text
    assert "Last report 2026-11-01 12:00 UTC" in text
    assert "containers Container engine failed: permission 0" in text
    assert "os Operating system ✓ ok 1" in text


def test_many_sections_come_folded_by_container_and_by_the_beginning_of_their_paths(pages: Asking) -> None:
    inside = [replace(packages({"idna": "1"}, f"python/srv/{name}"), path=f"container/web/python/srv/{name}")
              for name in "abcdefgh"]  # fmt: skip
    blind = section("container/web/os-packages", {}, Status.FAILED, Reason.CAP, kind="os-packages")
    sections = (section("container/web"), blind, *inside, OPERATING_SYSTEM, SEARCHED, packages({"idna": "3.4"}))
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(*sections), NOON)
    whole = pages.get(f"/hosts/{one.id}")
    assert "container/web 10 sections, 1 of them not complete" in seen(whole).text
    assert whole.text.count("<summary><strong") == 1
    assert "<details open" not in whole.text
    assert "<details open" not in pages.get(f"/hosts/{one.id}", section="os").text
    assert "<details open" in pages.get(f"/hosts/{one.id}", section="container/web/python/srv/b").text
    assert "<details open" in pages.get(f"/hosts/{one.id}", filter="container/web").text


def test_a_section_shows_its_items(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(packages({"idna": "3.4"})), NOON)
    page = seen(pages.get(f"/hosts/{one.id}", section="python/srv/shop"))
    assert "idna version 3.4" in page.text
    nothing = seen(pages.get(f"/hosts/{one.id}", section="python/nowhere"))
    assert "Nothing has changed since the first report" in nothing.text


def test_a_section_without_items_says_why(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        blind = section("containers", {}, Status.FAILED, Reason.PERMISSION)
        one = reported(connection, "web-1", host(blind), NOON)
    assert "Nothing in it: failed (permission)" in seen(pages.get(f"/hosts/{one.id}", section="containers")).text


def test_a_large_section_pages_and_is_searched(pages: Asking) -> None:
    many = section("os-packages", versions({f"package-{number:04}": "1" for number in range(250)}))
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(many), NOON)
    first, last = (seen(pages.get(f"/hosts/{one.id}", section="os-packages", page=str(number))) for number in (1, 3))
    assert "250 items, page 1 of 3" in first.text
    assert f"/hosts/{one.id}?section=os-packages&page=2#section" in first.links
    for page, there, not_there in ((first, ("0000", "0099"), "0100"), (last, ("0200", "0249"), "0199")):
        assert all(f"package-{number}" in page.text for number in there)
        assert f"package-{not_there}" not in page.text
    found = seen(pages.get(f"/hosts/{one.id}", section="os-packages", item="AGE-024")).text
    assert "10 of 250 items. Show all" in found
    assert "package-0239" not in found


def test_a_change_says_between_which_reports_and_leads_to_what_changed(pages: Asking) -> None:
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(OPERATING_SYSTEM, packages({"idna": "3.4"})), now - 3 * HOUR)
        report(connection, one, host(OPERATING_SYSTEM, packages({"idna": "3.4"})), now - 2 * HOUR)
        report(connection, one, host(OPERATING_SYSTEM, packages({"idna": "3.7"})), now)
    page = seen(pages.get(f"/hosts/{one.id}"))
    assert f"between {now - 2 * HOUR:%Y-%m-%d %H:%M} UTC and {now:%Y-%m-%d %H:%M} UTC" in page.text
    assert "idna 3.4 → 3.7 python/srv/shop" in page.text
    assert "/packages/item?section=python%2Fsrv%2Fshop&item=idna" in page.links
    (link,) = [address for address in page.links if address.startswith("/compare?") and "%40" in address]
    compared = seen(pages.get(link)).text
    assert "3.4 → 3.7" in compared
    assert "1 medium" in compared


def test_many_changes_of_one_report_are_counted_and_the_first_named(pages: Asking) -> None:
    now = datetime.now(UTC)
    pinned = {f"package-{number:02}": "1" for number in range(20)}
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(packages(pinned)), now - HOUR)
        report(connection, one, host(packages(dict.fromkeys(pinned, "2"))), now)
    text = seen(pages.get(f"/hosts/{one.id}")).text
    assert "Changes 20" in text
    assert "package-05 1 → 2" in text
    assert "package-06 1 → 2" not in text
    assert "and 14 more" in text


def test_a_first_report_is_no_change(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(OPERATING_SYSTEM), NOON)
        report(connection, one, host(OPERATING_SYSTEM), NOON + HOUR)
    assert "Nothing has changed since the first report" in seen(pages.get(f"/hosts/{one.id}")).text


def test_what_is_kept_only_makes_no_change(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        one = reported(
            connection, "web-1", host(section("python/a", {"x": {"version": "1", "installer": "pip"}})), NOON
        )
        report(connection, one, host(section("python/a", {"x": {"version": "1", "installer": "uv"}})), NOON + HOUR)
    assert "Nothing has changed since the first report" in seen(pages.get(f"/hosts/{one.id}")).text


def test_the_raw_fingerprint_is_the_document_that_was_sent(pages: Asking) -> None:
    sent = host(OPERATING_SYSTEM, packages({"idna": "3.4"}))
    with writing(pages.engine) as connection:
        one = report(connection, enrolled(connection, "web-1"), sent, NOON, identity={"hostname": "web-1.example"})
    answer = pages.get(f"/hosts/{one.id}/fingerprint.json")
    assert answer.headers["content-type"] == "application/json"
    assert from_document(decode(answer.content)).root == sent.root
    assert json.loads(answer.text)["identity"] == {"hostname": "web-1.example"}


def test_a_host_shows_at_a_glance_what_it_runs(pages: Asking) -> None:
    image = {"image": {"reference": "registry.test/shop:7", "config": "sha256:a"}}
    machine = section("os/machine", {"kernel": {"release": "6.12.41"}}, kind="machine")
    pythons = [section(f"python/srv/{name}", {"@python": {"version": "3.11.2"}}) for name in "abcd"]
    containers = [section(f"container/{name}", image) for name in ("db", "web")]
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(OPERATING_SYSTEM, machine, ENGINE, *pythons, *containers), NOON)
    text = seen(pages.get(f"/hosts/{one.id}")).text
    assert "Operating system Debian GNU/Linux 12 kernel 6.12.41" in text
    assert "Python environments 4 srv/a: 3.11.2 srv/b: 3.11.2 srv/c: 3.11.2 and 1 more" in text
    assert "Containers 2 db web Images 1 registry.test/shop:7" in text


def test_what_could_not_be_read_is_told_with_why_and_is_not_taken_for_nothing(pages: Asking) -> None:
    blind = section("containers", {}, Status.FAILED, Reason.PERMISSION)
    withheld = section("settings", {}, Status.ABSENT, Reason.CONSENT)
    none = section("services", {}, Status.ABSENT, Reason.NOT_INSTALLED)
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(OPERATING_SYSTEM, blind, withheld, none), NOON)
        whole = reported(connection, "web-2", host(OPERATING_SYSTEM, none), NOON)
    page = seen(pages.get(f"/hosts/{one.id}"))
    assert "1 section: the operator of the host does not allow it settings" in page.text
    assert "1 section: the agent may not read it containers" in page.text
    assert "Containers permission" in page.text
    assert "services" not in page.text.partition("What it runs on")[0]
    assert "Everything that the agent looks for could be read" in seen(pages.get(f"/hosts/{whole.id}")).text


def test_every_reason_has_words() -> None:
    told = gaps({reason: section(reason, {}, Status.FAILED, reason) for reason in Reason})
    assert {one.why for one in told}.isdisjoint(set(Reason))


def test_sections_are_filtered_by_all_of_the_words(pages: Asking) -> None:
    paths = [f"python/srv/{number:04}" for number in range(620)]
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(OPERATING_SYSTEM, *(packages({"idna": "1"}, path) for path in paths)),
                       NOON)  # fmt: skip
    whole = seen(pages.get(f"/hosts/{one.id}")).text
    assert "The first 500 of 621 sections: filter them." in whole
    assert "python/srv/0498 " in whole
    assert "python/srv/0499 " not in whole
    found = seen(pages.get(f"/hosts/{one.id}", filter="ENVIRONMENT srv/060"))
    assert "10 of 621 sections" in found.text
    assert "python/srv/0601 " in found.text
    assert "python/srv/0001 " not in found.text
    assert "?section=python%2Fsrv%2F0601&filter=ENVIRONMENT+srv%2F060#section" in found.links


def test_a_host_names_what_it_drifts_in(pages: Asking) -> None:
    moment = datetime.now(UTC)
    with writing(pages.engine) as connection:
        fleet = [reported(connection, f"web-{number}", host(packages({"idna": "3.4"})), moment - HOUR)
                 for number in range(4)]  # fmt: skip
        evaluate(connection, moment - HOUR)
        for number, one in enumerate(fleet):
            report(connection, one, host(packages({"idna": "3.4" if number else "4.0"})), moment)
        evaluate(connection, moment)
    page = seen(pages.get(f"/hosts/{fleet[0].id}"))
    assert "web-0 ≠ in drift" in page.text
    assert "Open drifts 1 high ▲ high python/srv/shop: idna 3.4 → 4.0 on web-0" in page.text
    assert len([link for link in page.links if link.startswith("/drifts/")]) == 1
    alike = seen(pages.get(f"/hosts/{fleet[1].id}")).text
    assert "web-1 ✓ in parity" in alike
    assert "Nothing differs from its reference" in alike


def test_what_is_odd_about_a_host_is_told(pages: Asking) -> None:
    moment = datetime.now(UTC)
    ran = replace(host(OPERATING_SYSTEM), taken_at=(moment + 3 * HOUR).isoformat())
    with writing(pages.engine) as connection:
        for name in ("web-1", "web-2"):
            one = report(connection, enrolled(connection, name), ran, moment, identity={"machine_id": "m"}, agent="0.9")
    page = seen(pages.get(f"/hosts/{one.id}"))
    assert "It has the machine id of web-1" in page.text
    assert "Its clock is 3 h ahead" in page.text
    assert "It has no reference" in page.text
    assert "Version 0.9" in page.text


@pytest.mark.parametrize(
    ("skew", "said"),
    [(None, "not told yet"), (0, "right to the second"), (-5, "5 s behind"), (90, "1 min ahead"), (90000, "1 d ahead")],
)
def test_a_clock_is_told_in_its_largest_unit(skew: int | None, said: str) -> None:
    assert clock(skew) == said


def send(asking: Asking, path: str, **form: str) -> httpx.Response:
    """Send a form."""
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    return asking.ask("POST", path, content=urlencode(form), headers=sent)


def test_an_operator_gives_a_host_another_name_environment_and_labels(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        one = enrolled(connection, "web-1", "prod", {"role": "web", "zone": "a"})
        enrolled(connection, "dev-1", "dev")
    operator = pages.as_person("ada", Role.OPERATOR)
    answer = send(operator, f"/hosts/{one.id}", name="web-01", environment="dev", labels="role=db, rack=7")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/hosts/{one.id}")
    with reading(pages.engine) as connection:
        changed = known(connection, one.id)
        (entry,) = audit.of(connection, one.id, NOON)
    assert (changed.name, changed.environment, changed.labels) == ("web-01", "dev", {"role": "db", "rack": "7"})
    assert (entry.action, entry.actor, entry.detail["before"]["name"]) == ("host.change", "person:ada", "web-1")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"environment": "nowhere"}, "there is no environment nowhere"),
        ({"labels": "role"}, "'role' is not a label"),
        ({"labels": "a b=c/d"}, "is not a label"),
        ({"labels": "role=a/b"}, "labels"),
        ({"name": ""}, "name"),
    ],
)
def test_a_change_that_does_not_work_says_what(pages: Asking, form: dict[str, str], said: str) -> None:
    with writing(pages.engine) as connection:
        one = enrolled(connection, "web-1", "prod", {"role": "web"})
    answer = send(pages, f"/hosts/{one.id}", **{"name": "web-1", "environment": "prod", "labels": "", **form})
    assert answer.status_code == 422
    assert said in seen(answer).text
    with reading(pages.engine) as connection:
        assert known(connection, one.id) == one


def test_a_host_is_retired_once_somebody_says_that_it_is_meant(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(OPERATING_SYSTEM), datetime.now(UTC))
    operator = pages.as_person("ada", Role.OPERATOR)
    assert "the box is not ticked" in seen(send(operator, f"/hosts/{one.id}/retire")).text
    answer = send(operator, f"/hosts/{one.id}/retire", sure="yes")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/hosts/{one.id}")
    page = seen(operator.get(f"/hosts/{one.id}"))
    assert "retired prod" in page.text
    assert "Retire this host" not in page.text
    with reading(pages.engine) as connection:
        assert [entry.action for entry in audit.of(connection, one.id, NOON)] == ["host.retire"]


def test_a_viewer_is_offered_no_change_and_may_make_none(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        one = enrolled(connection, "web-1")
    viewer = pages.as_person("vera", Role.VIEWER)
    assert [path for path in seen(viewer.get(f"/hosts/{one.id}")).values("form", "action") if "/hosts/" in path] == []
    assert f"/hosts/{one.id}/retire" in seen(pages.get(f"/hosts/{one.id}")).values("form", "action")
    for path in (f"/hosts/{one.id}", f"/hosts/{one.id}/retire"):
        assert send(viewer, path, name="x", environment="prod", sure="yes").status_code == 403


def test_a_host_of_others_is_not_changed(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        one = enrolled(connection, "web-1")
    ada = pages.as_person("ada", Role.ADMIN, frozenset({"dev"}))
    for path in (f"/hosts/{one.id}", f"/hosts/{one.id}/retire"):
        assert send(ada, path, name="x", environment="prod", sure="yes").status_code == 404
    with reading(pages.engine) as connection:
        assert known(connection, one.id) == one
