"""Tests of what a selector stands for."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.fingerprint import SPLIT, Fingerprint, FingerprintLike, Target
from envparity_server.compare.model import State
from envparity_server.compare.scope import parse_scope
from envparity_server.references import compare_selectors, resolve
from envparity_server.storage import hosts
from envparity_server.storage.database import writing
from tests.server.fleet import enrolled, report, reported
from tests.server.making import ENGINE, NOON, OPERATING_SYSTEM, SEARCHED, host, packages, section

HOUR = timedelta(hours=1)
LATE = NOON + timedelta(days=1)


def running(version: str) -> Fingerprint:
    """A host with a version of idna."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": version}))


def idna(found: FingerprintLike) -> object:
    """The version of idna, or what is split."""
    item = found.sections["python/srv/shop"].items["idna"]
    return item.get("version") or item[SPLIT]


@pytest.fixture
def fleet(database: Engine) -> Engine:
    """Three hosts in prod, one in dev, one that never reported."""
    with writing(database) as connection:
        for name, version, labels in (("web-1", "3.7", "web"), ("web-2", "3.7", "web"), ("db-1", "3.4", "db")):
            reported(connection, name, running(version), NOON, "prod", {"role": labels})
        reported(connection, "dev-1", running("3.4"), NOON, "dev")
        enrolled(connection, "silent", "staging")
    return database


def test_a_host_stands_for_its_last_report(fleet: Engine) -> None:
    with writing(fleet) as connection:
        found = resolve(connection, "host:db-1", NOON)
        assert (found.fingerprint.target, idna(found.fingerprint)) == (Target("host", "db-1"), "3.4")
        assert (found.notes, found.doubts) == ((), ())


def test_an_environment_stands_for_what_most_of_its_hosts_agree_on(fleet: Engine) -> None:
    with writing(fleet) as connection:
        found = resolve(connection, "env:prod", NOON)
        assert (found.fingerprint.target, idna(found.fingerprint)) == (Target("environment", "env:prod"), "3.7")


def test_labels_choose_among_the_hosts_of_an_environment(fleet: Engine) -> None:
    with writing(fleet) as connection:
        assert idna(resolve(connection, "env:prod,role=db", NOON).fingerprint) == "3.4"


def test_a_split_environment_says_who_has_what(fleet: Engine) -> None:
    with writing(fleet) as connection:
        reported(connection, "db-2", running("3.4"), NOON, "prod", {"role": "db"})
        assert idna(resolve(connection, "env:prod", NOON).fingerprint) == ("3.4: 2 hosts", "3.7: 2 hosts")


def test_an_unknown_host_is_a_wrong_question(fleet: Engine) -> None:
    with writing(fleet) as connection, pytest.raises(UsageError, match="no host web-9") as refused:
        resolve(connection, "host:web-9", NOON)
    assert "web-1" in refused.value.advice


def test_a_name_that_several_hosts_have_is_a_wrong_question(fleet: Engine) -> None:
    with writing(fleet) as connection:
        first = reported(connection, "web-3", running("3.4"), NOON)
        connection.exec_driver_sql("UPDATE host SET name = 'web-3' WHERE name = 'web-2'")
        with pytest.raises(UsageError, match="several hosts") as refused:
            resolve(connection, "host:web-3", NOON)
        assert first.id in refused.value.advice
        assert idna(resolve(connection, f"host:{first.id}", NOON).fingerprint) == "3.4"


@pytest.mark.parametrize("text", ["env:prdo", "env:prod,role=mail", "env:silent"])
def test_an_environment_that_was_never_seen_cannot_tell(fleet: Engine, text: str) -> None:
    with writing(fleet) as connection, pytest.raises(CannotTell, match="never seen") as refused:
        resolve(connection, text, NOON)
    assert "env:prod" in refused.value.advice


@pytest.mark.parametrize("text", ["host:silent", "env:staging"])
def test_a_host_that_never_reported_cannot_tell(fleet: Engine, text: str) -> None:
    with writing(fleet) as connection, pytest.raises(CannotTell, match="no report yet from silent"):
        resolve(connection, text, NOON)


def test_a_stale_host_is_said_and_doubted(fleet: Engine) -> None:
    with writing(fleet) as connection:
        found = resolve(connection, "host:db-1", LATE)
    assert found.notes == found.doubts
    assert found.notes == ("host:db-1: 1 of 1 stale: db-1 (last seen 2026-11-01 12:00 UTC, due every 900 s)",)


