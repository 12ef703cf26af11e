"""Tests of hosts: who a selector names, and whether they are stale."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from envparity_server.storage import access, hosts
from envparity_server.storage.database import reading, writing
from tests.server.fleet import enrolled, known, report, reported
from tests.server.making import NOON, OPERATING_SYSTEM, host


def test_a_host_that_was_added_is_found_by_its_id_name_and_credential(database: Engine) -> None:
    with writing(database) as connection:
        added = enrolled(connection, "web-1", "prod", {"role": "web"})
        assert hosts.by_credential(connection, access.hashed("credential of web-1"), NOON) == added
        assert hosts.named(connection, "web-1") == hosts.named(connection, added.id) == [added]
        assert hosts.has_credential(connection, added.id, access.hashed("credential of web-1"))
        assert not hosts.has_credential(connection, added.id, access.hashed("another"))
        assert hosts.by_credential(connection, access.hashed("another"), NOON) is None
        assert hosts.by_id(connection, "0" * 16) is None
    assert (added.environment, added.labels, added.enrolled_at) == ("prod", {"role": "web"}, NOON)
    assert added.state(NOON) == "never reported"


def test_two_hosts_of_one_name_are_both_found(database: Engine) -> None:
    with writing(database) as connection:
        for number in range(2):
            hosts.add(connection, f"{number:016}", "web-1", "prod", {}, access.hashed(str(number)), NOON)
        assert len(hosts.named(connection, "web-1")) == 2


def test_two_hosts_never_have_one_credential(database: Engine) -> None:
    def add(host_id: str) -> None:
        with writing(database) as connection:
            hosts.add(connection, host_id, "web-1", "prod", {}, access.hashed("the same"), NOON)

    add("0" * 16)
    with pytest.raises(IntegrityError):
        add("1" * 16)


def test_an_environment_has_the_hosts_with_all_of_the_labels(database: Engine) -> None:
    with writing(database) as connection:
        enrolled(connection, "web-2", "prod", {"role": "web", "zone": "b"})
        enrolled(connection, "web-1", "prod", {"role": "web", "zone": "a"})
        enrolled(connection, "db-1", "prod", {"role": "db"})
        enrolled(connection, "dev-1", "dev", {"role": "web"})

        def names(environment: str, **labels: str) -> list[str]:
            return [one.name for one in hosts.in_environment(connection, environment, labels)]

        assert names("prod") == ["db-1", "web-1", "web-2"]
        assert names("prod", role="web") == ["web-1", "web-2"]
        assert names("prod", role="web", zone="a") == ["web-1"]
        assert names("prod", role="mail") == names("staging") == []
        assert hosts.environments(connection) == ["dev", "prod"]
        assert [one.name for one in hosts.all_hosts(connection)] == ["dev-1", "db-1", "web-1", "web-2"]


def test_a_host_is_stale_after_three_intervals_without_a_report(database: Engine) -> None:
    with writing(database) as connection:
        one = reported(connection, "web-1", host(OPERATING_SYSTEM), NOON)
    late = NOON + timedelta(seconds=3 * 900)
    assert (one.state(NOON), one.state(late), one.state(late + timedelta(seconds=1))) == ("fresh", "fresh", "stale")


def test_a_host_keeps_the_interval_that_it_reported(database: Engine) -> None:
    with writing(database) as connection:
        one = report(connection, enrolled(connection, "web-1"), host(OPERATING_SYSTEM), NOON, interval=7200)
    assert one.interval == 7200
    assert one.state(NOON + timedelta(hours=6)) == "fresh"


def test_moments_are_kept_in_utc(database: Engine) -> None:
    with writing(database) as connection:
        one = reported(connection, "web-1", host(OPERATING_SYSTEM), NOON)
    with reading(database) as connection:
        assert known(connection, one.id).seen_at == NOON
        assert str(known(connection, one.id).seen_at) == "2026-11-01 12:00:00+00:00"


def test_what_the_host_says_of_itself_is_kept(database: Engine) -> None:
    with writing(database) as connection:
        said = {
            "identity": {"hostname": "wéb\N{SNOWMAN}"},
            "observed": {"python": {"location": "/srv"}},
            "agent": "2.0",
        }
        one = report(connection, enrolled(connection, "web-1"), host(OPERATING_SYSTEM), NOON, **said)
    assert (one.identity, one.observed, one.agent) == (said["identity"], said["observed"], "2.0")


def test_a_host_that_is_retired_is_out_of_every_selector_and_may_ask_no_more(database: Engine) -> None:
    with writing(database) as connection:
        one = reported(connection, "web-1", host(OPERATING_SYSTEM), NOON)
        other = enrolled(connection, "web-2")
        hosts.retire(connection, one.id, NOON)
        hosts.retire(connection, one.id, NOON + timedelta(days=1))
        gone = known(connection, one.id)
        assert hosts.all_hosts(connection) == hosts.in_environment(connection, "prod", {}) == [other]
        assert hosts.all_hosts(connection, retired=True) == [gone, other]
        assert hosts.named(connection, "web-1") == []
        assert hosts.named(connection, one.id) == [gone]
        assert hosts.by_credential(connection, access.hashed("credential of web-1"), NOON) is None
        assert not hosts.has_credential(connection, one.id, access.hashed("credential of web-1"))
    assert (gone.retired_at, gone.root) == (NOON, one.root)
    assert (gone.state(NOON), gone.is_stale(NOON + timedelta(days=9))) == ("retired", False)


def test_an_ephemeral_host_ends_by_itself_and_alarms_nobody(database: Engine) -> None:
    life, credential = timedelta(hours=2), access.hashed("its credential")
    with writing(database) as connection:
        hosts.add(connection, "0" * 16, "runner-1", "ci", {}, credential, NOON, life)
        one = report(connection, known(connection, "0" * 16), host(OPERATING_SYSTEM), NOON)
        assert hosts.by_credential(connection, credential, NOON + life - timedelta(seconds=1)) == one
        assert hosts.by_credential(connection, credential, NOON + life) is None
    assert (one.ephemeral, one.credential_expires_at) == (True, NOON + life)
    assert (one.state(NOON), one.state(NOON + life)) == ("fresh", "expired")
    assert not one.is_stale(NOON + life)
    with writing(database) as connection:
        hosts.retire_expired(connection, NOON + life - timedelta(seconds=1))
        assert hosts.in_environment(connection, "ci", {}) == [one]
        hosts.retire_expired(connection, NOON + 2 * life)
        assert hosts.in_environment(connection, "ci", {}) == []
        assert known(connection, "0" * 16).retired_at == NOON + life


def test_a_host_is_seen_by_those_of_its_environment(database: Engine) -> None:
    with writing(database) as connection:
        one = enrolled(connection, "web-1", "prod")
        assert hosts.by_id(connection, one.id, frozenset({"prod", "dev"})) == one
        assert hosts.by_id(connection, one.id, frozenset({"dev"})) is None
        assert hosts.by_id(connection, one.id, frozenset()) is None


def test_a_host_has_another_name_environment_and_labels(database: Engine) -> None:
    with writing(database) as connection:
        one = reported(connection, "web-1", host(OPERATING_SYSTEM), NOON)
        hosts.change(connection, one.id, name="web-01", environment="test", labels={"role": "web"})
        changed = known(connection, one.id)
    assert (changed.name, changed.environment, changed.labels) == ("web-01", "test", {"role": "web"})
    assert (changed.root, changed.seen_at, changed.id) == (one.root, one.seen_at, one.id)


def test_an_environment_is_registered_once_however_often(database: Engine) -> None:
    with writing(database) as connection:
        for _ in range(2):
            hosts.register_environment(connection, "prod", NOON)
        assert hosts.environments(connection) == ["prod"]


@pytest.mark.parametrize(
    ("text", "found"), [("", True), ("WEB", True), ("prod role=web", True), ("web dev", False), ("role=db", False)]
)
def test_a_host_matches_a_text_by_all_of_its_words(database: Engine, text: str, found: bool) -> None:
    with writing(database) as connection:
        assert hosts.matches(enrolled(connection, "web-1", "prod", {"role": "web"}), text) is found
