"""Tests of the page of one host: sections, items, changes, the raw fingerprint."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from envparity_agent.canonical import decode
from envparity_agent.documents import from_document
from envparity_agent.fingerprint import Reason, Status
from envparity_server.app import create_app
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.fleet import enrolled, report, reported
from tests.server.making import NOON, OPERATING_SYSTEM, SEARCHED, host, packages, section, versions

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
    assert "prod · role=web · Debian GNU/Linux 12 · last report 2026-11-01 12:00 UTC" in text
    assert "containers Container engine failed: permission 0" in text
    assert "os Operating system ok 1" in text
    assert "stale" in text


def test_many_sections_come_folded_by_container_and_by_the_beginning_of_their_paths(pages: Asking) -> None:
    inside = [replace(packages({"idna": "1"}, f"python/srv/{name}"), path=f"container/web/python/srv/{name}")
              for name in "abcdefgh"]  # fmt: skip
    blind = section("container/web/os-packages", {}, Status.FAILED, Reason.CAP, kind="os-packages")
    sections = (section("container/web"), blind, *inside, OPERATING_SYSTEM, SEARCHED, packages({"idna": "3.4"}))
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(*sections), NOON)
    whole = pages.get(f"/hosts/{one.id}")
    assert "container/web 10 sections, 1 of them not complete" in seen(whole).text
    assert whole.text.count("<details") == 1
    assert "<details open" not in whole.text
    assert "<details open" not in pages.get(f"/hosts/{one.id}", section="os").text
    assert "<details open" in pages.get(f"/hosts/{one.id}", section="container/web/python/srv/b").text


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


def test_a_large_section_is_cut_and_says_so(pages: Asking) -> None:
    many = section("os-packages", versions({f"package-{number:04}": "1" for number in range(700)}))
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(many), NOON)
    text = seen(pages.get(f"/hosts/{one.id}", section="os-packages")).text
    assert "The first 500 of 700" in text
    assert "package-0499" in text
    assert "package-0500" not in text


def test_a_change_says_between_which_reports_and_leads_to_what_changed(pages: Asking) -> None:
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(OPERATING_SYSTEM, packages({"idna": "3.4"})), now - 3 * HOUR)
        report(connection, one, host(OPERATING_SYSTEM, packages({"idna": "3.4"})), now - 2 * HOUR)
        report(connection, one, host(OPERATING_SYSTEM, packages({"idna": "3.7"})), now)
    page = seen(pages.get(f"/hosts/{one.id}"))
    assert f"between {now - 2 * HOUR:%Y-%m-%d %H:%M} UTC and {now:%Y-%m-%d %H:%M} UTC" in page.text
    (link,) = [address for address in page.links if address.startswith("/compare?") and "%40" in address]
    compared = seen(pages.get(link)).text
    assert "3.4 → 3.7" in compared
    assert "1 medium" in compared


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