def test_stale_hosts_do_not_vote_while_there_are_fresh_ones(fleet: Engine) -> None:
    with writing(fleet) as connection:
        (one,) = hosts.named(connection, "db-1")
        report(connection, one, running("3.5"), LATE)
        found = resolve(connection, "env:prod", LATE)
        assert idna(found.fingerprint) == "3.5"
    assert [note.partition(": ")[2][:12] for note in found.notes] == ["2 of 3 stale"]
    assert found.doubts == ()


def test_an_environment_of_stale_hosts_is_doubted(fleet: Engine) -> None:
    with writing(fleet) as connection:
        found = resolve(connection, "env:prod", LATE)
        assert idna(found.fingerprint) == "3.7"
    (doubt,) = found.doubts
    assert doubt.startswith("env:prod: 3 of 3 stale: db-1 (last seen 2026-11-01 12:00 UTC, due every 900 s), web-1 (")


def test_of_many_stale_hosts_the_first_are_named(fleet: Engine) -> None:
    with writing(fleet) as connection:
        for number in range(9):
            reported(connection, f"a-{number}", running("3.4"), NOON, "many")
        (note,) = resolve(connection, "env:many", LATE).notes
    assert note.startswith("env:many: 9 of 9 stale: a-0 (")
    assert note.endswith(" and 6 more")


def test_a_host_that_never_reported_is_said_beside_the_others(fleet: Engine) -> None:
    with writing(fleet) as connection:
        enrolled(connection, "web-9", "prod")
        found = resolve(connection, "env:prod", NOON)
    assert (found.notes, found.doubts) == (("env:prod: 1 of 4 never reported: web-9",), ())


def test_a_moment_stands_for_what_was_known_then(fleet: Engine) -> None:
    with writing(fleet) as connection:
        one = reported(connection, "web-5", running("3.0"), NOON, "old")
        report(connection, one, running("3.1"), NOON + HOUR)

        def at(selector: str) -> object:
            return idna(resolve(connection, selector, NOON + HOUR).fingerprint)

        assert at("host:web-5@2026-11-01T12:00") == at("env:old@2026-11-01T12:30") == "3.0"
        assert at("host:web-5@2026-11-01T13:00") == at("host:web-5@2026-11-01T14:00+01:00") == at("host:web-5") == "3.1"
        with pytest.raises(CannotTell, match="at or before that moment"):
            at("host:web-5@2026-11-01T11:59")


def test_a_moment_in_which_a_host_was_silent_is_doubted(fleet: Engine) -> None:
    with writing(fleet) as connection:
        one = reported(connection, "web-5", running("3.0"), NOON, "old")
        report(connection, one, running("3.1"), LATE)
        assert resolve(connection, "host:web-5@2026-11-01T12:10", LATE).doubts == ()
        assert resolve(connection, "host:web-5@2026-11-01T20:00", LATE).doubts


def test_a_part_is_a_target_of_its_own(fleet: Engine) -> None:
    with writing(fleet) as connection:
        found = resolve(connection, "host:db-1#python/srv/shop", NOON).fingerprint
        assert (found.target.kind, set(found.sections)) == ("python", {"python/srv/shop"})
        whole = resolve(connection, "host:db-1#python/", NOON).fingerprint
        assert set(whole.sections) == {"python", "python/srv/shop"}


def test_a_part_that_is_not_there_is_a_wrong_question(fleet: Engine) -> None:
    with writing(fleet) as connection, pytest.raises(UsageError, match="no section python/srv/sho") as refused:
        resolve(connection, "host:db-1#python/srv/sho", NOON)
    assert "python/srv/shop" in refused.value.advice


def test_two_selectors_are_compared_and_rated_with_what_must_be_said(fleet: Engine) -> None:
    with writing(fleet) as connection:
        comparison, notes = compare_selectors(connection, "env:dev", "env:prod", LATE, parse_scope("python"))
    (found,) = comparison.differences
    assert (found.item, found.state, found.left, found.right, found.severity.word) == (
        "idna", State.CHANGED, "3.4", "3.7", "medium"
    )  # fmt: skip
    assert [note.partition(":")[2][:11] for note in notes] == ["dev: 1 of 1", "prod: 3 of "]


def test_two_parts_of_one_host_are_compared(fleet: Engine) -> None:
    with writing(fleet) as connection:
        more = host(packages({"idna": "3.4"}, "python/a"), packages({"idna": "3.7"}, "python/b"), section("os"))
        reported(connection, "web-7", more, NOON)
        comparison, _ = compare_selectors(connection, "host:web-7#python/a", "host:web-7#python/b", NOON)
    assert [(one.item, one.left, one.right) for one in comparison.differences] == [("idna", "3.4", "3.7")]
    assert [(pair.left, pair.right) for pair in comparison.pairs] == [("python/a", "python/b")]
