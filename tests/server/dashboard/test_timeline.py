"""Tests of the page Timeline: what changed in the fleet, by day."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from envparity_server.storage import deploys
from envparity_server.storage.actors import Role
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.dashboard.drifting import PLAIN, upgraded
from tests.server.dashboard.reading import seen
from tests.server.dashboard.test_hostile import HOSTILE, hostile
from tests.server.fleet import report, reported
from tests.server.making import host, packages

MONDAY = datetime(2025, 11, 3, 8, 10, tzinfo=UTC)
DAY = timedelta(days=1)
UNTIL = "2025-11-06"
WEB = ("web-1", "web-2", "web-3")


def test_a_fleet_in_which_nothing_changed_says_so(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        reported(connection, "web-1", PLAIN, datetime.now(UTC))
    page = seen(pages.get("/timeline"))
    assert "Nothing has changed yet" in page.text
    assert page.values("table", "id") == []


def test_one_change_on_many_hosts_is_one_line_that_leads_to_all_of_them(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        upgraded(connection, WEB, MONDAY)
    page = seen(pages.get("/timeline", until=UNTIL))
    assert "Monday, 3 November 2025 3 changes, in UTC" in page.text
    assert "idna python/srv/shop 3.4 → 3.7 (minor) 3 hosts between 3 Nov 02:10 UTC and 3 Nov 08:12 UTC" in page.text
    assert page.text.count("3.4 → 3.7") == 1
    assert "/packages/item?section=python%2Fsrv%2Fshop&item=idna" in page.links
    (address,) = [one for one in page.links if "item=idna" in one and one.startswith("/timeline")]
    assert "3 hosts: web-1, web-2, web-3" in seen(pages.get(address)).text.replace(" ,", ",")


def test_a_change_of_one_host_leads_to_it(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        (one,) = upgraded(connection, ("web-1",), MONDAY)
    assert f"/hosts/{one.id}" in seen(pages.get("/timeline", until=UNTIL)).links


def test_the_days_of_a_month_are_counted_and_drawn_from_that_table(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        upgraded(connection, WEB, MONDAY)
    page = seen(pages.get("/timeline", until=UNTIL))
    assert page.values("figure", "data-table") == page.values("table", "id") == ["changes-by-day"]
    assert "2 Nov 0 3 Nov 3 4 Nov 0 5 Nov 0" in page.text
    assert "/timeline?day=2025-11-03" in page.links


def test_a_page_tells_three_days_and_leads_to_older_ones_however_old(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        for number, days in enumerate((0, 8, 16, 24, 200)):
            upgraded(connection, (f"web-{number}",), MONDAY - days * DAY)

    def told(until: str) -> tuple[list[int], list[str]]:
        page = seen(pages.get("/timeline", until=until))
        older = [address for address in page.links if "until=" in address]
        return [number for number in range(5) if f"web-{number}" in page.text], older

    assert told(UNTIL) == ([0, 1, 2], ["/timeline?until=2025-10-18"])
    assert told("2025-10-18") == ([3], ["/timeline?until=2025-10-10"])
    assert told("2025-10-10") == ([4], [])


def test_a_day_with_many_changes_is_cut_and_paged_alone(pages: Asking) -> None:
    pinned = {f"package-{number:03}": "1" for number in range(130)}
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", host(*PLAIN.sections.values()), MONDAY - DAY)
        plain = {path: section for path, section in PLAIN.sections.items() if path != "python/srv/shop"}
        report(connection, one, host(*plain.values(), packages(pinned)), MONDAY)
    page = seen(pages.get("/timeline", until=UNTIL))
    assert page.text.count("added: 1") == 15
    assert "All 132 lines of this day" in page.text
    first, second = (seen(pages.get("/timeline", day="2025-11-03", page=number)).text for number in ("1", "2"))
    assert "132 lines, page 1 of 2" in first
    assert first.count("added: 1") + second.count("added: 1") == 130


def test_filters_keep_what_fits_all_of_them(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        upgraded(connection, ("web-1",), MONDAY, "prod")
        upgraded(connection, ("db-1",), MONDAY, "dev")

    def hosts(**query: str) -> set[str]:
        page = seen(pages.get("/timeline", until=UNTIL, **query))
        return {name for name in ("web-1", "db-1") if f"{name} " in page.text}

    assert hosts() == {"web-1", "db-1"}
    assert hosts(environment="dev") == {"db-1"}
    assert hosts(host="WEB") == {"web-1"}
    assert hosts(kind="python", q="IDN") == {"web-1", "db-1"}
    assert hosts(kind="os-packages") == set()
    assert hosts(q="flask") == set()
    assert hosts(q="i_na") == set()  # no wildcard
    page = seen(pages.get("/timeline", q="nothing"))
    assert "No change matches" in page.text
    assert "/timeline" in page.links


def test_deploys_stand_on_their_day(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        upgraded(connection, ("web-1",), MONDAY)
        for name, link in (("shop 2.4", "https://ci.example/7"), ("shop 2.5", "javascript:alert(1)")):
            one = deploys.begin(connection, "env:prod,role=web", "prod", name, link, "token:ci", MONDAY)
        deploys.end(connection, [one.id], MONDAY + timedelta(minutes=4))
        deploys.begin(connection, "env:dev", "dev", "shop 2.6", "", "token:ci", MONDAY)
    page = seen(pages.get("/timeline", until=UNTIL, environment="prod"))
    assert "shop 2.4 to env:prod,role=web by token:ci, since 3 Nov 08:10 UTC" in page.text
    assert "shop 2.5 to env:prod,role=web by token:ci, 3 Nov 08:10 UTC to 3 Nov 08:14 UTC" in page.text
    assert "shop 2.6" not in page.text
    assert [address for address in page.links if not address.startswith(("/", "#"))] == ["https://ci.example/7"]


def test_nothing_of_an_environment_that_one_does_not_see_is_told_or_counted(small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        upgraded(connection, ("secret-1", "secret-2"), MONDAY, "vault")
        deploys.begin(connection, "env:vault", "vault", "secret deploy", "", "token:ci", MONDAY)
    ada = small_api.as_person("ada", Role.VIEWER, frozenset({"dev"}))
    assert "Nothing has changed yet" in seen(ada.get("/timeline", until=UNTIL)).text
    with writing(small_api.engine) as connection:
        upgraded(connection, ("seen-1",), MONDAY, "dev")
    for query in ({"until": UNTIL}, {"day": "2025-11-03"}):
        page = seen(ada.get("/timeline", **query))
        assert "1 change, in UTC" in page.text
        assert "3 Nov 1 " in page.text
        assert "secret" not in page.text
        assert "vault" not in page.text


@pytest.mark.parametrize(
    "query", [{"day": "x"}, {"day": "0001-01-01"}, {"until": "9999-12-31"}, {"page": "0"}, {"q": "a\0"}]
)
def test_a_wrong_query_is_refused_with_a_page(pages: Asking, query: dict[str, str]) -> None:
    answer = pages.get("/timeline", **query)
    assert answer.status_code == 422
    assert seen(answer).text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_on_the_timeline(pages: Asking, text: str) -> None:
    with writing(pages.engine) as connection:
        one = reported(connection, text, hostile(text, "1.0"), MONDAY - DAY, text)
        report(connection, one, hostile(text, "2.0"), MONDAY)
        deploys.begin(connection, text, text, text, text, text, MONDAY)
    asked = quote(text, safe="")
    for address in (f"/timeline?until={UNTIL}", f"/timeline?day=2025-11-03&q={asked}", f"/timeline?host={asked}"):
        page = seen(pages.get(address))
        assert page.dangers() == [], address
        assert " ".join(text.split()) in page.text
    query = f"environment={asked}&host={asked}&kind={asked}&q={asked}&section={asked}&item={asked}"
    assert seen(pages.get(f"/timeline?{query}")).dangers() == []
