"""Tests of the page Overview: where environments have drifted apart, at a glance."""

from datetime import UTC, datetime, timedelta

import pytest

from envparity_server.gating.model import Verdict
from envparity_server.storage.actors import Role
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.dashboard.drifting import OTHER, PLAIN, drifting, silent, upgraded, waiting
from tests.server.dashboard.reading import seen
from tests.server.dashboard.test_hostile import HOSTILE, hostile
from tests.server.fleet import report, reported
from tests.server.gating.running import kept
from tests.server.gating.running import report as gate_report


def test_a_server_without_a_host_says_what_an_administrator_does_next(pages: Asking) -> None:
    page = seen(pages.get("/"))
    assert "No host yet" in page.text
    assert "/hosts/add" in page.links
    assert "/demo" in page.values("form", "action")


def test_a_viewer_is_offered_nothing_that_only_an_administrator_may_do(small_api: Asking) -> None:
    page = seen(small_api.as_person("eve", Role.VIEWER).get("/"))
    assert "An administrator adds hosts" in page.text
    assert "/hosts/add" not in page.links
    assert "/demo" not in page.values("form", "action")


def test_each_environment_tells_how_its_hosts_stand_and_every_number_leads_to_what_it_counts(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        drifting(connection, "prod")
        silent(connection, "gone")
        waiting(connection, "fresh")
    page = seen(pages.get("/"))
    assert "prod 4 of 7 1 1 1 1 1 ◆ medium" in page.text
    for state in ("in+parity", "in+drift", "stale", "never+reported"):
        assert f"/hosts?environment=prod&state={state}" in page.links
    assert "/drifts?environment=prod&state=open" in page.links
    assert "/drifts?environment=prod&state=open&severity=only-medium" in page.links
    assert page.values("progress", "aria-label") == ["4 of 7 hosts of prod in parity"]


def test_a_host_that_nothing_was_held_against_is_not_in_parity(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        reported(connection, "web-1", PLAIN, datetime.now(UTC))
    page = seen(pages.get("/"))
    assert "/hosts?environment=prod&state=not+compared" in page.links
    assert "/hosts?environment=prod&state=in+parity" not in page.links
    assert page.values("td", "data-value") == []


def test_the_share_of_hosts_without_a_drift_is_told_by_day_and_drawn_from_that_table(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        drifting(connection, "prod")
    page = seen(pages.get("/"))
    assert page.values("figure", "data-table") == ["parity-by-day"]
    assert "parity-by-day" in page.values("table", "id")
    assert f"{datetime.now(UTC):%-d %b} 4 of 5" in page.text
    assert page.values("td", "data-value")[-1] == "80.0"


def test_environments_are_held_against_each_other_after_the_page(pages: Asking) -> None:
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        for environment, ran in (("prod", OTHER), ("dev", PLAIN), ("test", PLAIN)):
            reported(connection, f"{environment}-1", ran, now, environment)
    page = seen(pages.get("/"))
    later = [address for address in page.values("td", "hx-get") if address.startswith("/overview/pair")]
    assert later == ["/overview/pair?left=dev&right=test", "/overview/pair?left=test&right=prod"]
    assert "/compare?left=env%3Atest&right=env%3Aprod" in page.links  # for who has no JavaScript
    alike, unlike = (seen(pages.get(address)) for address in later)
    assert "● parity nothing differs" in alike.text
    assert "1 difference : 1 medium" in unlike.text
    assert "/compare?left=env%3Atest&right=env%3Aprod" in unlike.links


def test_what_cannot_be_compared_is_not_parity(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        waiting(connection, "a", "dev")
        waiting(connection, "b", "prod")
    for right in ("prod", "nowhere"):
        page = seen(pages.get("/overview/pair", left="dev", right=right))
        assert "? cannot tell" in page.text
        assert "parity" not in page.text


def test_the_latest_changes_are_told_with_their_hosts(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        noon = datetime.now(UTC).replace(hour=12) - timedelta(days=2)
        one, *_ = upgraded(connection, ("web-1",), noon)
        upgraded(connection, ("db-1", "db-2", "db-3"), noon, "dev")
    page = seen(pages.get("/"))
    assert "idna 3.4 → 3.7 on 4 hosts" in page.text
    assert "/packages/item?section=python%2Fsrv%2Fshop&item=idna" in page.links
    (all_of_them,) = [address for address in page.links if address.startswith("/timeline?")]
    listed = seen(pages.get(all_of_them))
    assert f"/hosts/{one.id}" in listed.links
    assert "4 hosts: db-1, db-2, db-3, web-1" in listed.text.replace(" ,", ",")


def test_silent_agents_and_red_gates_are_told(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        gone = [silent(connection, f"gone-{number}") for number in range(7)]
        run = kept(connection, at=datetime.now(UTC))
        kept(connection, gate_report(Verdict.PARITY), at=datetime.now(UTC))
    page = seen(pages.get("/"))
    assert [one for one in gone if f"/hosts/{one.id}" in page.links] == gone[:5]
    assert "All 7" in page.text
    assert "/hosts?state=stale" in page.links
    assert [address for address in page.links if address.startswith("/gates/")] == [f"/gates/{run}"]


def test_few_hosts_are_offered_what_can_be_compared(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        reported(connection, "dev-1", PLAIN, datetime.now(UTC), "dev")
        reported(connection, "web-1", PLAIN, datetime.now(UTC), "prod")
    assert "What can be compared now dev against prod" in seen(pages.get("/")).text
    with writing(pages.engine) as connection:
        drifting(connection, "test")
    assert "What can be compared now" not in seen(pages.get("/")).text


def test_nothing_of_an_environment_that_one_does_not_see_is_told_or_counted(small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        drifting(connection, "vault")
        silent(connection, "secret-1", "vault")
        kept(connection, environments=("vault",), at=datetime.now(UTC))
        reported(connection, "seen-1", PLAIN, datetime.now(UTC), "dev")
    ada = small_api.as_person("ada", Role.VIEWER, frozenset({"dev"}))
    page = seen(ada.get("/"))
    assert "dev 0 of 1 0 0 1" in page.text
    for hidden in ("vault", "secret", "idna", "acme"):
        assert hidden not in page.text
    for address in ("/overview/pair?left=dev&right=vault", "/overview/pair?left=vault&right=dev"):
        answer = ada.get(address)
        assert "cannot tell" in answer.text
        assert "idna" not in answer.text
        assert "known environments" not in answer.text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_on_the_overview(pages: Asking, text: str) -> None:
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        one = reported(connection, text, hostile(text, "1.0"), now, text, {text: text})
        report(connection, one, hostile(text, "2.0"), now)
        reported(connection, "other", hostile(text, "3.0"), now, f"{text}!")
        silent(connection, f"{text} silent", text)
    page = seen(pages.get("/"))
    assert page.dangers() == []
    assert " ".join(text.split()) in page.text
    for address in page.values("td", "hx-get"):
        assert seen(pages.get(address)).dangers() == []
