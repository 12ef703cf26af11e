"""Tests of the index of what is in use: who has which item, and since when."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, event, func, select, update

from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Attributes
from envparity_server.storage import items
from envparity_server.storage.database import reading, writing
from envparity_server.storage.items import Holding
from envparity_server.storage.tables import host as host_table
from envparity_server.storage.tables import page_item
from tests.server.fleet import enrolled, known, report, reported
from tests.server.making import NOON, SEARCHED, host, packages, section, versions

HOUR = timedelta(hours=1)
SHOP = "python/srv/shop"
Found = tuple[str, str, str | None, float | None, float]


def found(connection: Connection, item: str, value: str | None = None) -> list[Found]:
    """Who has an item, in short: host, item, value, and between which hours after noon it came so."""
    holdings, total = items.having(connection, item, value)
    assert total == len(holdings)
    return [_short(one) for one in holdings]


def _short(one: Holding) -> Found:
    after, before = one.since
    return one.host, one.item, one.value, (after - NOON) / HOUR if after else None, (before - NOON) / HOUR


def test_who_has_an_item_in_which_version_and_since_when(database: Engine) -> None:
    with writing(database) as connection:
        one = enrolled(connection, "web-1")
        for hours, version in ((0, "3.4"), (1, "3.4"), (2, "3.7"), (3, "3.7")):
            report(connection, one, host(SEARCHED, packages({"idna": version})), NOON + hours * HOUR)
        reported(connection, "web-2", host(SEARCHED, packages({"idna": "3.7"})), NOON + HOUR)
        reported(connection, "web-3", host(SEARCHED, packages({"six": "1.16"})), NOON)
        assert found(connection, "idna") == [("web-1", "idna", "3.7", 1, 2), ("web-2", "idna", "3.7", None, 1)]
        assert found(connection, "idna", "3.4") == found(connection, "idn") == found(connection, "Idna") == []
        assert found(connection, "six", "1.16") == [("web-3", "six", "1.16", None, 0)]


def test_an_item_of_a_section_that_came_is_there_since_then(database: Engine) -> None:
    with writing(database) as connection:
        one = enrolled(connection, "web-1")
        report(connection, one, host(SEARCHED), NOON)
        report(connection, one, host(SEARCHED, packages({"idna": "3.4"})), NOON + HOUR)
        report(connection, one, host(SEARCHED, packages({"idna": "3.4", "six": "1"})), NOON + 2 * HOUR)
        assert found(connection, "idna") == [("web-1", "idna", "3.4", 0, 1)]
        assert found(connection, "six") == [("web-1", "six", "1", 1, 2)]


def test_globs_take_all_but_their_own_wildcards_as_they_are(database: Engine) -> None:
    names = ["a%c", "abc", "a_c", "a[b]c", "a\\c", "aBc", "other"]
    with writing(database) as connection:
        reported(connection, "web-1", host(section("os-packages", versions(dict.fromkeys(names, "1")))), NOON)

        def named(glob: str) -> set[str]:
            return {item for _, item, *_ in found(connection, glob)}

        assert named("a?c") == {"a%c", "abc", "a_c", "a\\c", "aBc"}
        assert named("a*c") == set(names) - {"other"}
        assert named("a[*") == {"a[b]c"}
        assert named("a\\*") == {"a\\c"}
        assert named("a%*") == {"a%c"}
        assert named("*Bc*") == {"aBc"}
        assert named("a[bB]c") == set()


def test_a_shadowed_distribution_is_told_as_one(database: Engine) -> None:
    body = versions({"requests": "2.32", "requests#lib/old": "2.0", "requests-mock": "1"})
    command: dict[str, Attributes] = {"command": {"value": "a"}, "command#2": {"value": "b"}}
    with writing(database) as connection:
        reported(
            connection,
            "web-1",
            host(section(SHOP, body), section("service/x", command, kind="configuration")),
            NOON,
        )
        holdings, _ = items.having(connection, "requests")
        assert {(one.item, one.value, one.shadowed) for one in holdings} == {
            ("requests", "2.32", False),
            ("requests#lib/old", "2.0", True),
        }
        assert [one.item for one in items.having(connection, "command")[0]] == ["command"]


def test_only_what_hosts_have_now_is_found(database: Engine) -> None:
    with writing(database) as connection:
        one = enrolled(connection, "web-1")
        report(connection, one, host(packages({"idna": "3.4"})), NOON)
        report(connection, one, host(packages({"idna": "3.7"})), NOON + HOUR)
        assert found(connection, "idna", "3.4") == []
        connection.execute(update(host_table).values(retired_at=NOON))
        assert found(connection, "idna") == []
        assert items.values(connection, "idna") == ([], 0)


def test_values_are_counted_by_environment(database: Engine) -> None:
    with writing(database) as connection:
        for number, (environment, version) in enumerate([("prod", "1"), ("prod", "1"), ("prod", "2"), ("dev", "1")]):
            twice = host(packages({"idna": version}), packages({"idna": version}, "python/srv/job"))
            reported(connection, f"web-{number}", twice, NOON, environment)
        values, total = items.values(connection, "idna")
        assert [(one.value, one.hosts) for one in values] == [("1", {"dev": 1, "prod": 2}), ("2", {"prod": 1})]
        assert total == 2
        assert [one.hosts for one in items.values(connection, "idna", frozenset({"dev"}))[0]] == [{"dev": 1}]


def test_nobody_sees_the_items_of_another_environment(database: Engine) -> None:
    with writing(database) as connection:
        reported(connection, "web-1", host(packages({"idna": "3.4"})), NOON)
        reported(connection, "dev-1", host(packages({"idna": "3.4"})), NOON, "dev")
        assert [one.host for one in items.having(connection, "idna", seen=frozenset({"dev"}))[0]] == ["dev-1"]
        assert items.having(connection, "idna", seen=frozenset()) == ([], 0)


def test_a_page_of_the_answer_says_how_many_there_are(database: Engine) -> None:
    with writing(database) as connection:
        for number in range(5):
            reported(connection, f"web-{number}", host(packages({"idna": "3.4"})), NOON)
        page, total = items.having(connection, "idna", limit=2, offset=2)
        assert ([one.host for one in page], total) == (["web-2", "web-3"], 5)
        assert [one.host for one in items.having(connection, "idna", kind="os-packages")[0]] == []


def test_what_tells_most_of_an_item_is_its_value(database: Engine) -> None:
    bodies: dict[str, Attributes] = {
        "image": {"reference": "docker.io/library/web:1", "config": "sha256:1"},
        "layer:/etc/passwd": {"change": "modified"},
        "nothing": {"config": "sha256:1"},
        "untold": {"version": None},
    }
    with writing(database) as connection:
        reported(connection, "web-1", host(section("container/web", bodies)), NOON)
        told = {name: found(connection, name)[0][2] for name in bodies}
    assert told == {
        "image": "docker.io/library/web:1",
        "layer:/etc/passwd": "modified",
        "nothing": None,
        "untold": None,
    }


@pytest.mark.parametrize("glob", ["*", "???", "*a*", "a?"])
def test_a_glob_that_fits_nearly_everything_is_refused(sqlite: Engine, glob: str) -> None:
    with reading(sqlite) as connection, pytest.raises(UsageError, match="fits nearly every item"):
        items.having(connection, glob)


@pytest.mark.parametrize("name", ["a" * 1024, "\N{SNOWMAN}" * 1024, "n\0l", "".join(map(chr, range(0x10000, 0x10400)))])
def test_any_name_that_a_report_may_have_is_found(database: Engine, name: str) -> None:
    with writing(database) as connection:
        reported(connection, "web-1", host(section("os-packages", versions({name: name}))), NOON)
        assert len(found(connection, name, name)) == 1


def test_a_thousand_hosts_are_asked_in_few_queries(sqlite: Engine) -> None:
    with writing(sqlite) as connection:
        for number in range(40):
            reported(connection, f"web-{number}", host(SEARCHED, packages({"idna": "3.4"})), NOON)
    asked: list[str] = []
    event.listen(sqlite, "before_cursor_execute", lambda *given: asked.append(given[2]))
    with reading(sqlite) as connection:
        assert len(items.having(connection, "idna")[0]) == 40
    assert len(asked) <= 5


def test_reports_with_the_same_new_sections_at_once_wait_for_each_other(database: Engine) -> None:
    many = [packages({f"p{n}-{m}": "1" for n in range(70)}, f"python/{m}") for m in range(6)]
    with writing(database) as connection:
        hosts = [enrolled(connection, f"web-{number}") for number in range(4)]
    failures: list[Exception] = []

    def reporting(number: int) -> None:
        sections = many if number % 2 else many[::-1]
        try:
            with writing(database) as connection:
                report(connection, known(connection, hosts[number].id), host(SEARCHED, *sections), NOON)
        except Exception as problem:  # noqa: BLE001  # told in the test's own thread
            failures.append(problem)

    threads = [threading.Thread(target=reporting, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(page_item)) == 6 * 70
        assert items.having(connection, "p0-*", limit=1)[1] == 4 * 6
