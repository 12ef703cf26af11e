"""Tests of finding items by a part of their name, on real databases."""

from sqlalchemy import Connection, Engine, update

from envparity_server.storage.actors import Environments
from envparity_server.storage.database import writing
from envparity_server.storage.naming import named
from envparity_server.storage.tables import host as host_table
from tests.server.fleet import report, reported
from tests.server.making import NOON, SEARCHED, host, packages, section, versions

KINDS = ("python", "os-packages")


def found(connection: Connection, part: str, seen: Environments = None) -> list[tuple[str, str]]:
    """What is found, in short."""
    return [(one.item, one.kind) for one in named(connection, part, KINDS, seen)]


def test_a_part_of_a_name_finds_each_item_once_for_each_kind(database: Engine) -> None:
    running = host(
        SEARCHED,
        packages({"PyYAML": "6.0", "pyyaml_env": "1", "idna": "3.4"}),
        packages({"PyYAML": "5.4", "PyYAML#lib": "5.3"}, "python/b"),
        section("os-packages", versions({"python3-pyyaml": "6.0", "PyYAML": "1"})),
        section("os/settings", {"pyyaml": {"value": "1"}}, kind="settings"),
    )
    with writing(database) as connection:
        for name in ("web-1", "web-2"):
            reported(connection, name, running, NOON)
        assert found(connection, "pyyaml") == [
            ("PyYAML", "os-packages"), ("PyYAML", "python"), ("python3-pyyaml", "os-packages"), ("pyyaml_env", "python")
        ]  # fmt: skip
        assert found(connection, "l_e") == [("pyyaml_env", "python")]  # no wildcard
        assert found(connection, "nothing") == found(connection, "%") == []


def test_only_what_a_host_has_now_that_somebody_sees_is_found(database: Engine) -> None:
    with writing(database) as connection:
        one = reported(connection, "web-1", host(SEARCHED, packages({"idna": "3.4"})), NOON, "prod")
        assert found(connection, "idna", frozenset({"prod"})) == [("idna", "python")]
        assert found(connection, "idna", frozenset({"dev"})) == []
        report(connection, one, host(SEARCHED, packages({"six": "1"})), NOON)
        assert found(connection, "idna") == []
        connection.execute(update(host_table).values(retired_at=NOON))
        assert found(connection, "six") == []
