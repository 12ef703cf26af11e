"""Tests of environments: how many hosts they have, in which states, and what they are meant to be like."""

from datetime import timedelta

from sqlalchemy import Engine

from envparity_server.storage import access, environments, hosts
from envparity_server.storage.clones import clones
from envparity_server.storage.database import writing
from tests.server.fleet import enrolled, reported
from tests.server.making import NOON, OPERATING_SYSTEM, host

LATER = NOON + timedelta(hours=1)
RUNNING = host(OPERATING_SYSTEM)


def test_an_environment_counts_its_hosts_by_state(database: Engine) -> None:
    with writing(database) as connection:
        reported(connection, "fresh", RUNNING, LATER)
        reported(connection, "stale", RUNNING, NOON)
        enrolled(connection, "never")
        hosts.retire(connection, enrolled(connection, "gone").id, NOON)
        for number, life in enumerate((timedelta(minutes=1), timedelta(days=1))):
            hosts.add(connection, f"{number:016}", f"runner-{number}", "prod", {}, str(number), NOON, life)
        enrolled(connection, "other", "dev")
        dev, prod = environments.listed(connection, LATER)
        assert environments.listed(connection, LATER, frozenset({"dev", "nowhere"})) == [dev]
        assert environments.listed(connection, LATER, frozenset()) == []
    assert (dev.name, +dev.counts) == ("dev", {"never reported": 1})
    assert prod.counts == {"fresh": 1, "stale": 1, "never reported": 2, "retired": 1, "expired": 1, "ephemeral": 1}


def test_an_environment_is_made_and_told_what_it_is_to_be_like(database: Engine) -> None:
    with writing(database) as connection:
        assert not environments.is_known(connection, "test")
        environments.put(connection, "test", None, NOON)
        environments.put(connection, "test", "env:prod", LATER)
        [one] = environments.listed(connection, LATER)
        assert environments.is_known(connection, "test")
        assert not environments.is_known(connection, "test", frozenset({"prod"}))
    assert (one.against, one.created_at, +one.counts) == ("env:prod", NOON, {})


def test_hosts_with_one_machine_id_are_told_of_each_other(database: Engine) -> None:
    with writing(database) as connection:
        for name, machine in (("a", "1"), ("b", "1"), ("c", "2"), ("d", ""), ("e", ""), ("f", "uninitialized"),
                              ("g", "uninitialized")):  # fmt: skip
            one = enrolled(connection, name)
            hosts.record(connection, one.id, {"identity": {"machine_id": machine}}, NOON)
        enrolled(connection, "h")
        told = clones(hosts.all_hosts(connection))
    ids = {name: access.hashed(name)[:16] for name in "ab"}
    assert set(told) == set(ids.values())
    assert told[ids["a"]].startswith(f"has the machine id of b ({ids['b']}): a clone")


def test_of_many_clones_a_few_are_named(database: Engine) -> None:
    with writing(database) as connection:
        for number in range(50):
            one = enrolled(connection, f"web-{number}")
            hosts.record(connection, one.id, {"identity": {"machine_id": "1"}}, NOON)
        told = clones(hosts.all_hosts(connection))
    assert len(told) == 50
    assert all("and 46 more" in text and len(text) < 200 for text in told.values())
