"""Tests of the page Hosts: empty, filtered, small, large."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from envparity_agent.fingerprint import Reason, Status
from envparity_server.evaluation import evaluate
from envparity_server.storage import hosts
from envparity_server.storage.access import hashed
from envparity_server.storage.actors import Role
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.fleet import enrolled, known, report, reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages, section

WEB = section("container/web", {"image": {"config": "sha256:a"}})
HOUR = timedelta(hours=1)
FULL = host(OPERATING_SYSTEM, SEARCHED, packages({"a": "1"}), packages({"a": "1"}, "python/b"), ENGINE, WEB)


def now() -> datetime:
    """The clock that the pages read."""
    return datetime.now(UTC)


def test_an_empty_server_says_what_to_do_next(pages: Asking) -> None:
    page = seen(pages.get("/hosts"))
    assert "No host yet" in page.text
    assert "envparity server token enrol" in page.text
    assert "envparity agent enroll --server http://envparity.test" in page.text
    assert "Filter hosts" not in page.values("form", "aria-label")


def test_a_host_is_shown_with_what_it_runs_on(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", FULL, now(), "prod", {"role": "web"})
    page = seen(pages.get("/hosts"))
    assert "all 1 not compared 1" in page.text
    assert "web-1 prod role=web ? not compared — Debian GNU/Linux 12 2 1 just now" in page.text
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


@pytest.fixture
def fleet(pages: Asking) -> Asking:
    """A host in every state that there is."""
    moment = now()
    with writing(pages.engine) as connection:
        for number in range(4):
            one = reported(connection, f"even-{number}", FULL, moment - HOUR)
        evaluate(connection, moment - HOUR)
        for number in range(4):
            one = known(connection, hashed(f"even-{number}")[:16])
            report(connection, one, FULL if number else host(OPERATING_SYSTEM, SEARCHED, ENGINE), moment)
        evaluate(connection, moment)
        reported(connection, "alone", FULL, moment, "dev")
        reported(connection, "silent", FULL, moment - timedelta(days=3), "dev")
        enrolled(connection, "coming", "dev")
        hosts.retire(connection, enrolled(connection, "gone", "dev").id, moment)
        life = timedelta(minutes=1)
        hosts.add(connection, "e" * 16, "runner", "dev", {}, hashed("x"), moment - HOUR, life)
    return pages


def test_every_state_is_told_in_words_and_what_matters_comes_first(fleet: Asking) -> None:
    text = seen(fleet.get("/hosts")).text
    chips = "all 7 in drift 1 stale 1 not compared 1 never reported 1 in parity 3 expired 1 retired 1"
    assert chips in text
    order = ["even-0 prod ≠ in drift", "silent dev ◌ stale", "alone dev ? not compared", "coming dev ○ never reported",
             "even-1 prod ✓ in parity", "even-2", "even-3"]  # fmt: skip
    places = [text.index(one) for one in order]
    assert places == sorted(places)
    assert "3 d ago" in text
    assert "waiting for the first" in text
    assert "gone dev" not in text
    assert "runner dev" not in text


def test_a_chip_leads_to_as_many_hosts_as_it_counts(fleet: Asking) -> None:
    everything = seen(fleet.get("/hosts"))
    for state, names in {
        "in drift": {"even-0"},
        "stale": {"silent"},
        "not compared": {"alone"},
        "never reported": {"coming"},
        "in parity": {"even-1", "even-2", "even-3"},
        "expired": {"runner"},
        "retired": {"gone"},
    }.items():
        address = f"/hosts?state={state.replace(' ', '+')}"
        assert address in everything.links
        text = seen(fleet.get(address)).text
        assert f"{state} {len(names)}" in text
        everyone = ("even-0", "even-1", "even-2", "even-3", "silent", "alone", "coming", "runner", "gone")
        assert {one for one in everyone if f"{one} prod" in text or f"{one} dev" in text} == names


def test_environment_and_words_narrow_the_counts_as_well(fleet: Asking) -> None:
    text = seen(fleet.get("/hosts", environment="dev")).text
    assert "all 3 stale 1 not compared 1 never reported 1 expired 1 retired 1" in text
    assert "even-1" not in text
    assert "all 1 stale 1 Hosts with" in seen(fleet.get("/hosts", q="sil", environment="dev")).text
    assert "retired 1" in seen(fleet.get("/hosts", q="gone")).text
    assert "retired" not in seen(fleet.get("/hosts", q="sil")).text
    assert "gone dev" in seen(fleet.get("/hosts", q="gone", state="retired")).text
    nothing = seen(fleet.get("/hosts", state="stale", environment="prod"))
    assert "No such host in prod that is stale" in nothing.text
    assert "/hosts" in nothing.links


def test_open_drift_is_counted_by_severity_and_leads_to_it(fleet: Asking) -> None:
    page = seen(fleet.get("/hosts"))
    (link,) = [one for one in page.links if one.startswith("/drifts?")]
    assert link == f"/drifts?state=open&host={hashed('even-0')[:16]}"
    listed = [one for one in seen(fleet.get(link)).links if one.startswith("/drifts/") and "#" not in one]
    counted = re.search(r"in drift ((?:\d+ \w+(?:, )?)+) Debian", page.text)
    assert counted is not None
    assert sum(map(int, re.findall(r"\d+", counted[1]))) == len(listed) > 0


def test_only_who_may_add_a_host_is_offered_to(pages: Asking) -> None:
    assert "/hosts/add" in seen(pages.get("/hosts")).links
    assert "/hosts/add" not in seen(pages.as_person("ada", Role.OPERATOR).get("/hosts")).links


def test_a_host_with_the_machine_id_of_another_one_is_marked(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        for name in ("web-1", "web-2"):
            report(connection, enrolled(connection, name), FULL, now(), identity={"machine_id": "m"})
    assert "has the machine id of web-2" in seen(pages.get("/hosts")).text


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
        assert "/hosts?page=4" not in page.links
        shown += found
    assert shown == names
    assert "/hosts?q=web&page=2" in seen(pages.get("/hosts", q="web", page="1")).links
    assert "What can be compared now" not in page.text


@pytest.mark.parametrize(
    "query", [{"page": "0"}, {"page": "-1"}, {"page": "x"}, {"page": "1e12"}, {"q": "x" * 201}, {"state": "fresh"}]
)
def test_a_wrong_query_is_refused_with_a_page(pages: Asking, query: dict[str, str]) -> None:
    answer = pages.get("/hosts", **query)
    assert answer.status_code == 422
    assert seen(answer).text


def test_a_page_that_does_not_exist_leads_to_the_hosts(pages: Asking) -> None:
    answer = pages.get("/nowhere")
    assert answer.status_code == 404
    assert "There is no such page" in seen(answer).text
    assert "/hosts" in seen(answer).links
