"""Tests of the page Hosts: empty, filtered, small, large."""

from datetime import UTC, datetime, timedelta

import pytest

from envparity_agent.fingerprint import Reason, Status
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.fleet import enrolled, report, reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages, section

WEB = section("container/web", {"image": {"config": "sha256:a"}})
FULL = host(OPERATING_SYSTEM, SEARCHED, packages({"a": "1"}), packages({"a": "1"}, "python/b"), ENGINE, WEB)


def now() -> datetime:
    """The clock that the pages read."""
    return datetime.now(UTC)


def test_an_empty_server_says_what_to_do_next(pages: Asking) -> None:
    page = seen(pages.get("/hosts"))
    assert "No host yet" in page.text
    assert "envparity server token enrol" in page.text
    assert "envparity agent enroll --server http://envparity.test" in page.text
    assert "Filter hosts" not in page.values("input", "aria-label")


def test_a_host_is_shown_with_what_it_runs_on(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", FULL, now(), "prod", {"role": "web"})
    page = seen(pages.get("/hosts"))
    assert "1 in all: 1 fresh, 0 stale, 0 never reported" in page.text
    assert "web-1 prod role=web ● fresh Debian GNU/Linux 12 2 1 just now" in page.text
    assert f"/hosts/{one.id}" in page.links


def test_one_host_alone_can_be_compared_already(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", FULL, now())
    page = seen(pages.get("/hosts"))
    assert "What can be compared now" in page.text
    (link,) = [address for address in page.links if address.startswith("/compare?")]
    compared = seen(pages.get(link))
    assert f"host:{one.id}#python/b" in compared.values("input", "value")
    assert "Nothing differs" in compared.text


def test_a_host_that_was_there_yesterday_is_compared_with_itself(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", FULL, now() - timedelta(days=2))
        report(connection, one, host(OPERATING_SYSTEM), now())
    page = seen(pages.get("/hosts"))
    assert "web-1: yesterday and now" in page.text
    (link,) = [address for address in page.links if "yesterday" in address]
    assert pages.get(link).status_code == 200


def test_two_environments_are_offered_first(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        reported(connection, "dev-1", FULL, now(), "dev")
        reported(connection, "web-1", FULL, now(), "prod")
    assert "dev against prod" in seen(pages.get("/hosts")).text


def test_every_state_is_told_in_words(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        reported(connection, "a", FULL, now())
        reported(connection, "b", FULL, now() - timedelta(days=3))
        enrolled(connection, "c")
    text = seen(pages.get("/hosts")).text
    assert "3 in all: 1 fresh, 1 stale, 1 never reported" in text
    assert "3 d ago" in text
    assert "waiting for the first report" in text


@pytest.mark.parametrize(
    ("status", "reason"), [(Status.FAILED, Reason.PERMISSION), (Status.ABSENT, Reason.NOT_INSTALLED)]
)
def test_containers_that_could_not_be_read_are_not_none(pages: Asking, status: Status, reason: Reason) -> None:
    with writing(pages.engine) as connection:
        reported(connection, "web-1", host(section("containers", {}, status, reason)), now())
    text = seen(pages.get("/hosts")).text
    assert f" {reason} just now" in text


def test_a_filter_keeps_what_has_all_of_its_words(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        reported(connection, "web-1", FULL, now(), "prod", {"role": "web"})
        reported(connection, "web-2", FULL, now(), "dev", {"role": "web"})
        reported(connection, "db-1", FULL, now(), "prod", {"role": "db"})

    def shown(text: str) -> set[str]:
        page = seen(pages.get("/hosts", q=text))
        assert page.values("input", "value") == [text]
        return {name for name in ("web-1", "web-2", "db-1") if f"{name} " in page.text}

    assert shown("WEB") == {"web-1", "web-2"}
    assert shown("role=db") == {"db-1"}
    assert shown("web prod") == {"web-1"}


def test_a_filter_that_leaves_nothing_says_so_and_leads_back(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        reported(connection, "web-1", FULL, now())
    page = seen(pages.get("/hosts", q="mail"))
    assert "No host matches “mail”" in page.text
    assert "/hosts" in page.links
    assert "No host yet" not in page.text


def test_many_hosts_are_shown_page_by_page(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        for number in range(120):
            reported(connection, f"web-{number:03}", FULL, now())
    names = [f"web-{number:03}" for number in range(120)]
    shown: list[str] = []
    for number, rows in ((1, 50), (2, 50), (3, 20)):
        page = seen(pages.get("/hosts", page=str(number)))
        assert f"120 hosts, page {number} of 3" in page.text
        found = [name for name in names if f"{name} " in page.text]
        assert len(found) == rows
        assert "?q=&page=4" not in page.links
        shown += found
    assert shown == names
    assert "?q=web&page=2" in seen(pages.get("/hosts", q="web", page="1")).links
    assert "What can be compared now" not in page.text


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "-1"}, {"page": "x"}, {"page": "1e12"}, {"q": "x" * 201}])
def test_a_wrong_query_is_refused_with_a_page(pages: Asking, query: dict[str, str]) -> None:
    answer = pages.get("/hosts", **query)
    assert answer.status_code == 422
    assert seen(answer).text


def test_a_page_that_does_not_exist_leads_to_the_hosts(pages: Asking) -> None:
    answer = pages.get("/nowhere")
    assert answer.status_code == 404
    assert "There is no such page" in seen(answer).text
    assert "/hosts" in seen(answer).links
